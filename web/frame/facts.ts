import { html, type Html } from '../html.ts';

/** A row of a list of facts; rows without a value are omitted. `code` is for references, which people copy and compare. */
export type Fact = { label: string; value: string | Html | null; code?: boolean };

/** Renders facts as a description list. */
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
