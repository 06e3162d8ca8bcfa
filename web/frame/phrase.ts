import { html, type Html } from '../html.ts';

/** The values of a phrase's placeholders. */
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
 * Puts values into a phrase. Strings are isolated, so that right-to-left characters in a name cannot reorder the sentence; markup stays unchanged.
 */
export function phrase(text: string, parts: PhraseParts): Html {
  const pieces = text.split(placeholder).map((piece) => {
    const name = names.find((known) => piece === `#${known}`);
    const part = name === undefined ? piece : (parts[name] ?? '');
    return name === undefined || typeof part !== 'string' ? part : html`<bdi>${part}</bdi>`;
  });
  return html`${pieces}`;
}
