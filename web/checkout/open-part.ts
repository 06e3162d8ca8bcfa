import { html, type Html } from '../html.ts';
import { inLanguage } from '../language.ts';
import { SafeUrl } from '../safe-url.ts';
import { facts } from '../frame/facts.ts';
import { frameWordsIn } from '../frame/words.ts';
import { moneyPart } from '../money-text.ts';
import { gatewayText } from './gateway-text.ts';
import { phrase } from '../frame/phrase.ts';
import { secondsLeft } from './refresh.ts';
import { deadlineText, durationText } from '../time-text.ts';
import type { CheckoutState, CheckoutView } from './view.ts';
import type { Words } from './word-list.ts';
import { wordsIn } from './words.ts';

type OpenState = Extract<CheckoutState, { kind: 'open' }>;
type ChoosingState = Extract<CheckoutState, { kind: 'choosing' }>;
/** The states in which the payer can still decide. */
type Payable = { readonly expiresAt: Date; readonly cancelAction: string };

/** Renders what the payer decides on: the merchant, the amount, the product, the deadline; and the buttons to continue or cancel. */
export function openPart(view: CheckoutView, state: OpenState): Html {
  const words = wordsIn(view.language);
  const toPay = SafeUrl.localPath(inLanguage(state.continueAction, view.language));
  return html` ${whatFor(view, words)} ${state.returnedUnpaid && beenThere(view, words)}
    <form method="post" action="${toPay}"><button>${words.continue}</button></form>
    ${deadline(view, state, words)}
    <p class="note">${phrase(words.continueNote, { gateway: gatewayText(view) })}</p>
    ${otherWays(view, state.otherWaysPath)} ${facts([{ label: words.reference, value: view.reference, code: true }])}
    ${cancellation(view, state, words)}`;
}

/** Renders a notice for a payer who has been at a gateway and may have paid. */
function beenThere({ language, pagePath }: CheckoutView, words: Words): Html {
  const again = SafeUrl.localPath(inLanguage(pagePath, language));
  return html`<p class="notice">
    ${words.returnedUnpaid} <a href="${again}">${frameWordsIn(language).checkAgain}</a>
  </p>`;
}

/** Renders a button for each gateway: one press is enough and no script is needed. */
export function choosingPart(view: CheckoutView, state: ChoosingState): Html {
  const words = wordsIn(view.language);
  const toChoose = SafeUrl.localPath(inLanguage(state.chooseAction, view.language));
  return html` ${whatFor(view, words)} ${state.triedUnpaid === true && html`<p class="notice">${words.nothingPaid}</p>`}
    ${state.ledOn === true && beenThere(view, words)}
    <h2>${words.chooseHow}</h2>
    <form method="post" action="${toChoose}" class="ways">
      ${state.options.map(({ name, label }) => html`<button name="gateway" value="${name}"><bdi>${label}</bdi></button>`)}
    </form>
    ${deadline(view, state, words)}
    <p class="note">${words.chooseNote}</p>
    ${facts([{ label: words.reference, value: view.reference, code: true }])} ${cancellation(view, state, words)}`;
}

/** Renders the link to the other gateways, if there are any. */
export function otherWays(view: CheckoutView, path: string | null | undefined): Html | false {
  const words = wordsIn(view.language);
  return (
    typeof path === 'string' &&
    html`<p><a href="${SafeUrl.localPath(inLanguage(path, view.language))}">${words.otherWays}</a></p>`
  );
}

export function whatFor(view: CheckoutView, words: Words): Html {
  return html`<h1><small>${words.payTo}</small> <bdi>${view.appName}</bdi></h1>
    <p class="amount"><span class="hidden">${words.amount} </span>${moneyPart(view, view.language)}</p>
    ${view.productName !== null && html`<p class="product"><bdi>${view.productName}</bdi></p>`}`;
}

export function deadline(view: CheckoutView, state: Payable, words: Words): Html {
  const { language } = view;
  const left = secondsLeft(state.expiresAt, view.now);
  const until = html`<time datetime="${state.expiresAt.toISOString()}"
    >${deadlineText(state.expiresAt, view.now, language, view.timeZone)}</time
  >`;
  const timeLeft = phrase(words.timeLeft, { time: html`${durationText(left, language)}` });
  return html`<p class="deadline">
    ${phrase(words.payUntil, { time: until })}
    <span class="left" data-left="${left}" data-words="${words.timeLeft}">${timeLeft}</span>
  </p>`;
}

/** Renders the cancellation in two steps without a second page: the button is hidden until the payer asks for it. */
export function cancellation(view: CheckoutView, state: Payable, words: Words): Html {
  const toCancel = SafeUrl.localPath(inLanguage(state.cancelAction, view.language));
  return html`<details>
    <summary>${words.cancel}</summary>
    <p>${words.cancelQuestion}</p>
    <form method="post" action="${toCancel}"><button class="danger">${words.cancelConfirm}</button></form>
  </details>`;
}
