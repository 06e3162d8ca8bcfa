/**
 * The messages that a run has received and not yet handled. Message handlers only put messages in. Only the workflow's loop takes them out, in the
 * step that acts on them, so no handler changes the state between two steps, and `renewWhenLong` can see whether a message would be lost.
 */
export class Inbox<Message extends { readonly kind: string }> {
  private messages: Message[] = [];

  get isEmpty(): boolean {
    return this.messages.length === 0;
  }

  put(message: Message): void {
    this.messages.push(message);
  }

  has(...kinds: readonly Message['kind'][]): boolean {
    return this.messages.some(({ kind }) => kinds.includes(kind));
  }

  /** Removes and returns all messages of these kinds, in the order of arrival. */
  take<Kind extends Message['kind']>(...kinds: readonly Kind[]): Extract<Message, { readonly kind: Kind }>[] {
    const isWanted = (message: Message): message is Extract<Message, { readonly kind: Kind }> =>
      kinds.some((kind) => kind === message.kind);
    const taken = this.messages.filter(isWanted);
    this.messages = this.messages.filter((message) => !isWanted(message));
    return taken;
  }
}
