import { type Asset, assetUrl, pageAssets } from '../assets.ts';
import { html, type Html } from '../html.ts';
import { inLanguage, type Language, languages } from '../language.ts';
import { SafeUrl } from '../safe-url.ts';
import { frameWordsIn } from './words.ts';

/** Renders the layout that every page shares: head, TEST ribbon, language switch, main, footer. */
export function layout({
  title,
  language,
  pagePath,
  test,
  state,
  refreshSeconds,
  looks = [],
  oneLanguage = false,
  main,
}: {
  title: string;
  language: Language;
  pagePath: string;
  test: boolean;
  /** The machine-readable state. The script compares it with that of a fresh copy of the page. */
  state: string;
  refreshSeconds: number | null;
  /** Further stylesheets. A path belongs to the page itself and has no integrity value. */
  looks?: readonly (Asset | SafeUrl)[];
  /** Whether the page exists in one language only. */
  oneLanguage?: boolean;
  main: Html;
}): string {
  const words = frameWordsIn(language);
  const { stylesheet, script, icon } = pageAssets;
  const document = html`<!doctype html>
    <html lang="${language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="format-detection" content="telephone=no" />
        <title>${title}</title>
        <link rel="icon" href="${assetUrl(icon)}" />
        <link rel="stylesheet" href="${assetUrl(stylesheet)}" integrity="${stylesheet.integrity}" />
        ${looks.map(lookOf)}
        <script defer src="${assetUrl(script)}" integrity="${script.integrity}"></script>
        ${refreshSeconds !== null && html`<noscript><meta http-equiv="refresh" content="${refreshSeconds}" /></noscript>`}
      </head>
      <body data-state="${state}" data-refresh="${refreshSeconds ?? ''}">
        <a class="skip" href="#main">${words.skipToContent}</a>
        <header>
          ${test && html`<p class="test">${words.testMode}</p>`}
          ${!oneLanguage && html`<nav>${languageSwitch(language, pagePath)}</nav>`}
        </header>
        <main id="main">${main}</main>
        <footer><p>${words.operatedBy}</p></footer>
      </body>
    </html> `;
  return document.toString();
}

function lookOf(look: Asset | SafeUrl): Html {
  return look instanceof SafeUrl
    ? html`<link rel="stylesheet" href="${look}" />`
    : html`<link rel="stylesheet" href="${assetUrl(look)}" integrity="${look.integrity}" />`;
}

function languageSwitch(current: Language, pagePath: string): Html[] {
  return languages
    .filter((language) => language !== current)
    .map((language) => {
      const url = SafeUrl.localPath(inLanguage(pagePath, language));
      return html`<a href="${url}" lang="${language}" hreflang="${language}"
        >${frameWordsIn(language).languageName}</a
      >`;
    });
}
