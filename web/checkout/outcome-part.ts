import { html, type Html } from '../html.ts';
import { SafeUrl } from '../safe-url.ts';
import { type Fact, facts } from '../frame/facts.ts';
import { moneyPart } from '../money-text.ts';
import { gatewayText } from './gateway-text.ts';
import { phrase } from '../frame/phrase.ts';
import { symbol, type symbols, type Tone } from '../frame/symbol.ts';
import { momentText } from '../time-text.ts';
import type { CheckoutState, CheckoutView, ReceiptFacts } from './view.ts';
import { returnLink } from './return-link.ts';
import { beyondPart } from './unapplied-part.ts';
import type { Words } from './word-list.ts';
import { wordsIn } from './words.ts';

type OutcomeState = Exclude<
  CheckoutState,
  { kind: 'opening' | 'choosing' | 'open' | 'manual' | 'submitted' | 'confirming' | 'review' | 'unapplied' }
>;

const signs = {
  succeeded: ['done', 'good'],
  failed: ['cross', 'bad'],
  cancelled: ['cross', 'calm'],
  expired: ['clock', 'calm'],
  partially_refunded: ['back', 'good'],
  refunded: ['back', 'good'],
} as const satisfies Record<OutcomeState['kind'], readonly [keyof typeof symbols, Tone]>;

/** Renders how the payment ended. It never shows why a payment failed, because that would help people who test stolen cards. */
export function outcomePart(view: CheckoutView, state: OutcomeState): Html {
  const words = wordsIn(view.language);
  const { title, text } = words.states[state.kind];
  const invoicePaid = 'invoicePaid' in state && state.invoicePaid;
  const [name, tone] = signs[state.kind];
  return html` ${symbol(name, tone)}
    <h1>${title}</h1>
    <p class="amount">${moneyPart(view, view.language)}</p>
    <p>${phrase(invoicePaid ? words.invoicePaid : text, { app: view.appName, gateway: gatewayText(view) })}</p>
    ${
      'searchingSince' in state &&
      state.searchingSince instanceof Date &&
      html`<p class="notice" role="status">${words.searchingBeyond}</p>`
    }
    ${'unapplied' in state && state.unapplied.map((money) => beyondPart(view, money))} ${returnLink(view, words)}
    ${facts([
      { label: words.merchant, value: view.appName },
      { label: words.product, value: view.productName },
      ...endingFacts(view, state, words),
      { label: words.reference, value: view.reference, code: true },
    ])}
    ${'receipt' in state && receiptLink(state.receipt, words)}
    ${'receipt' in state && html`<p class="print"><button type="button" class="quiet" data-print>${words.print}</button></p>`}`;
}

function receiptLink({ receiptPath = null }: ReceiptFacts, words: Words): Html | null {
  if (receiptPath === null) {
    return null;
  }
  return html`<p class="return">
    <a class="button quiet" href="${SafeUrl.localPath(receiptPath)}">${words.downloadReceipt}</a>
  </p>`;
}

function endingFacts(view: CheckoutView, state: OutcomeState, words: Words): Fact[] {
  const moment = (date: Date): string => momentText(date, view.language, view.timeZone);
  if (!('receipt' in state)) {
    return [{ label: words.closedAt, value: moment(state.at) }];
  }
  const { receipt } = state;
  return [
    { label: words.paidAt, value: moment(receipt.paidAt) },
    { label: words.paidThrough, value: view.gatewayName },
    { label: words.receiptNumber, value: receipt.receiptNumber, code: true },
    { label: words.gatewayTransaction, value: receipt.gatewayTransactionId, code: true },
    ...('refundedMinor' in state ? refundFacts(view, state.refundedMinor, words) : []),
  ];
}

function refundFacts(view: CheckoutView, refundedMinor: bigint, words: Words): Fact[] {
  const amount = (amountMinor: bigint): Html => moneyPart({ amountMinor, currency: view.currency }, view.language);
  return [
    { label: words.refunded, value: amount(refundedMinor) },
    { label: words.kept, value: amount(view.amountMinor - refundedMinor) },
  ];
}
