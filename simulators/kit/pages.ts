import type { Context } from 'koa';
import { escapeHtml } from './escape-html.ts';

/*
 * What the payers' pages of all gateways have in common. They consist of links and forms only, so that a person on a phone, a browser without JavaScript
 * and an HTTP client that follows forms can all use them.
 */

/** The colours of a gateway's pages, in light and dark. */
export type Palette = Readonly<Record<'light' | 'dark', Colours>>;
type Colours = { ink: string; soft: string; line: string; paper: string; ground: string; main: string; bad: string };

export type Look = { gateway: string; palette: Palette; style?: string };

/** Returns a payer's page. It loads no other files, so its style is inline. */
export function payerPage({ gateway, palette, style = '' }: Look, { title, body }: { title: string; body: string }) {
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} – ${gateway} simulator</title><style>${commonStyle(palette)}${style}</style></head>
<body><p class="simulator"><strong>Simulator.</strong> This is not ${gateway} and no money moves.</p>
<main>${body}</main></body></html>`;
}

export type Notice = { heading: string; text: string; link?: { href: string; text: string } };

/** Returns the content of a final page, which leads nowhere unless a link is given. */
export function noticeCard({ heading, text, link }: Notice): string {
  const leads = link ? `<p><a href="${escapeHtml(link.href)}">${escapeHtml(link.text)}</a></p>` : '';
  return `<div class="card"><h1>${escapeHtml(heading)}</h1><p>${escapeHtml(text)}</p>${leads}</div>`;
}

/** Returns the buttons by which a payer ends a payment without paying, or leaves it. `cancel` is the gateway's own word. */
export function otherEndings(cancel: { value: string; text: string }): string {
  return `<div class="row"><button class="bad" type="submit" name="outcome" value="fail">Fail</button>
<button type="submit" name="outcome" value="${cancel.value}">${cancel.text}</button></div>
<button type="submit" name="outcome" value="leave">Leave without doing anything</button>`;
}

export function problemText(problem: string | undefined): string {
  return problem === undefined ? '' : `<p class="problem" role="alert">${escapeHtml(problem)}</p>`;
}

/** Sets the headers of a payer's page. `scripts`: the page loads a script of ours. */
export function protectPage(ctx: Context, { scripts = false }: { scripts?: boolean } = {}): void {
  const script = scripts ? " script-src 'self';" : '';
  ctx.type = 'html';
  ctx.set({
    'cache-control': 'no-store',
    // No form-action: the answer to the last form leads to the merchant's origin, which can be any.
    'content-security-policy': `default-src 'none'; style-src 'unsafe-inline';${script} base-uri 'none'; frame-ancestors 'none'`,
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  });
}

function variables({ ink, soft, line, paper, ground, main, bad }: Colours): string {
  return `--ink: ${ink}; --soft: ${soft}; --line: ${line}; --paper: ${paper}; --ground: ${ground}; --main: ${main}; --bad: ${bad};`;
}

function commonStyle({ light, dark }: Palette): string {
  return `
:root { color-scheme: light dark; ${variables(light)} --note: #fff4d6; --note-ink: #5b4300; }
@media (prefers-color-scheme: dark) { :root { ${variables(dark)} --note: #3b3012; --note-ink: #ffe6a3; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 30rem; margin: 0 auto; padding: 1rem; }
.simulator { background: var(--note); color: var(--note-ink); text-align: center; padding: .5rem 1rem; margin: 0; font-size: .9rem; }
.card { background: var(--paper); border: 1px solid var(--line); border-radius: 12px; padding: 1.25rem; margin-top: 1rem; }
h1 { font-size: 1.1rem; margin: 0; overflow-wrap: anywhere; } .amount { font-size: 2rem; font-weight: 700; margin: .25rem 0; }
.soft { color: var(--soft); font-size: .9rem; margin: .25rem 0; overflow-wrap: anywhere; }
.problem { color: var(--bad); margin: 0 0 .75rem; }
fieldset { border: 0; margin: 0; padding: 0; } legend { font-weight: 600; padding: 0; margin-bottom: .5rem; }
button { display: block; width: 100%; min-height: 3rem; border-radius: 8px; border: 1px solid var(--line); background: var(--paper);
  color: var(--ink); font: inherit; cursor: pointer; margin-top: .6rem; padding: .5rem; }
button.main { background: var(--main); border-color: var(--main); color: #fff; font-weight: 600; margin-top: 1.25rem; }
.row { display: grid; grid-template-columns: 1fr 1fr; gap: .6rem; } button.bad { color: var(--bad); border-color: var(--bad); }
input[type=text] { font: inherit; width: 100%; padding: .6rem; border: 1px solid var(--line); border-radius: 8px; background: var(--paper); color: var(--ink); }
button:focus-visible, input:focus-visible, a:focus-visible, summary:focus-visible { outline: 3px solid var(--main); outline-offset: 2px; }
a { color: inherit; }
`;
}
