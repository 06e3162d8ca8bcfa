import { phrase } from '../frame/phrase.ts';
import { html, type Html } from '../html.ts';
import { SafeUrl } from '../safe-url.ts';
import type { CheckoutView } from './view.ts';
import type { Words } from './word-list.ts';

/** Renders the link to the shop, even if the browser is redirected a moment later: the payer sees the outcome and the host first. */
export function returnLink(view: CheckoutView, words: Words): Html | null {
  const url = view.returnUrl === null ? null : SafeUrl.externalUrl(view.returnUrl);
  if (url === null) {
    return null;
  }
  const label = phrase(words.backToApp, { app: view.appName });
  return html`<p class="return">
    <a class="button" href="${url}" rel="noreferrer"
      >${label} <small><bdi>${url.host}</bdi></small></a
    >
  </p>`;
}
