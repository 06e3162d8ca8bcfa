import type { InstallmentState } from '../../domain/installments.ts';
import { documentWordsIn } from '../documents/words.ts';
import { phrase } from '../frame/phrase.ts';
import { html, type Html } from '../html.ts';
import { amountPart, currencySign, moneyPart } from '../money-text.ts';
import { dateText } from '../time-text.ts';
import { chip } from './chip.ts';
import { tableClass } from './table-class.ts';
import type { PayableView } from './view.ts';
import { payableWordsIn } from './words.ts';

const BAR_PARTS = 1_000n;

/** Renders the installments with their due dates and states, and the overall progress. */
export function schedulePart(view: PayableView): Html | null {
  const { language, invoice } = view;
  const words = documentWordsIn(language);
  if (invoice.installments.length === 0) {
    return null;
  }
  return html`<section>
    <h2>${words.installments}</h2>
    ${progress(view)}
    <table class="${tableClass(invoice)}">
      <thead>
        <tr>
          <th scope="col">${words.dueDate}</th>
          <th scope="col">${words.amount} (${currencySign(invoice.currency, language)})</th>
        </tr>
      </thead>
      <tbody>
        ${invoice.installments.map((installment) => installmentRow(installment, view))}
      </tbody>
    </table>
  </section>`;
}

function progress({ language, invoice }: PayableView): Html {
  const { currency, paidMinor, totalMinor } = invoice;
  const text = phrase(payableWordsIn(language).paidOf, {
    amount: moneyPart({ amountMinor: paidMinor, currency }, language),
    total: moneyPart({ amountMinor: totalMinor, currency }, language),
  });
  return html`<p class="progress">
    <label for="progress">${text}</label>
    <progress id="progress" max="${BAR_PARTS}" value="${(paidMinor * BAR_PARTS) / totalMinor}"></progress>
  </p>`;
}

function installmentRow({ dueDate, amountMinor, paidMinor, status }: InstallmentState, view: PayableView): Html {
  const { language, invoice } = view;
  const amount = (minor: bigint): Html => amountPart({ amountMinor: minor, currency: invoice.currency }, language);
  // Nothing of a void or expired invoice is open or overdue; the page shows its state above.
  const asksNothing = invoice.status === 'VOID' || invoice.status === 'EXPIRED';
  const partly = paidMinor > 0n && paidMinor < amountMinor;
  return html`<tr>
    <td>
      <time datetime="${dueDate}">${dateText(dueDate, language)}</time>
      ${asksNothing ? status === 'PAID' && chip(status, language) : chip(status, language)}
    </td>
    <td>
      ${amount(amountMinor)} ${partly && html`<small>${documentWordsIn(language).paid} ${amount(paidMinor)}</small>`}
    </td>
  </tr>`;
}
