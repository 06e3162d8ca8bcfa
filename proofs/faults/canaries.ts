import { followText } from './follow-lines.ts';

/** Something that must never be written where people and programs read along. */
export interface Canary {
  readonly name: string;
  readonly text: string;
}

export interface Text {
  readonly place: string;
  readonly text: string;
}

export interface CanarySearch {
  /** Looks through what the logs gained since the last call, and through the given texts. */
  search(texts: readonly Text[]): Promise<{ searched: number; found: { name: string; seenIn: string[] }[] }>;
}

/** Secrets are looked for as they are and as base64 begins to write them; a payload in a history is encoded so. */
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

/** A history's payloads are base64 in its JSON: what they say is put behind it. */
function decoded({ place, text }: Text): Text {
  const payloads = [...text.matchAll(/"data": ?"([A-Za-z0-9+/=]+)"/g)].map(([, data = '']) =>
    Buffer.from(data, 'base64').toString('utf8'),
  );
  return { place, text: [text, ...payloads].join('\n') };
}
