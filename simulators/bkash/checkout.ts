import type { Router } from '@koa/router';
import type { Context } from 'koa';
import { readForm } from '../kit/form-body.ts';
import { protectPage } from '../kit/pages.ts';
import { endPayment, expireIfDue } from './gateway.ts';
import type { Gateway } from './gateway.ts';
import { noticePage, otpPage, pinPage, walletPage } from './pages.ts';
import { callbackUrl } from './records.ts';
import type { Payment } from './state.ts';
import { isWallet, rightOtp, rightPin, wrongPinsMax } from './wallets.ts';

type Form = Readonly<Record<string, string>>;
type Visit = { gateway: Gateway; payment: Payment };

const path = '/bkash/checkout';

/** Registers the payer's pages: wallet number, one-time password, PIN. At the end, a redirect sends the browser back to the merchant. */
export function checkoutRoutes(router: Router, gateway: Gateway): void {
  const withPayment = (work: (ctx: Context, visit: Visit) => Promise<void>) => async (ctx: Context) => {
    const payment = gateway.state.payments.get(String(ctx.query['paymentId'] ?? ''));
    protectPage(ctx);
    if (!payment || ctx.query['hash'] !== payment.hash) {
      ctx.status = 404;
      ctx.body = noticePage({ heading: 'Unknown payment', text: 'There is no payment at this address.' });
      return;
    }
    expireIfDue(gateway, payment);
    await work(ctx, { gateway, payment });
    await gateway.settled();
  };
  router.get(path, withPayment(showPage));
  router.post(path, withPayment(takeStep));
}

async function showPage(ctx: Context, { payment }: Visit): Promise<void> {
  ctx.body = isOver(payment) ? overPage(payment) : walletPage({ payment, action: actionOf(payment) });
}

async function takeStep(ctx: Context, visit: Visit): Promise<void> {
  const { gateway, payment } = visit;
  const form = await readForm(ctx.req);
  if (isOver(payment)) {
    sendBack(ctx, payment);
    return;
  }
  switch (form['outcome']) {
    case 'next':
      ctx.body = nextPage(payment, form);
      return;
    case 'pay':
      confirm(ctx, { ...visit, form });
      return;
    case 'fail':
      endPayment(gateway, payment, { status: 'Failed' });
      sendBack(ctx, payment);
      return;
    case 'cancel':
      endPayment(gateway, payment, { status: 'Cancelled' });
      sendBack(ctx, payment);
      return;
    case 'leave':
      ctx.body = noticePage({
        heading: 'You left',
        text: 'Nothing was agreed to, and the merchant was not notified.',
        payment,
      });
      return;
    default:
      ctx.status = 400;
      ctx.body = noticePage({
        heading: 'Not understood',
        text: 'The outcome must be next, pay, fail, cancel or leave.',
      });
  }
}

function nextPage(payment: Payment, form: Form): string {
  const { wallet = '', otp } = form;
  const action = actionOf(payment);
  if (!isWallet(wallet)) {
    return walletPage({ payment, action, problem: 'That is no wallet number.' });
  }
  if (otp === undefined) {
    return otpPage({ payment, action, wallet });
  }
  return otp === rightOtp
    ? pinPage({ payment, action, wallet, otp })
    : otpPage({ payment, action, wallet, problem: 'That is not the one-time password.' });
}

/** Checks all three values again at the end, so that a hand-made form cannot skip a step. */
function confirm(ctx: Context, { gateway, payment, form }: Visit & { form: Form }): void {
  const { wallet = '', otp = '', pin = '' } = form;
  if (!isWallet(wallet) || otp !== rightOtp) {
    ctx.body = nextPage(payment, form);
    return;
  }
  if (pin !== rightPin) {
    gateway.record({ type: 'wrong_pin', id: payment.id });
    if (payment.wrongPins < wrongPinsMax) {
      ctx.body = pinPage({ payment, action: actionOf(payment), wallet, otp, problem: 'That is not the PIN.' });
      return;
    }
    endPayment(gateway, payment, { status: 'Failed', code: '2015' });
    sendBack(ctx, payment);
    return;
  }
  if (payment.script.confirm === 'nothing') {
    ctx.body = noticePage({
      heading: 'Please wait',
      text: 'bKash does not answer. By its script it never will.',
      payment,
    });
    return;
  }
  agreeByPayer(gateway, { payment, wallet });
  sendBack(ctx, payment);
}

/** Applies the payer's agreement, or the outcome that the script sets for it. The control API uses it too. */
export function agreeByPayer(gateway: Gateway, { payment, wallet }: { payment: Payment; wallet: string }): void {
  switch (payment.script.confirm) {
    case 'failure':
      return endPayment(gateway, payment, { status: 'Failed' });
    case 'cancel':
      return endPayment(gateway, payment, { status: 'Cancelled' });
    case 'expired':
      return endPayment(gateway, payment, { status: 'Expired' });
    case 'nothing':
      return;
    case 'success':
    case undefined:
      gateway.record({ type: 'verified', id: payment.id, at: Date.now(), wallet });
  }
}

function isOver(payment: Payment): boolean {
  return payment.verified !== undefined || payment.end !== undefined;
}

function sendBack(ctx: Context, payment: Payment): void {
  if (payment.script.returns === false) {
    ctx.body = overPage(payment);
    return;
  }
  // The real gateway sends a plain redirect, which the browser follows with GET.
  ctx.status = 302;
  ctx.redirect(backUrl(payment));
}

/** Returns the URL to which the browser goes when the payer has finished. The scheme of the signature is not public, so merchants cannot check it. */
export function backUrl(payment: Payment): string {
  const words = { Completed: 'success', Cancelled: 'cancel', Failed: 'failure', Expired: 'failure' } as const;
  const status = payment.end === undefined ? 'success' : words[payment.end.status];
  return `${callbackUrl(payment, status)}&signature=${payment.hash.slice(0, 10)}&apiVersion=1.2.0-beta`;
}

function overPage(payment: Payment): string {
  return payment.script.returns === false
    ? noticePage({
        heading: 'You are done',
        text: 'By its script the simulator does not send you back to the merchant.',
        payment,
      })
    : noticePage({
        heading: 'You are done',
        text: 'This payment has ended.',
        payment,
        link: { href: backUrl(payment), text: 'Back to the merchant' },
      });
}

function actionOf({ id, hash }: Payment): string {
  return `${path}?${new URLSearchParams({ paymentId: id, hash }).toString()}`;
}
