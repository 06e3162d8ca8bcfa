import { payableAssets } from '../assets.ts';
import { layout } from '../frame/layout.ts';
import { waitingRefreshSeconds } from '../frame/refresh.ts';
import { html, type Html } from '../html.ts';
import { SafeUrl } from '../safe-url.ts';
import { companyPart } from './company-part.ts';
import { linesPart } from './lines-part.ts';
import { payPart } from './pay-part.ts';
import { paymentsPart } from './payments-part.ts';
import { schedulePart } from './schedule-part.ts';
import type { PayableView } from './view.ts';
import { payableWordsIn } from './words.ts';

/** The shortest refresh interval while a payer without script may be typing an amount. */
const TYPING_REFRESH_SECONDS_MIN = 60;

/**
 * Returns the page of an invoice as a whole HTML document.
 * @throws Error when one of the view's own paths is not a local path.
 */
export function renderPayablePage(view: PayableView): string {
  const { language, branding, invoice } = view;
  return layout({
    title: `${payableWordsIn(language).title.replace('#number', () => invoice.number)} · ${branding.companyName}`,
    language,
    pagePath: view.pagePath,
    test: view.mode === 'TEST',
    state: `${invoice.status.toLowerCase()}${view.inProgress === null ? '' : '_in_progress'}`,
    refreshSeconds: refreshAfterSeconds(view),
    looks: [payableAssets.stylesheet, SafeUrl.localPath(`${view.pagePath}/brand.css`)],
    main: html`<article class="pay">${payPart(view)}</article>
      ${details(view)}`,
  });
}

function details(view: PayableView): Html {
  return html`<article class="details">
    ${linesPart(view)} ${schedulePart(view)} ${paymentsPart(view)} ${companyPart(view)}
  </article>`;
}

/** Returns the refresh interval while a payment is in progress. A page that shows a problem does not refresh, because the payer is reading it. */
function refreshAfterSeconds({ inProgress, paying, now }: PayableView): number | null {
  const problem = paying?.problem ?? null;
  const every =
    inProgress === null || problem !== null ? null : waitingRefreshSeconds({ since: inProgress.since, now });
  const typing = (paying?.anyAmount ?? null) !== null;
  return every === null ? null : Math.max(every, typing ? TYPING_REFRESH_SECONDS_MIN : 0);
}
