import { html, type Html } from '../html.ts';
import { inLanguage } from '../language.ts';
import { SafeUrl } from '../safe-url.ts';
import { facts } from './facts.ts';
import { moneyText } from './money-text.ts';
import { phrase } from './phrase.ts';
import { secondsLeft } from './refresh.ts';
import { deadlineText, durationText } from './time-text.ts';
import type { CheckoutState, CheckoutView } from './view.ts';
import type { Words } from './word-list.ts';
import { wordsIn } from './words.ts';

type OpenState = Extract<CheckoutState, { kind: 'open' }>;

/** What the payer decides on: whom, how much, what for, until when; go on, or cancel. */
export function openPart(view: CheckoutView, state: OpenState): Html {
  const words = wordsIn(view.language);
  const toPay = SafeUrl.localPath(inLanguage(state.continueAction, view.language));
  const again = SafeUrl.localPath(inLanguage(view.pagePath, view.language));
  return html` <h1><small>${words.payTo}</small> <bdi>${view.appName}</bdi></h1>
    <p class="amount"><span class="hidden">${words.amount} </span>${moneyText(view, view.language)}</p>
    ${view.productName !== null && html`<p class="product"><bdi>${view.productName}</bdi></p>`}
    ${state.returnedUnpaid && html`<p class="notice">${words.returnedUnpaid} <a href="${again}">${words.checkAgain}</a></p>`}
    <form method="post" action="${toPay}"><button>${words.continue}</button></form>
    ${deadline(view, state, words)}
    <p class="note">${phrase(words.continueNote, { gateway: view.gatewayName })}</p>
    ${facts([{ label: words.reference, value: view.reference, code: true }])} ${cancellation(view, state, words)}`;
}

function deadline(view: CheckoutView, state: OpenState, words: Words): Html {
  const { language } = view;
  const left = secondsLeft(state.expiresAt, view.now);
  const until = html`<time datetime="${state.expiresAt.toISOString()}"
    >${deadlineText(state.expiresAt, view.now, language, view.timeZone)}</time
  >`;
  const timeLeft = phrase(words.timeLeft, { time: durationText(left, language) });
  return html`<p class="deadline">
    ${phrase(words.payUntil, { time: until })}
    <span class="left" data-left="${left}" data-words="${words.timeLeft}">${timeLeft}</span>
  </p>`;
}

/** Two steps without a second page: the button that cancels is out of sight until asked for. */
function cancellation(view: CheckoutView, state: OpenState, words: Words): Html {
  const toCancel = SafeUrl.localPath(inLanguage(state.cancelAction, view.language));
  return html`<details>
    <summary>${words.cancel}</summary>
    <p>${words.cancelQuestion}</p>
    <form method="post" action="${toCancel}"><button class="danger">${words.cancelConfirm}</button></form>
  </details>`;
}
