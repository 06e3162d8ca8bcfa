import { escapeHtml } from '../kit/escape-html.ts';
import type { Summary } from './store.ts';

/** The pages load nothing except the frame with the email. */
export const pagePolicy =
  "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/**
 * The policy for an email's HTML, which is untrusted: its inline styles and pictures work, but it gets no scripts, no requests and no origin, even
 * when opened directly. Its links open a new window, as in a mail program.
 */
export const mailPolicy =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; " +
  'sandbox allow-popups allow-popups-to-escape-sandbox';

const style = `
:root { color-scheme: light dark; --ink: #17233c; --soft: #53607a; --line: #d5dbe7; --paper: #fff; --ground: #eef1f7; --main: #16558f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ecf5; --soft: #aab4c8; --line: #3a455c; --paper: #1b2333; --ground: #111725; --main: #6db1ee; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 46rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.2rem; overflow-wrap: anywhere; } h2 { font-size: 1rem; margin: 1.25rem 0 .5rem; } a { color: var(--main); }
ol { list-style: none; margin: 0; padding: 0; } li, .card { background: var(--paper); border: 1px solid var(--line); border-radius: 10px; margin: .5rem 0; padding: .75rem 1rem; overflow-wrap: anywhere; }
.soft { color: var(--soft); font-size: .9rem; margin: 0; } dl { display: grid; grid-template-columns: auto 1fr; gap: .1rem 1rem; margin: 0; } dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; font: inherit; } iframe { width: 100%; height: 40rem; border: 1px solid var(--line); border-radius: 10px; background: #fff; }
`;

export function listPage(messages: readonly Summary[]): string {
  const items = messages.map(
    ({ n, at, to, subject }) =>
      `<li><a href="/mailbox/${n}">${escapeHtml(subject === '' ? '(no subject)' : subject)}</a>` +
      `<p class="soft">to ${escapeHtml(to.join(', '))}, ${escapeHtml(at)}</p></li>`,
  );
  const list = items.length === 0 ? '<p>No mail yet.</p>' : `<ol>${items.join('\n')}</ol>`;
  return page({
    title: 'Mailbox',
    body: `<h1>Mailbox</h1><p class="soft">Everything that was sent here; nothing is delivered to anybody.</p>${list}`,
  });
}

/** Returns the page of one message. Its HTML is in a separate frame, see `mailPolicy`. */
export function messagePage(message: Summary & { text: string | null; hasHtml: boolean }): string {
  const { n, at, from, to, subject, messageId, text, hasHtml } = message;
  const facts = [
    ['From', from],
    ['To', to.join(', ')],
    ['Received', at],
    ['Message-ID', messageId],
  ] as const;
  const frame = hasHtml
    ? `<h2>HTML</h2><iframe title="The mail as HTML" sandbox="allow-popups allow-popups-to-escape-sandbox" referrerpolicy="no-referrer" src="/mailbox/${n}/html"></iframe>`
    : '';
  const body = `
<p><a href="/mailbox">All mail</a></p><h1>${escapeHtml(subject)}</h1>
<dl class="card">${facts.map(([name, value]) => `<dt>${name}</dt><dd>${escapeHtml(value)}</dd>`).join('')}</dl>
${text === null ? '' : `<h2>Text</h2><pre class="card">${withLinks(text)}</pre>`}${frame}
<p><a href="/mailbox/${n}/raw">As it came</a></p>`;
  return page({ title: subject, body });
}

function withLinks(text: string): string {
  const pieces = text.split(/(https?:\/\/[^\s<>"']+)/);
  return pieces
    .map((piece, index) =>
      index % 2 === 0
        ? escapeHtml(piece)
        : `<a href="${escapeHtml(piece)}" rel="noopener noreferrer" target="_blank">${escapeHtml(piece)}</a>`,
    )
    .join('');
}

function page({ title, body }: { title: string; body: string }): string {
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} – development mailbox</title><style>${style}</style></head>
<body><main>${body}</main></body></html>`;
}
