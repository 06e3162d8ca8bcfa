import { escapeHtml } from '../kit/escape-html.ts';
import { noticeCard, otherEndings, payerPage } from '../kit/pages.ts';
import type { Look, Notice } from '../kit/pages.ts';
import type { Ending } from './scripts.ts';
import type { Order } from './state.ts';

/* The names and values of the inputs are part of the simulator's contract (see the README). */

const look: Look = {
  gateway: 'Nagad',
  palette: {
    light: {
      ink: '#2a1b16',
      soft: '#6a554d',
      line: '#e5d8d2',
      paper: '#fff',
      ground: '#f8f1ee',
      main: '#b3261e',
      bad: '#a3262a',
    },
    dark: {
      ink: '#f5ebe7',
      soft: '#cbb4ab',
      line: '#57423a',
      paper: '#2a1f1b',
      ground: '#1a1310',
      main: '#c2413a',
      bad: '#f0a3a0',
    },
  },
  style: `
label { display: block; font-weight: 600; margin-bottom: .5rem; }
`,
};

/** Returns the page that asks for the wallet's number, with the four ways to leave. */
export function paymentPage({ order, mobile }: { order: Order; mobile: string }): string {
  const amount = escapeHtml(order.purchase?.amount ?? '');
  return page({
    title: 'Pay',
    order,
    body: `${formStart(order)}
<label for="mobile">Number of your wallet</label>
<input type="text" id="mobile" name="mobile" value="${escapeHtml(mobile)}" inputmode="numeric" autocomplete="tel" maxlength="11">
<button class="main" type="submit" name="outcome" value="pay">Pay ${amount} BDT</button>
${otherEndings({ value: 'abort', text: 'Abort' })}
</form>`,
  });
}

/** Returns the page for the one-time password, used if the steps are enabled. */
export function otpPage(order: Order): string {
  return stepPage({ order, name: 'otp', label: 'One-time password (111111 or 123456 is right)', usual: '111111' });
}

/** Returns the page for the PIN, used if the steps are enabled. */
export function pinPage(order: Order): string {
  return stepPage({ order, name: 'pin', label: 'PIN (1111 is right)', usual: '1111' });
}

/** Returns a final page, from which no link leads to the merchant. */
export function noticePage({ order, back, ...notice }: Notice & { order?: Order; back?: boolean }): string {
  const link = back && order ? { link: { href: pathOf(order), text: 'Back to the payment' } } : {};
  return page({ title: notice.heading, ...(order ? { order } : {}), body: noticeCard({ ...notice, ...link }) });
}

/** Returns the text that the payer sees for an ending. */
export function endingText(status: Ending): string {
  return {
    Success: 'Payment made',
    Aborted: 'Payment aborted',
    Cancelled: 'Payment cancelled',
    Failed: 'Payment failed',
  }[status];
}

function stepPage(given: { order: Order; name: string; label: string; usual: string }): string {
  return page({
    title: 'Confirm',
    order: given.order,
    body: `${formStart(given.order)}
<label for="${given.name}">${given.label}</label>
<input type="text" id="${given.name}" name="${given.name}" value="${given.usual}" inputmode="numeric" autocomplete="off" maxlength="6">
<button class="main" type="submit" name="outcome" value="pay">Confirm</button>
<button type="submit" name="outcome" value="abort">Abort</button>
</form>`,
  });
}

function formStart(order: Order): string {
  return `<form class="card" method="post" action="${escapeHtml(pathOf(order))}">`;
}

function pathOf(order: Order): string {
  return `/check-out/${encodeURIComponent(order.ref)}`;
}

function summary(order: Order): string {
  return `
<section class="card"><h1>${escapeHtml(order.merchantId)}</h1>
<p class="amount">${escapeHtml(order.purchase?.amount ?? '')} BDT</p>
<p class="soft">Order ${escapeHtml(order.orderId)}</p></section>`;
}

function page({ title, order, body }: { title: string; order?: Order; body: string }): string {
  return payerPage(look, { title, body: `${order ? summary(order) : ''}${body}` });
}
