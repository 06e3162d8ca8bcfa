import { html } from '../html.ts';
import { inLanguage } from '../language.ts';
import { SafeUrl } from '../safe-url.ts';
import { layout } from '../frame/layout.ts';
import { phrase } from '../frame/phrase.ts';
import { symbol } from '../frame/symbol.ts';
import { durationText } from '../time-text.ts';
import type { ErrorPageView } from './view.ts';
import { wordsIn } from './words.ts';

/** Returns a whole HTML document for an error of the payers' pages. Send it with `errorPageStatus[view.kind]`. */
export function renderErrorPage(view: ErrorPageView): string {
  const { language, retryAfterSeconds, retryPath, requestId } = view;
  const words = wordsIn(language);
  const { title, text } = words.errors[view.kind];
  const wait =
    retryAfterSeconds !== null &&
    phrase(words.waitSeconds, { time: html`${durationText(retryAfterSeconds, language)}` });
  const retry = retryPath !== null && SafeUrl.localPath(inLanguage(retryPath, language));
  return layout({
    title,
    language,
    pagePath: view.pagePath,
    test: false,
    state: 'error',
    refreshSeconds: null,
    main: html`<article>
      ${symbol('cross', view.kind === 'internal_error' ? 'bad' : 'calm')}
      <h1>${title}</h1>
      <p>${text} ${wait}</p>
      ${retry && html`<p class="return"><a class="button" href="${retry}">${words.tryAgain}</a></p>`}
      ${requestId !== null && html`<p class="note">${words.requestId}: <code>${requestId}</code></p>`}
    </article>`,
  });
}
