import { escapeHtml } from '../kit/escape-html.ts';
import { noticeCard, payerPage, problemText } from '../kit/pages.ts';
import type { Look, Notice } from '../kit/pages.ts';
import { bankAccounts, cards, goodAccount, goodCard } from './cards.ts';
import { decimalText } from './money.ts';
import type { Session } from './state.ts';

/* The names and values of the inputs are part of the simulator's contract (see the README). */

const look: Look = {
  gateway: 'Stripe',
  palette: {
    light: {
      ink: '#1e2338',
      soft: '#565f7d',
      line: '#d7dbea',
      paper: '#fff',
      ground: '#f0f1f8',
      main: '#4b45c6',
      bad: '#a3262a',
    },
    dark: {
      ink: '#e9eaf5',
      soft: '#abb1cb',
      line: '#3d4360',
      paper: '#1c2034',
      ground: '#121524',
      main: '#6f69e8',
      bad: '#e2777b',
    },
  },
  style: `
label { font-weight: 600; } a { color: var(--main); }
.choice { display: flex; gap: .75rem; align-items: center; min-height: 3rem; cursor: pointer; margin-top: .5rem; }
`,
};

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
export function noticePage({ session, ...notice }: Notice & { session?: Session }): string {
  return page({ title: notice.heading, body: `${session ? summary(session) : ''}${noticeCard(notice)}` });
}

function form(given: Step & { title: string; fields: string; buttons: string }): string {
  const { session, action, problem, title, fields, buttons } = given;
  const body = `${summary(session)}
<form class="card" method="post" action="${escapeHtml(action)}">
${problemText(problem)}
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

function page(content: { title: string; body: string }): string {
  return payerPage(look, content);
}
