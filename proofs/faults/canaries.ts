import { followText } from './follow-lines.ts';

/** A secret or personal text that must never appear in logs or histories. */
export interface Canary {
  readonly name: string;
  readonly text: string;
}

export interface Text {
  readonly place: string;
  readonly text: string;
}

export interface CanarySearch {
  /** Searches the additions to the logs since the last call and the given texts. */
  search(texts: readonly Text[]): Promise<{ searched: number; found: { name: string; seenIn: string[] }[] }>;
}

/** Searches for secrets in plain text and in the form in which their base64 begins, because payloads in a history are encoded so. */
export function searchFor(canaries: readonly Canary[], logs: readonly { place: string; file: string }[]): CanarySearch {
  const followed = logs.map(({ place, file }) => ({ place, added: followText(file) }));
  return {
    async search(texts) {
      const added = await Promise.all(followed.map(async (log) => ({ place: log.place, text: await log.added() })));
      const all = [...added, ...texts.map(decoded)].filter(({ text }) => text !== '');
      const found = canaries.map(({ name, text: canary }) => ({
        name,
        seenIn: all.filter(({ text }) => text.includes(canary)).map(({ place }) => place),
      }));
      return { searched: all.length, found: found.filter(({ seenIn }) => seenIn.length > 0) };
    },
  };
}

/** Appends the decoded payloads, because a history's JSON contains them in base64. */
function decoded({ place, text }: Text): Text {
  const payloads = [...text.matchAll(/"data": ?"([A-Za-z0-9+/=]+)"/g)].map(([, data = '']) =>
    Buffer.from(data, 'base64').toString('utf8'),
  );
  return { place, text: [text, ...payloads].join('\n') };
}
