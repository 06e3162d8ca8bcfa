import { type Fact, facts } from '../frame/facts.ts';
import { phrase } from '../frame/phrase.ts';
import { symbol, type symbols, type Tone } from '../frame/symbol.ts';
import { html, type Html } from '../html.ts';
import { moneyPart } from '../money-text.ts';
import { momentText } from '../time-text.ts';
import { returnLink } from './return-link.ts';
import type { CheckoutState, CheckoutView, UnappliedMoney } from './view.ts';
import type { Notice } from './word-list.ts';
import { wordsIn } from './words.ts';

type UnappliedState = Extract<CheckoutState, { kind: 'unapplied' }>;

/** What still needs action is shown first. */
const FIRST = ['held', 'refunding', 'kept', 'refunded'] as const;

const signs = {
  held: ['look', 'calm'],
  refunding: ['back', 'calm'],
  refunded: ['back', 'good'],
  kept: ['done', 'good'],
} as const satisfies Record<UnappliedMoney['status'], readonly [keyof typeof symbols, Tone]>;

function mostUrgent({ money }: UnappliedState): UnappliedMoney['status'] {
  return FIRST.find((status) => money.some((one) => one.status === status)) ?? money[0].status;
}

export function unappliedNotice({ language }: CheckoutView, state: UnappliedState): Notice {
  return wordsIn(language).unapplied[mostUrgent(state)];
}

/** Renders unapplied payments of a payment that had ended unpaid, and what happens to them. Never asks the payer to pay again. */
export function unappliedPart(view: CheckoutView, state: UnappliedState): Html {
  const words = wordsIn(view.language);
  const { title, text } = unappliedNotice(view, state);
  const [name, tone] = signs[mostUrgent(state)];
  const sums = state.money.flatMap(({ status, receivedAt, ...sum }): Fact[] => [
    { label: words.unappliedSum[status], value: moneyPart(sum, view.language) },
    { label: words.receivedAt, value: momentText(receivedAt, view.language, view.timeZone) },
  ]);
  return html` ${symbol(name, tone)}
    <h1>${title}</h1>
    <p>${phrase(text, { app: view.appName, reference: html`<code>${view.reference}</code>` })}</p>
    ${returnLink(view, words)}
    ${facts([
      { label: words.merchant, value: view.appName },
      { label: words.product, value: view.productName },
      ...sums,
      { label: words.reference, value: view.reference, code: true },
    ])}`;
}

/** Renders money that is not part of a successful payment, next to its outcome. */
export function beyondPart({ appName, language }: CheckoutView, { status, ...sum }: UnappliedMoney): Html {
  const text = wordsIn(language).beyond[status];
  return html`<p class="notice" role="status">${phrase(text, { app: appName, amount: moneyPart(sum, language) })}</p>`;
}
