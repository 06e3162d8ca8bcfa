import { escapeHtml } from '../escape-html.ts';
import type { Ending } from './scripts.ts';
import type { Order } from './state.ts';

/*
 * The payer's pages. They consist of links and forms only, so that a person on a phone, a browser without JavaScript and an HTTP client that follows
 * forms can all use them. The names and values of the inputs are part of the simulator's contract (see the README).
 */

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
<div class="row"><button class="bad" type="submit" name="outcome" value="fail">Fail</button>
<button type="submit" name="outcome" value="abort">Abort</button></div>
<button type="submit" name="outcome" value="leave">Leave without doing anything</button>
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
export function noticePage(given: { heading: string; text: string; order?: Order; back?: boolean }): string {
  const link =
    given.back && given.order ? `<p><a href="${escapeHtml(pathOf(given.order))}">Back to the payment</a></p>` : '';
  return page({
    title: given.heading,
    ...(given.order ? { order: given.order } : {}),
    body: `<div class="card"><h1>${escapeHtml(given.heading)}</h1><p>${escapeHtml(given.text)}</p>${link}</div>`,
  });
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
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} – Nagad simulator</title><style>${style}</style></head>
<body><p class="simulator"><strong>Simulator.</strong> This is not Nagad and no money moves.</p>
<main>${order ? summary(order) : ''}${body}</main></body></html>`;
}

const style = `
:root { color-scheme: light dark; --ink: #2a1b16; --soft: #6a554d; --line: #e5d8d2; --paper: #fff; --ground: #f8f1ee;
  --main: #b3261e; --bad: #a3262a; --note: #fff4d6; --note-ink: #5b4300; }
@media (prefers-color-scheme: dark) { :root { --ink: #f5ebe7; --soft: #cbb4ab; --line: #57423a; --paper: #2a1f1b;
  --ground: #1a1310; --main: #c2413a; --bad: #f0a3a0; --note: #3b3012; --note-ink: #ffe6a3; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 30rem; margin: 0 auto; padding: 1rem; }
.simulator { background: var(--note); color: var(--note-ink); text-align: center; padding: .5rem 1rem; margin: 0; font-size: .9rem; }
.card { background: var(--paper); border: 1px solid var(--line); border-radius: 12px; padding: 1.25rem; margin-top: 1rem; }
h1 { font-size: 1.1rem; margin: 0; overflow-wrap: anywhere; } .amount { font-size: 2rem; font-weight: 700; margin: .25rem 0; }
.soft { color: var(--soft); font-size: .9rem; margin: .25rem 0; overflow-wrap: anywhere; }
label { display: block; font-weight: 600; margin-bottom: .5rem; }
input { font: inherit; width: 100%; padding: .6rem; border: 1px solid var(--line); border-radius: 8px; background: var(--paper); color: var(--ink); }
button { display: block; width: 100%; min-height: 3rem; border-radius: 8px; border: 1px solid var(--line); background: var(--paper);
  color: var(--ink); font: inherit; cursor: pointer; margin-top: .6rem; padding: .5rem; }
button.main { background: var(--main); border-color: var(--main); color: #fff; font-weight: 600; margin-top: 1.25rem; }
.row { display: grid; grid-template-columns: 1fr 1fr; gap: .6rem; } button.bad { color: var(--bad); border-color: var(--bad); }
button:focus-visible, a:focus-visible, input:focus-visible { outline: 3px solid var(--main); outline-offset: 2px; }
a { color: inherit; }
`;
