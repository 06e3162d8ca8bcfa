import { html, type Html } from '../html.ts';
import { inLanguage } from '../language.ts';
import { SafeUrl } from '../safe-url.ts';
import { facts } from '../frame/facts.ts';
import { frameWordsIn } from '../frame/words.ts';
import { phrase } from '../frame/phrase.ts';
import { symbol } from '../frame/symbol.ts';
import { moneyPart } from '../money-text.ts';
import { visibleText } from '../visible-text.ts';
import { cancellation, deadline, otherWays, whatFor } from './open-part.ts';
import type { CheckoutState, CheckoutView, SubmissionProblem } from './view.ts';
import type { Words } from './word-list.ts';
import { wordsIn } from './words.ts';

type ManualState = Extract<CheckoutState, { kind: 'manual' }>;
type SubmittedState = Extract<CheckoutState, { kind: 'submitted' }>;

/** Renders the instructions for paying without a gateway, and the form in which the payer reports the transaction. */
export function manualPart(view: CheckoutView, state: ManualState): Html {
  const words = wordsIn(view.language);
  const { rejected, instructions } = state;
  return html` ${whatFor(view, words)}
    ${
      rejected !== null &&
      html`<p class="notice" role="status">
        ${phrase(words.rejected, { number: visibleText(rejected.transaction), reason: visibleText(rejected.reason) })}
      </p>`
    }
    <h2><bdi>${instructions.label}</bdi></h2>
    <p class="instructions" dir="auto">${instructions.text}</p>
    <p class="code">${words.codeToWrite} <code>${state.code}</code></p>
    <p class="note">${words.manualNote}</p>
    <h2>${words.tellUs}</h2>
    ${submission(view, words, { action: state.submitAction, problem: state.problem })} ${deadline(view, state, words)}
    ${otherWays(view, state.otherWaysPath)} ${facts([{ label: words.reference, value: view.reference, code: true }])}
    ${cancellation(view, state, words)}`;
}

/** Renders the state after the payer's report. The payer can correct it until an operator has begun to check. */
export function submittedPart(view: CheckoutView, state: SubmittedState): Html {
  const words = wordsIn(view.language);
  const frame = frameWordsIn(view.language);
  const { title, text } = words.states.submitted;
  const again = SafeUrl.localPath(inLanguage(view.pagePath, view.language));
  const { correctAction: action, problem } = state;
  return html` ${symbol('look', 'calm')}
    <h1>${title}</h1>
    <p>${phrase(text, { app: view.appName })}</p>
    ${facts([
      { label: words.merchant, value: view.appName },
      { label: words.amount, value: moneyPart(view, view.language) },
      { label: words.transaction, value: visibleText(state.transaction), code: true },
      { label: words.product, value: view.productName },
      { label: words.reference, value: view.reference, code: true },
    ])}
    <p class="note">${frame.updatesItself} <a href="${again}">${frame.checkAgain}</a></p>
    ${
      action !== null &&
      (problem === null
        ? html`<details>
            <summary>${words.correct}</summary>
            ${submission(view, words, { action, problem })}
          </details>`
        : html`<h2>${words.correct}</h2>
            ${submission(view, words, { action, problem })}`)
    }`;
}

interface Submission {
  readonly action: string;
  readonly problem: SubmissionProblem | null;
}

type Field = 'transaction' | 'sender';

const FIELD_OF = {
  transaction: 'transaction',
  'transaction-characters': 'transaction',
  sender: 'sender',
} as const satisfies Record<SubmissionProblem, Field>;

function submission(view: CheckoutView, words: Words, { action, problem }: Submission): Html {
  const toSubmit = SafeUrl.localPath(inLanguage(action, view.language));
  const field = problem === null ? null : FIELD_OF[problem];
  const invalid = (name: Field): Html | false =>
    problem !== null &&
    field === name &&
    html`<p class="notice" role="alert" id="problem">${words.problems[problem]}</p>`;
  const transaction = html`<small>${words.transactionHint}</small>`;
  const sender = html`<small>${words.senderHint}</small>`;
  return html`<form method="post" action="${toSubmit}">
    ${invalid('transaction')}
    <label
      >${words.transaction} ${transaction}
      ${
        field === 'transaction'
          ? html`<input
              name="transaction"
              required
              minlength="4"
              maxlength="64"
              autocomplete="off"
              autocapitalize="characters"
              spellcheck="false"
              aria-invalid="true"
              aria-describedby="problem"
            />`
          : html`<input
              name="transaction"
              required
              minlength="4"
              maxlength="64"
              autocomplete="off"
              autocapitalize="characters"
              spellcheck="false"
            />`
      }
    </label>
    ${invalid('sender')}
    <label
      >${words.sender} ${sender}
      <input name="sender" maxlength="120" autocomplete="off" />
    </label>
    <button>${words.submit}</button>
  </form>`;
}
