import type { Router } from '@koa/router';
import type { Context } from 'koa';
import { readForm } from '../kit/form-body.ts';
import { protectPage } from '../kit/pages.ts';
import { advanceIfDue, confirmPayment, finishOrder, isOver } from './gateway.ts';
import type { Gateway } from './gateway.ts';
import { dhakaDigits } from './identifiers.ts';
import { endingText, noticePage, otpPage, paymentPage, pinPage } from './pages.ts';
import type { Order, Outcome, Purchase } from './state.ts';

type Form = Readonly<Record<string, string>>;
/** An order whose complete call has created the payment page. */
type PayableOrder = Order & { purchase: Purchase };
type Visit = { gateway: Gateway; order: PayableOrder };

const rightOtps = ['111111', '123456'];
const rightPin = '1111';
const usualMobile = '01700000000';

export function checkoutRoutes(router: Router, gateway: Gateway): void {
  const withOrder = (work: (ctx: Context, visit: Visit) => Promise<void> | void) => async (ctx: Context) => {
    protectPage(ctx);
    const order = gateway.state.orders.get(String(ctx['params']['ref']));
    if (!order || !isPayable(order)) {
      ctx.status = 404;
      ctx.body = noticePage({ heading: 'Unknown payment', text: 'There is no payment at this address.' });
      return;
    }
    advanceIfDue(gateway, order);
    await work(ctx, { gateway, order });
    await gateway.settled();
  };
  router.get('/check-out/:ref', withOrder(showPage));
  router.post('/check-out/:ref', withOrder(takeChoice));
}

function showPage(ctx: Context, { gateway, order }: Visit): void {
  if (order.outcome || isOver(order) || order.stage === 'InProgress') {
    leavePage(ctx, order);
    return;
  }
  if (order.stage === 'Initiated') {
    gateway.record({ type: 'stage', ref: order.ref, stage: 'Ready' });
  }
  ctx.body = paymentPage({ order, mobile: usualMobile });
}

async function takeChoice(ctx: Context, { gateway, order }: Visit): Promise<void> {
  const form = await readForm(ctx.req);
  if (!order.outcome && !isOver(order) && order.stage !== 'InProgress') {
    const problem = applyChoice(ctx, { gateway, order, form });
    if (problem === 'answered') {
      return;
    }
    if (problem !== 'done') {
      ctx.status = 400;
      ctx.body = noticePage({ heading: 'Not understood', text: problem, order, back: true });
      return;
    }
  }
  leavePage(ctx, order);
}

/** Does what the payer chose. Returns `done` when the payer has finished, `answered` when a page was shown, or a description of the problem. */
function applyChoice(ctx: Context, { gateway, order, form }: Visit & { form: Form }): string {
  switch (form['outcome']) {
    case 'pay':
      return takePayment(ctx, { gateway, order, form });
    case 'fail':
      finishOrder(gateway, { order, status: 'Failed' });
      return 'done';
    case 'abort':
      finishOrder(gateway, { order, status: 'Aborted' });
      return 'done';
    case 'leave':
      ctx.body = noticePage({
        heading: 'You left',
        text: `Nothing was paid, and the merchant was not notified. The payment stays open until ${new Date(order.expiresAt).toISOString()}.`,
        order,
        back: true,
      });
      return 'answered';
    default:
      return 'The outcome must be pay, fail, abort or leave.';
  }
}

function takePayment(ctx: Context, { gateway, order, form }: Visit & { form: Form }): string {
  const mobile = form['mobile'] ?? order.mobile ?? '';
  if (!/^01[3-9]\d{8}$/.test(mobile)) {
    return 'A wallet has a number like 01700000000.';
  }
  if (!gateway.state.settings.steps) {
    confirmPayment(gateway, { order, mobile });
    return 'done';
  }
  const { otp, pin } = form;
  if (pin !== undefined && order.stage === 'OtpVerified') {
    return enter(gateway, { order, mobile, right: pin === rightPin, wrong: 'Invalid PIN' });
  }
  if (otp !== undefined && order.stage === 'OtpSent') {
    if (!rightOtps.includes(otp)) {
      return enter(gateway, { order, mobile, right: false, wrong: 'Invalid OTP' });
    }
    gateway.record({ type: 'stage', ref: order.ref, stage: 'OtpVerified' });
    ctx.body = pinPage(order);
    return 'answered';
  }
  gateway.record({ type: 'stage', ref: order.ref, stage: 'OtpSent', mobile });
  ctx.body = otpPage(order);
  return 'answered';
}

function enter(gateway: Gateway, given: { order: Order; mobile: string; right: boolean; wrong: string }): string {
  if (given.right) {
    confirmPayment(gateway, given);
  } else {
    finishOrder(gateway, { order: given.order, status: 'Failed', message: given.wrong });
  }
  return 'done';
}

/** Sends the browser back to the merchant, or shows a final page if the script says so or the order has not ended. */
function leavePage(ctx: Context, order: PayableOrder): void {
  const { outcome, script } = order;
  if (!outcome) {
    const text = order.stage === 'InProgress' ? 'The payment is being processed.' : 'The payment window is over.';
    ctx.body = noticePage({ heading: 'Not finished', text, order });
    return;
  }
  if (script.returns === false) {
    const text = 'By its script the simulator does not send you back to the merchant.';
    ctx.body = noticePage({ heading: endingText(outcome.status), text, order });
    return;
  }
  ctx.status = 303;
  ctx.redirect(returnAddress(order, outcome));
}

/** Only `00_0000_000` is a real code. The simulator invents the others. */
const returnCodes = { Success: '00_0000_000', Aborted: '10_0000_101', Failed: '10_0000_103' } as const;

function returnAddress({ merchantId, orderId, ref, script, purchase }: PayableOrder, outcome: Outcome): string {
  const ended = outcome.status === 'Cancelled' ? 'Aborted' : outcome.status;
  const status = script.returnStatus ?? ended;
  const fields = new URLSearchParams({
    merchant: merchantId,
    order_id: orderId,
    payment_ref_id: ref,
    status,
    status_code: returnCodes[status],
    message: outcome.message,
    payment_dt: dhakaDigits(outcome.at),
    issuer_payment_ref: outcome.issuerRef,
  });
  return `${purchase.callbackUrl}${purchase.callbackUrl.includes('?') ? '&' : '?'}${fields.toString()}`;
}

function isPayable(order: Order): order is PayableOrder {
  return order.purchase !== undefined;
}
