import { escapeHtml } from '../escape-html.ts';
import { bankAccounts, cards, goodAccount, goodCard } from './cards.ts';
import { decimalText } from './money.ts';
import type { Session } from './state.ts';

/*
 * The payer's pages. They consist of links and forms only, so that a person on a phone, a browser without JavaScript and an HTTP client that follows
 * forms can all use them. The names and values of the inputs are part of the simulator's contract (see the README).
 */

type Step = { session: Session; action: string; problem?: string | undefined };

export function payPage(step: Step): string {
  const { session } = step;
  const email = session.email === null ? '' : `<p class="soft">${escapeHtml(session.email)}</p>`;
  const cardHints = Object.entries(cards).map(([number, { about }]) => `${number} ${about}`);
  const bankHints = Object.entries(bankAccounts).map(
    ([number, ends]) => `${number} ${{ succeeded: 'pays later', failed: 'fails later', stays: 'never says' }[ends]}`,
  );
  const fields = `${email}
<fieldset><legend>Pay by</legend>
<label class="choice"><input type="radio" name="method" value="card" checked> Card</label>
${textField({ name: 'card', label: 'Card number', value: goodCard, lengthMax: 23 })}
${textField({ name: 'expiry', label: 'Expires (MM/YY)', value: '12/34', lengthMax: 5 })}
${textField({ name: 'cvc', label: 'Security code', value: '123', lengthMax: 4 })}
${hints('Numbers', cardHints)}
<label class="choice"><input type="radio" name="method" value="bank"> Bank account (paid later)</label>
${textField({ name: 'account', label: 'Account number', value: goodAccount, lengthMax: 17 })}
${hints('Account numbers', bankHints)}
</fieldset>`;
  const back = session.cancelUrl === null ? '' : button('cancel', 'Back to the shop');
  const buttons = `${button('pay', `Pay ${amountOf(session)}`, 'main')}${back}${button('leave', 'Leave without doing anything')}`;
  return form({ ...step, title: 'Pay', fields, buttons });
}

export function confirmPage(step: Step): string {
  const fields = '<p>The bank asks whether it is you who pays.</p>';
  const buttons = `${button('confirm', 'Complete', 'main')}${button('refuse', 'Fail', 'bad')}${button('leave', 'Leave without doing anything')}`;
  return form({ ...step, title: 'Confirm', fields, buttons });
}

/** Returns a final page that leads nowhere unless a link is given. */
export function noticePage(given: {
  heading: string;
  text: string;
  session?: Session;
  link?: { href: string; text: string };
}): string {
  const link = given.link ? `<p><a href="${escapeHtml(given.link.href)}">${escapeHtml(given.link.text)}</a></p>` : '';
  const body = `<div class="card"><h1>${escapeHtml(given.heading)}</h1><p>${escapeHtml(given.text)}</p>${link}</div>`;
  return page({ title: given.heading, body: `${given.session ? summary(given.session) : ''}${body}` });
}

function form(given: Step & { title: string; fields: string; buttons: string }): string {
  const { session, action, problem, title, fields, buttons } = given;
  const body = `${summary(session)}
<form class="card" method="post" action="${escapeHtml(action)}">
${problem === undefined ? '' : `<p class="problem" role="alert">${escapeHtml(problem)}</p>`}
${fields}
${buttons}
</form>`;
  return page({ title, body });
}

function button(outcome: string, text: string, kind = ''): string {
  const look = kind === '' ? '' : ` class="${kind}"`;
  return `<button${look} type="submit" name="outcome" value="${outcome}">${escapeHtml(text)}</button>`;
}

type Field = { name: string; label: string; value: string; lengthMax: number };

function textField({ name, label, value, lengthMax }: Field): string {
  return `<label for="${name}">${escapeHtml(label)}</label>
<input type="text" id="${name}" name="${name}" value="${escapeHtml(value)}" maxlength="${lengthMax}" autocomplete="off">`;
}

function hints(title: string, lines: readonly string[]): string {
  const items = lines.map((line) => `<li>${escapeHtml(line)}</li>`).join('');
  return `<details><summary>${title} and what they do</summary><ul class="soft">${items}</ul></details>`;
}

function summary(session: Session): string {
  return `
<section class="card"><h1>${escapeHtml(session.productName)}</h1>
<p class="amount">${escapeHtml(amountOf(session))}</p>
<p class="soft">${escapeHtml(session.reference ?? session.id)}</p></section>`;
}

function amountOf({ amount, currency }: Session): string {
  return `${decimalText(amount, currency)} ${currency.toUpperCase()}`;
}

function page({ title, body }: { title: string; body: string }): string {
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} – Stripe simulator</title><style>${style}</style></head>
<body><p class="simulator"><strong>Simulator.</strong> This is not Stripe and no money moves.</p>
<main>${body}</main></body></html>`;
}

/** Inline, because the pages load no other files. */
const style = `
:root { color-scheme: light dark; --ink: #1e2338; --soft: #565f7d; --line: #d7dbea; --paper: #fff; --ground: #f0f1f8;
  --main: #4b45c6; --bad: #a3262a; --note: #fff4d6; --note-ink: #5b4300; }
@media (prefers-color-scheme: dark) { :root { --ink: #e9eaf5; --soft: #abb1cb; --line: #3d4360; --paper: #1c2034;
  --ground: #121524; --main: #6f69e8; --bad: #e2777b; --note: #3b3012; --note-ink: #ffe6a3; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 30rem; margin: 0 auto; padding: 1rem; }
.simulator { background: var(--note); color: var(--note-ink); text-align: center; padding: .5rem 1rem; margin: 0; font-size: .9rem; }
.card { background: var(--paper); border: 1px solid var(--line); border-radius: 12px; padding: 1.25rem; margin-top: 1rem; }
h1 { font-size: 1.1rem; margin: 0; } .amount { font-size: 2rem; font-weight: 700; margin: .25rem 0; }
.soft { color: var(--soft); font-size: .9rem; margin: .25rem 0; overflow-wrap: anywhere; } label { font-weight: 600; }
.problem { color: var(--bad); margin: 0 0 .75rem; } fieldset { border: 0; margin: 0; padding: 0; } legend { font-weight: 600; padding: 0; }
.choice { display: flex; gap: .75rem; align-items: center; min-height: 3rem; cursor: pointer; margin-top: .5rem; }
button { display: block; width: 100%; min-height: 3rem; border-radius: 8px; border: 1px solid var(--line); background: var(--paper);
  color: var(--ink); font: inherit; cursor: pointer; margin-top: .6rem; padding: .5rem; }
button.main { background: var(--main); border-color: var(--main); color: #fff; font-weight: 600; margin-top: 1.25rem; }
button.bad { color: var(--bad); }
input[type=text] { font: inherit; width: 100%; padding: .6rem; border: 1px solid var(--line); border-radius: 8px; background: var(--paper); color: var(--ink); }
button:focus-visible, input:focus-visible, a:focus-visible, summary:focus-visible { outline: 3px solid var(--main); outline-offset: 2px; } a { color: var(--main); }
`;
