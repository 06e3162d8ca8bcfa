import { html, type Html } from '../html.ts';

/** Names and texts that a phrase speaks of. */
export type PhraseParts = { app?: string; gateway?: string; time?: string | Html };

/** Puts names into a phrase. Each stands isolated, so that a name with right-to-left marks cannot turn our words round. */
export function phrase(text: string, parts: PhraseParts): Html {
  const pieces = text.split(/(#app|#gateway|#time)/).map((piece) => {
    switch (piece) {
      case '#app':
        return html`<bdi>${parts.app ?? ''}</bdi>`;
      case '#gateway':
        return html`<bdi>${parts.gateway ?? ''}</bdi>`;
      case '#time':
        return parts.time ?? '';
      default:
        return piece;
    }
  });
  return html`${pieces}`;
}
