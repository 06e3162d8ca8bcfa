import { documentWordsIn } from '../documents/words.ts';
import { html, type Html } from '../html.ts';
import { amountPart, currencySign } from '../money-text.ts';
import { momentText } from '../time-text.ts';
import { tableClass } from './table-class.ts';
import type { PayableView, FinalizedPayment } from './view.ts';
import { payableWordsIn } from './words.ts';

/** Renders the successful payments, without their payers. */
export function paymentsPart(view: PayableView): Html | null {
  const { language, invoice } = view;
  const words = documentWordsIn(language);
  if (invoice.payments.length === 0) {
    return null;
  }
  return html`<section>
    <h2>${payableWordsIn(language).payments}</h2>
    <table class="${tableClass(invoice)}">
      <thead>
        <tr>
          <th scope="col">${words.paidAt}</th>
          <th scope="col">${words.amount} (${currencySign(invoice.currency, language)})</th>
        </tr>
      </thead>
      <tbody>
        ${invoice.payments.map((payment) => paymentRow(payment, view))}
      </tbody>
    </table>
  </section>`;
}

function paymentRow(payment: FinalizedPayment, { language, timeZone, invoice }: PayableView): Html {
  const { paidAt, amountMinor, refundedMinor, gatewayName, gatewayTransactionId } = payment;
  const amount = (minor: bigint): Html => amountPart({ amountMinor: minor, currency: invoice.currency }, language);
  const gateway = html`<bdi>${gatewayName}</bdi>`;
  const transaction = gatewayTransactionId !== null && html` · <code>${gatewayTransactionId}</code>`;
  return html`<tr>
    <td>
      <time datetime="${paidAt.toISOString()}">${momentText(paidAt, language, timeZone)}</time>
      <small>${gateway}${transaction}</small>
    </td>
    <td>
      ${amount(amountMinor)}
      ${refundedMinor > 0n && html`<small>${documentWordsIn(language).refunded} <span class="money">−${amount(refundedMinor)}</span></small>`}
    </td>
  </tr>`;
}
