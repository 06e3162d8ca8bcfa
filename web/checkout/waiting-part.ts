import { html, type Html } from '../html.ts';
import { inLanguage } from '../language.ts';
import { SafeUrl } from '../safe-url.ts';
import { facts } from '../frame/facts.ts';
import { frameWordsIn } from '../frame/words.ts';
import { moneyPart } from '../money-text.ts';
import { gatewayText } from './gateway-text.ts';
import { otherWays } from './open-part.ts';
import { phrase } from '../frame/phrase.ts';
import { symbol } from '../frame/symbol.ts';
import type { CheckoutView } from './view.ts';
import { wordsIn } from './words.ts';

/** Renders a page that waits for an answer, without promising one. */
export function waitingPart(
  view: CheckoutView,
  notice: 'opening' | 'confirming' | 'unpaid' | 'cancelling' | 'searching' | 'review',
): Html {
  const words = wordsIn(view.language);
  const frame = frameWordsIn(view.language);
  const { title, text } = words.states[notice];
  const again = SafeUrl.localPath(inLanguage(view.pagePath, view.language));
  return html` ${symbol(notice === 'review' ? 'look' : 'wait', 'calm')}
    <h1>${title}</h1>
    <p>${phrase(text, { app: view.appName, gateway: gatewayText(view) })}</p>
    ${facts([
      { label: words.merchant, value: view.appName },
      { label: words.amount, value: moneyPart(view, view.language) },
      { label: words.product, value: view.productName },
      { label: words.reference, value: view.reference, code: true },
    ])}
    ${view.state.kind === 'opening' && otherWays(view, view.state.otherWaysPath)}
    <p class="note">${frame.updatesItself} <a href="${again}">${frame.checkAgain}</a></p>`;
}
