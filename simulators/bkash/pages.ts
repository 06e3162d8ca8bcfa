import { escapeHtml } from '../escape-html.ts';
import type { Payment } from './state.ts';
import { isWallet, payingWallets, rightOtp, rightPin, wrongPinsMax } from './wallets.ts';

/*
 * The payer's pages. They consist of links and forms only, so that a person on a phone, a browser without JavaScript and an HTTP client that follows
 * forms can all use them. The names and values of the inputs are part of the simulator's contract (see the README).
 */

type Step = { payment: Payment; action: string; problem?: string };

export function walletPage({ payment, action, problem }: Step): string {
  const fields = textField({
    name: 'wallet',
    label: 'Your bKash wallet number',
    hint: `01823074817 has too little money, 01823074818 is blocked; all others can pay.`,
    value: isWallet(payment.payerReference) ? payment.payerReference : payingWallets[0],
    lengthMax: 11,
  });
  return step({ payment, action, problem, fields, button: 'next', text: 'Confirm' });
}

export function otpPage({ payment, action, wallet, problem }: Step & { wallet: string }): string {
  const fields =
    hidden('wallet', wallet) +
    textField({
      name: 'otp',
      label: `The one-time password that was sent to ${wallet}`,
      hint: `${rightOtp} is right.`,
      value: rightOtp,
      lengthMax: 6,
    });
  return step({ payment, action, problem, fields, button: 'next', text: 'Confirm' });
}

export function pinPage(given: Step & { wallet: string; otp: string }): string {
  const { payment, action, wallet, otp, problem } = given;
  const fields =
    hidden('wallet', wallet) +
    hidden('otp', otp) +
    textField({
      name: 'pin',
      label: 'Your PIN',
      hint: `${rightPin} is right; ${wrongPinsMax} wrong ones end the payment.`,
      value: rightPin,
      lengthMax: 5,
    });
  const text = `Pay ${payment.amount} ${payment.currency}`;
  return step({ payment, action, problem, fields, button: 'pay', text });
}

/** Returns a final page that leads nowhere unless a link is given. */
export function noticePage(given: {
  heading: string;
  text: string;
  payment?: Payment;
  link?: { href: string; text: string };
}): string {
  const link = given.link ? `<p><a href="${escapeHtml(given.link.href)}">${escapeHtml(given.link.text)}</a></p>` : '';
  const body = `<div class="card"><h1>${escapeHtml(given.heading)}</h1><p>${escapeHtml(given.text)}</p>${link}</div>`;
  return page({ title: given.heading, body: `${given.payment ? summary(given.payment) : ''}${body}` });
}

type Form = {
  payment: Payment;
  action: string;
  problem: string | undefined;
  fields: string;
  button: string;
  text: string;
};

function step({ payment, action, problem, fields, button, text }: Form): string {
  const form = `
<form class="card" method="post" action="${escapeHtml(action)}">
${problem === undefined ? '' : `<p class="problem" role="alert">${escapeHtml(problem)}</p>`}
${fields}
<button class="main" type="submit" name="outcome" value="${button}">${escapeHtml(text)}</button>
<div class="row"><button class="bad" type="submit" name="outcome" value="fail">Fail</button>
<button type="submit" name="outcome" value="cancel">Close</button></div>
<button type="submit" name="outcome" value="leave">Leave without doing anything</button>
</form>`;
  return page({ title: 'Pay', body: `${summary(payment)}${form}` });
}

type Field = { name: string; label: string; hint: string; value: string; lengthMax: number };

function textField({ name, label, hint, value, lengthMax }: Field): string {
  return `<label for="${name}">${escapeHtml(label)}</label><p class="soft" id="${name}-hint">${escapeHtml(hint)}</p>
<input type="text" id="${name}" name="${name}" value="${escapeHtml(value)}" inputmode="numeric" maxlength="${lengthMax}" autocomplete="off" aria-describedby="${name}-hint">`;
}

function hidden(name: string, value: string): string {
  return `<input type="hidden" name="${name}" value="${escapeHtml(value)}">`;
}

function summary(payment: Payment): string {
  return `
<section class="card"><h1>${escapeHtml(payment.username)}</h1>
<p class="amount">${escapeHtml(payment.amount)} ${escapeHtml(payment.currency)}</p>
<p class="soft">Invoice ${escapeHtml(payment.invoice)}</p></section>`;
}

function page({ title, body }: { title: string; body: string }): string {
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} – bKash simulator</title><style>${style}</style></head>
<body><p class="simulator"><strong>Simulator.</strong> This is not bKash and no money moves.</p>
<main>${body}</main></body></html>`;
}

/** Inline, because the pages load no other files. */
const style = `
:root { color-scheme: light dark; --ink: #2b1520; --soft: #6d5260; --line: #e2d3da; --paper: #fff; --ground: #f7eff3;
  --main: #b3135c; --bad: #a3262a; --note: #fff4d6; --note-ink: #5b4300; }
@media (prefers-color-scheme: dark) { :root { --ink: #f5e9ef; --soft: #c6aab8; --line: #553a47; --paper: #2a1a22;
  --ground: #1b1016; --main: #d5337c; --bad: #e2777b; --note: #3b3012; --note-ink: #ffe6a3; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 30rem; margin: 0 auto; padding: 1rem; }
.simulator { background: var(--note); color: var(--note-ink); text-align: center; padding: .5rem 1rem; margin: 0; font-size: .9rem; }
.card { background: var(--paper); border: 1px solid var(--line); border-radius: 12px; padding: 1.25rem; margin-top: 1rem; }
h1 { font-size: 1.1rem; margin: 0; } .amount { font-size: 2rem; font-weight: 700; margin: .25rem 0; }
.soft { color: var(--soft); font-size: .9rem; margin: .25rem 0; overflow-wrap: anywhere; } label { font-weight: 600; }
.problem { color: var(--bad); margin: 0 0 .75rem; }
button { display: block; width: 100%; min-height: 3rem; border-radius: 8px; border: 1px solid var(--line); background: var(--paper);
  color: var(--ink); font: inherit; cursor: pointer; margin-top: .6rem; padding: .5rem; }
button.main { background: var(--main); border-color: var(--main); color: #fff; font-weight: 600; margin-top: 1.25rem; }
.row { display: grid; grid-template-columns: 1fr 1fr; gap: .6rem; } button.bad { color: var(--bad); border-color: var(--bad); }
input[type=text] { font: inherit; width: 100%; padding: .6rem; border: 1px solid var(--line); border-radius: 8px; background: var(--paper); color: var(--ink); }
button:focus-visible, input:focus-visible, a:focus-visible { outline: 3px solid var(--main); outline-offset: 2px; } a { color: var(--main); }
`;
