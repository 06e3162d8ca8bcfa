import { html, type Html } from '../html.ts';
import { SafeUrl } from '../safe-url.ts';
import { layout } from './layout.ts';
import { moneyText } from './money-text.ts';
import { openPart } from './open-part.ts';
import { outcomePart } from './outcome-part.ts';
import { phrase } from './phrase.ts';
import { refreshAfterSeconds } from './refresh.ts';
import type { CheckoutView } from './view.ts';
import { waitingPart } from './waiting-part.ts';
import { wordsIn } from './words.ts';

/**
 * The checkout page of one payment, as a whole HTML document.
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
    main: html`<article>${body}</article>
      ${returnLink(view)}`,
  });
}

function partOf(view: CheckoutView): { title: string; body: Html } {
  const { state } = view;
  const { states } = wordsIn(view.language);
  switch (state.kind) {
    case 'open':
      return { title: moneyText(view, view.language), body: openPart(view, state) };
    case 'opening':
    case 'review':
      return { title: states[state.kind].title, body: waitingPart(view, state.kind) };
    case 'confirming': {
      const notice = state.cause === 'cancellation' ? 'cancelling' : 'confirming';
      return { title: states[notice].title, body: waitingPart(view, notice) };
    }
    default:
      return { title: states[state.kind].title, body: outcomePart(view, state) };
  }
}

const unfinished = new Set(['opening', 'open', 'confirming', 'review']);

/** A link, not a redirect: the payer sees the outcome first, and reads the host before going there. */
function returnLink(view: CheckoutView): Html | null {
  const url = view.returnUrl === null || unfinished.has(view.state.kind) ? null : SafeUrl.externalUrl(view.returnUrl);
  if (url === null) {
    return null;
  }
  const label = phrase(wordsIn(view.language).backToApp, { app: view.appName });
  return html`<p class="return">
    <a class="button" href="${url}" rel="noreferrer"
      >${label} <small><bdi>${url.host}</bdi></small></a
    >
  </p>`;
}
