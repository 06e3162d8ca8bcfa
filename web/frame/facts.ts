import { html, type Html } from '../html.ts';

/** Rows of a list of facts; a row without a value is left out. `code` is for references, which are copied and compared. */
export type Fact = { label: string; value: string | Html | null; code?: boolean };

/** The facts of a payment as a description list. */
export function facts(rows: readonly Fact[]): Html {
  const shown = rows.filter(({ value }) => value !== null);
  return html`<dl>
    ${shown.map(
      ({ label, value, code = false }) =>
        html`<div>
          <dt>${label}</dt>
          <dd>${code ? html`<code>${value}</code>` : html`<bdi>${value}</bdi>`}</dd>
        </div>`,
    )}
  </dl>`;
}
