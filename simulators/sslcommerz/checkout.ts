import type { Router } from '@koa/router';
import type { Context } from 'koa';
import { readForm } from '../kit/form-body.ts';
import { protectPage } from '../kit/pages.ts';
import { signedNotice } from './courier.ts';
import type { Courier } from './courier.ts';
import { errorTexts, expireIfDue, finishSession } from './gateway.ts';
import type { Gateway } from './gateway.ts';
import { allowedInstruments } from './instruments.ts';
import type { Instrument } from './instruments.ts';
import { continueScript, noticePage, otpPage, paymentPage, returnPage } from './pages.ts';
import { inReturnOrder } from './records.ts';
import type { PayOutcome } from './scripts.ts';
import { checkoutPath } from './session-answer.ts';
import type { Outcome, Session } from './state.ts';

type Form = Readonly<Record<string, string>>;
type Visit = { gateway: Gateway; courier: Courier; session: Session };

const rightOtps = ['111111', '123456'];
/** How long the payer waits for the merchant to accept the IPN that precedes the return. */
const noticeBeforeReturnMs = 5_000;

const headings: Readonly<Record<PayOutcome, string>> = {
  VALID: 'Payment made',
  FAILED: 'Payment failed',
  CANCELLED: 'Payment cancelled',
  UNATTEMPTED: 'No payment was tried',
  EXPIRED: 'The payment window is over',
};

export function checkoutRoutes(router: Router, { gateway, courier }: { gateway: Gateway; courier: Courier }): void {
  const withSession = (work: (ctx: Context, visit: Visit) => Promise<void>) => async (ctx: Context) => {
    const session = gateway.state.sessions.get(pageKey(ctx));
    protectPage(ctx, { scripts: true });
    if (!session) {
      ctx.status = 404;
      ctx.body = noticePage({ heading: 'Unknown session', text: 'There is no payment at this address.' });
      return;
    }
    expireIfDue(gateway, session);
    await work(ctx, { gateway, courier, session });
    await gateway.settled();
  };
  router.get('/EasyCheckOut/continue.js', (ctx) => {
    ctx.type = 'js';
    ctx.body = continueScript;
  });
  router.get('/EasyCheckOut/:page', withSession(showPage));
  router.post('/EasyCheckOut/:page', withSession(takeChoice));
  // Two older addresses of the same page, which documents and answers still name.
  for (const path of ['/gwprocess/v4/gw.php', '/gwprocess/v4/bankgw/indexhtml.php']) {
    router.get(path, (ctx) => {
      ctx.status = 303;
      ctx.redirect(`/EasyCheckOut/testcde${encodeURIComponent(String(ctx.query['SESSIONKEY'] ?? '').toLowerCase())}`);
    });
  }
}

async function showPage(ctx: Context, visit: Visit): Promise<void> {
  const { gateway, session } = visit;
  if (session.outcome) {
    ctx.body = finishedPage(visit, session.outcome);
    return;
  }
  if (session.openedAt === undefined) {
    gateway.record({ type: 'opened', key: session.key, at: Date.now() });
  }
  ctx.body = paymentPage({ session, path: checkoutPath(session) });
}

async function takeChoice(ctx: Context, visit: Visit): Promise<void> {
  const { gateway, courier, session } = visit;
  const form = await readForm(ctx.req);
  if (!session.outcome) {
    const choice = readChoice(session, form);
    if (typeof choice === 'string') {
      ctx.status = 400;
      ctx.body = noticePage({ heading: 'Not understood', text: choice, session, link: backToPage(session) });
      return;
    }
    if (form['outcome'] === 'leave') {
      ctx.body = leftPage(session);
      return;
    }
    if (form['outcome'] === 'pay' && gateway.state.settings.otpStep && form['otp'] === undefined) {
      gateway.record({ type: 'channel', key: session.key, at: Date.now() });
      ctx.body = otpPage({ session, path: checkoutPath(session), instrument: choice.instrument });
      return;
    }
    finishByPayer(gateway, { session, ...choice });
  }
  if (session.script.notice?.timing === undefined || session.script.notice.timing === 'before') {
    await courier.triedOnce(session, noticeBeforeReturnMs);
  }
  if (session.outcome) {
    ctx.body = finishedPage(visit, session.outcome);
  }
}

type Choice = { status: PayOutcome; instrument: Instrument; error: string };

function readChoice(session: Session, form: Form): Choice | string {
  const instrument = readInstrument(session, form);
  if (!instrument) {
    return 'No instrument was chosen that this payment allows.';
  }
  switch (form['outcome']) {
    case 'pay':
      return { instrument, ...payResult(session, form) };
    case 'fail':
      return { instrument, status: 'FAILED', error: errorTexts.FAILED };
    case 'cancel':
    case 'leave':
      return { instrument, status: 'CANCELLED', error: errorTexts.CANCELLED };
    default:
      return 'The outcome must be pay, fail, cancel or leave.';
  }
}

function payResult(session: Session, form: Form): { status: PayOutcome; error: string } {
  const otp = form['otp'];
  if (otp !== undefined && !rightOtps.includes(otp)) {
    return { status: 'FAILED', error: 'Invalid OTP' };
  }
  const status = session.script.pay ?? 'VALID';
  return { status, error: status === 'VALID' ? '' : (session.script.error ?? errorTexts[status]) };
}

function readInstrument(session: Session, form: Form): Instrument | undefined {
  const allowed = allowedInstruments(session.multiCardName);
  const channel = form['channel'] ?? allowed[0]?.channel ?? '';
  const id = form[channel];
  return allowed.find((instrument) => instrument.channel === channel && (id === undefined || instrument.id === id));
}

/** Ends the session as the payer chose. The control API uses it too. */
export function finishByPayer(
  gateway: Gateway,
  { session, status, instrument, error }: Choice & { session: Session },
): void {
  const attempted = status === 'VALID' || status === 'FAILED';
  finishSession(gateway, { session, status, instrument: attempted ? instrument.id : '', error });
}

function finishedPage({ gateway, session }: Visit, outcome: Outcome): string {
  if (session.script.returns === false) {
    return noticePage({
      heading: headings[outcome.status],
      text: 'By its script the simulator does not send you back to the merchant.',
      session,
    });
  }
  return returnPage({
    session,
    action: returnUrl(session, outcome.status),
    fields: inReturnOrder(signedNotice(gateway, { session, outcome }).returned),
    heading: headings[outcome.status],
  });
}

function returnUrl(session: Session, status: PayOutcome): string {
  if (status === 'VALID') {
    return session.urls.success;
  }
  return status === 'CANCELLED' ? session.urls.cancel : session.urls.fail;
}

function leftPage(session: Session): string {
  return noticePage({
    heading: 'You left',
    text: `Nothing was paid, and the merchant was not notified. The session stays open until ${new Date(session.expiresAt).toISOString()}.`,
    session,
    link: backToPage(session),
  });
}

function backToPage(session: Session): { href: string; text: string } {
  return { href: checkoutPath(session), text: 'Back to the payment' };
}

function pageKey(ctx: Context): string {
  return String(ctx['params']['page'] ?? '')
    .replace(/^testcde/, '')
    .toUpperCase();
}
