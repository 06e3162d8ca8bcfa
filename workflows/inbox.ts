/**
 * What a run was told and has not taken up yet. Message handlers only put; the workflow's loop alone takes, at the step that acts on the message.
 * So nothing changes behind the loop's back, and `renewWhenLong` sees whether a message would be lost.
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

  /** Takes all messages of these kinds, in the order in which they came. */
  take<Kind extends Message['kind']>(...kinds: readonly Kind[]): Extract<Message, { readonly kind: Kind }>[] {
    const isWanted = (message: Message): message is Extract<Message, { readonly kind: Kind }> =>
      kinds.some((kind) => kind === message.kind);
    const taken = this.messages.filter(isWanted);
    this.messages = this.messages.filter((message) => !isWanted(message));
    return taken;
  }
}
