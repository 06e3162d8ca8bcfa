import { html, type Html } from '../html.ts';

/** Names and texts that a phrase speaks of. */
export type PhraseParts = Partial<Record<(typeof names)[number], string | Html>>;

const names = [
  'app',
  'gateway',
  'time',
  'company',
  'currency',
  'amount',
  'total',
  'date',
  'number',
  'reason',
  'reference',
] as const;
const placeholder = new RegExp(`(#(?:${names.join('|')})\\b)`);

/**
 * Puts names and texts into a phrase. Strings stand isolated, so that a name with right-to-left marks cannot turn our
 * words round; markup of ours stands as it is.
 */
export function phrase(text: string, parts: PhraseParts): Html {
  const pieces = text.split(placeholder).map((piece) => {
    const name = names.find((known) => piece === `#${known}`);
    const part = name === undefined ? piece : (parts[name] ?? '');
    return name === undefined || typeof part !== 'string' ? part : html`<bdi>${part}</bdi>`;
  });
  return html`${pieces}`;
}
