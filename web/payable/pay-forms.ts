import { phrase } from '../frame/phrase.ts';
import { html, type Html } from '../html.ts';
import { inLanguage } from '../language.ts';
import { amountPart, currencySign, moneyPart } from '../money-text.ts';
import { SafeUrl } from '../safe-url.ts';
import { type PayChoice, TYPED_LENGTH_MAX } from './pay-form.ts';
import { AMOUNT_PROBLEMS, type AmountBounds, type PayableView, type Paying, type PayProblem } from './view.ts';
import { payableWordsIn } from './words.ts';

/**
 * Renders a form for each way to pay. While a payment is in progress, the other forms are hidden until the payer asks for them, and none offers the
 * same amount again.
 */
export function payForms(view: PayableView, paying: Paying): Html {
  const { language, inProgress, invoice } = view;
  const words = payableWordsIn(language);
  const shown = [
    inProgress?.amountMinor !== paying.requestedMinor && askedForm(view, paying),
    paying.wholeAtOnce &&
      paying.requestedMinor < invoice.dueMinor &&
      inProgress?.amountMinor !== invoice.dueMinor &&
      restForm(view, paying),
    paying.anyAmount !== null && ownPart(view, { paying, bounds: paying.anyAmount }),
  ].filter((form) => form !== false);
  const problem = paying.problem !== null && !isAboutTyping(paying.problem) && words.problems[paying.problem];
  const notice = problem !== false && html`<p class="notice late">${problem}</p>`;
  if (inProgress === null) {
    return html`${notice} ${shown}
      <p class="note">${words.payNote}</p>`;
  }
  if (shown.length === 0) {
    return html`${notice}`;
  }
  const other = html`<summary>${words.payOther}</summary>
    <p class="note">${words.payOtherNote}</p>
    ${shown}`;
  return html`${notice}
  ${paying.problem === null ? html`<details>${other}</details>` : html`<details open>${other}</details>`}`;
}

function askedForm(view: PayableView, paying: Paying): Html {
  const { language, invoice, inProgress } = view;
  const amount = moneyPart({ ...invoice, amountMinor: paying.requestedMinor }, language);
  const label = phrase(payableWordsIn(language).pay, { amount });
  return payForm(view, {
    paying,
    choice: 'asked',
    expectedMinor: paying.requestedMinor,
    fields: inProgress === null ? html`<button>${label}</button>` : html`<button class="quiet">${label}</button>`,
  });
}

function restForm(view: PayableView, paying: Paying): Html {
  const { language, invoice } = view;
  const amount = moneyPart({ ...invoice, amountMinor: invoice.dueMinor }, language);
  return payForm(view, {
    paying,
    choice: 'rest',
    expectedMinor: invoice.dueMinor,
    fields: html`<button class="quiet">${phrase(payableWordsIn(language).payRest, { amount })}</button>`,
  });
}

interface OwnAmount {
  readonly paying: Paying;
  readonly bounds: AmountBounds;
}

/** Renders the form for an amount of the payer's own. It is collapsed unless the payer uses it, because most payers pay the requested amount. */
function ownPart(view: PayableView, own: OwnAmount): Html {
  const words = payableWordsIn(view.language);
  const form = ownForm(view, own);
  if (view.inProgress !== null) {
    return form;
  }
  const content = html`<summary>${words.payOwn}</summary>
    ${form}`;
  const open = own.paying.typed !== null || isAboutTyping(own.paying.problem);
  return open ? html`<details open>${content}</details>` : html`<details>${content}</details>`;
}

function ownForm(view: PayableView, { paying, bounds }: OwnAmount): Html {
  const { language, invoice } = view;
  const { currency } = invoice;
  const words = payableWordsIn(language);
  const money = (amountMinor: bigint): Html => moneyPart({ amountMinor, currency }, language);
  const wrong = isAboutTyping(paying.problem) ? wrongText(view, { problem: paying.problem, bounds }) : null;
  return payForm(view, {
    paying,
    choice: 'amount',
    expectedMinor: invoice.dueMinor,
    fields: html`<label for="amount">${phrase(words.ownAmount, { currency: currencySign(currency, language) })}</label>
      ${wrong !== null && html`<p class="wrong" id="wrong">${wrong}</p>`}
      <input
        id="amount"
        name="amount"
        inputmode="decimal"
        autocomplete="off"
        enterkeyhint="go"
        required
        maxlength="${TYPED_LENGTH_MAX}"
        value="${paying.typed?.slice(0, TYPED_LENGTH_MAX) ?? ''}"
        aria-invalid="${wrong === null ? 'false' : 'true'}"
        aria-describedby="${wrong === null ? 'range' : 'wrong range'}"
      />
      <p class="range" id="range">
        ${phrase(words.range, { amount: money(bounds.minMinor), total: money(bounds.maxMinor) })}
      </p>
      <button class="quiet">${words.payThis}</button>`,
  });
}

function wrongText(
  { language, invoice }: PayableView,
  { problem, bounds }: { readonly problem: (typeof AMOUNT_PROBLEMS)[number]; readonly bounds: AmountBounds },
): Html {
  const { currency } = invoice;
  const amounts = {
    not_an_amount: amountPart({ amountMinor: bounds.maxMinor, currency }, language),
    too_little: moneyPart({ amountMinor: bounds.minMinor, currency }, language),
    too_much: moneyPart({ amountMinor: bounds.maxMinor, currency }, language),
  };
  return phrase(payableWordsIn(language).problems[problem], { amount: amounts[problem] });
}

function isAboutTyping(problem: PayProblem | null): problem is (typeof AMOUNT_PROBLEMS)[number] {
  return AMOUNT_PROBLEMS.some((known) => known === problem);
}

interface FormParts {
  readonly paying: Paying;
  readonly choice: PayChoice;
  readonly expectedMinor: bigint;
  readonly fields: Html;
}

function payForm({ language }: PayableView, { paying, choice, expectedMinor, fields }: FormParts): Html {
  const action = SafeUrl.localPath(inLanguage(paying.action, language));
  return html`<form method="post" action="${action}">
    <input type="hidden" name="choice" value="${choice}" />
    <input type="hidden" name="expected" value="${expectedMinor}" />
    ${fields}
  </form>`;
}
