import { html, type Html } from '../html.ts';
import { layout } from '../frame/layout.ts';
import { moneyText } from '../money-text.ts';
import { choosingPart, openPart } from './open-part.ts';
import { manualPart, submittedPart } from './manual-part.ts';
import { outcomePart } from './outcome-part.ts';
import { unappliedNotice, unappliedPart } from './unapplied-part.ts';
import { refreshAfterSeconds } from './refresh.ts';
import type { CheckoutView } from './view.ts';
import { waitingPart } from './waiting-part.ts';
import { wordsIn } from './words.ts';

/**
 * Returns the checkout page of a payment as a whole HTML document.
 * @throws Error when one of the view's own paths is not a local path.
 */
export function renderCheckoutPage(view: CheckoutView): string {
  const { title, body } = partOf(view);
  return layout({
    title: `${title} · ${view.appName}`,
    language: view.language,
    pagePath: view.pagePath,
    test: view.mode === 'TEST',
    state: view.state.kind,
    refreshSeconds: refreshAfterSeconds(view.state, view.now),
    main: html`<article>${body}</article>`,
  });
}

const NOTICE_OF = { payment: 'confirming', unpaid: 'unpaid', cancellation: 'cancelling', late: 'searching' } as const;

function partOf(view: CheckoutView): { title: string; body: Html } {
  const { state } = view;
  const { states } = wordsIn(view.language);
  switch (state.kind) {
    case 'open':
      return { title: moneyText(view, view.language), body: openPart(view, state) };
    case 'choosing':
      return { title: moneyText(view, view.language), body: choosingPart(view, state) };
    case 'manual':
      return { title: moneyText(view, view.language), body: manualPart(view, state) };
    case 'submitted':
      return { title: states.submitted.title, body: submittedPart(view, state) };
    case 'opening':
    case 'review':
      return { title: states[state.kind].title, body: waitingPart(view, state.kind) };
    case 'confirming': {
      const notice = NOTICE_OF[state.cause];
      return { title: states[notice].title, body: waitingPart(view, notice) };
    }
    case 'unapplied':
      return { title: unappliedNotice(view, state).title, body: unappliedPart(view, state) };
    default:
      return { title: states[state.kind].title, body: outcomePart(view, state) };
  }
}
