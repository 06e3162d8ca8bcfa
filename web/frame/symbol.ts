import { html, type Html } from '../html.ts';

/** The drawings next to headings. They repeat the text, so they have no text alternative. */
export const symbols = {
  wait: html`<path class="spin" d="M12 3a9 9 0 1 1-9 9" />`,
  look: html`<circle cx="11" cy="11" r="6" /><path d="m16 16 4 4" />`,
  done: html`<path d="m5 13 4.5 4.5L19 7.5" />`,
  cross: html`<path d="m7 7 10 10M17 7 7 17" />`,
  clock: html`<circle cx="12" cy="12" r="8.5" /><path d="M12 7v5.5l3.5 2" />`,
  back: html`<path d="M8 5 4 9l4 4M4 9h10a5 5 0 0 1 0 10h-4" />`,
};

/** Tones of the stylesheet. Colour is never the only sign. */
export type Tone = 'calm' | 'good' | 'bad';

/** Renders a drawing in its round field. */
export function symbol(name: keyof typeof symbols, tone: Tone): Html {
  return html`<svg
    class="symbol ${tone}"
    viewBox="0 0 24 24"
    width="56"
    height="56"
    aria-hidden="true"
    fill="none"
    stroke="currentColor"
    stroke-width="2"
    stroke-linecap="round"
    stroke-linejoin="round"
  >
    ${symbols[name]}
  </svg>`;
}
