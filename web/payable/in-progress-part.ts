import { phrase } from '../frame/phrase.ts';
import { frameWordsIn } from '../frame/words.ts';
import { html, type Html } from '../html.ts';
import { inLanguage } from '../language.ts';
import { moneyPart } from '../money-text.ts';
import { SafeUrl } from '../safe-url.ts';
import { deadlineText } from '../time-text.ts';
import type { PayableView, InProgress } from './view.ts';
import { payableWordsIn } from './words.ts';

/** Renders a payment in progress. The link to it comes before the forms for a new one. */
export function inProgressPart(view: PayableView, { checkoutPath, amountMinor, since }: InProgress): Html {
  const { language, now, timeZone, invoice } = view;
  const words = payableWordsIn(language);
  const frame = frameWordsIn(language);
  const goOn = SafeUrl.localPath(inLanguage(checkoutPath, language));
  const again = SafeUrl.localPath(inLanguage(view.pagePath, language));
  const amount = html`<b>${moneyPart({ amountMinor, currency: invoice.currency }, language)}</b>`;
  const time = html`<time datetime="${since.toISOString()}">${deadlineText(since, now, language, timeZone)}</time>`;
  return html`<p class="notice">${phrase(words.inProgress, { amount, time })}</p>
    <p class="return"><a class="button" href="${goOn}">${words.goOn}</a></p>
    <p class="note">${frame.updatesItself} <a href="${again}">${frame.checkAgain}</a></p>`;
}
