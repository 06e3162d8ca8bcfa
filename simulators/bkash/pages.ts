import { escapeHtml } from '../kit/escape-html.ts';
import { noticeCard, otherEndings, payerPage, problemText } from '../kit/pages.ts';
import type { Look, Notice } from '../kit/pages.ts';
import type { Payment } from './state.ts';
import { isWallet, payingWallets, rightOtp, rightPin, wrongPinsMax } from './wallets.ts';

/* The names and values of the inputs are part of the simulator's contract (see the README). */

const look: Look = {
  gateway: 'bKash',
  palette: {
    light: {
      ink: '#2b1520',
      soft: '#6d5260',
      line: '#e2d3da',
      paper: '#fff',
      ground: '#f7eff3',
      main: '#b3135c',
      bad: '#a3262a',
    },
    dark: {
      ink: '#f5e9ef',
      soft: '#c6aab8',
      line: '#553a47',
      paper: '#2a1a22',
      ground: '#1b1016',
      main: '#d5337c',
      bad: '#e2777b',
    },
  },
  style: `
label { font-weight: 600; } a { color: var(--main); }
`,
};

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
export function noticePage({ payment, ...notice }: Notice & { payment?: Payment }): string {
  return page({ title: notice.heading, body: `${payment ? summary(payment) : ''}${noticeCard(notice)}` });
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
${problemText(problem)}
${fields}
<button class="main" type="submit" name="outcome" value="${button}">${escapeHtml(text)}</button>
${otherEndings({ value: 'cancel', text: 'Close' })}
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

function page(content: { title: string; body: string }): string {
  return payerPage(look, content);
}
