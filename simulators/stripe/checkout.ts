import type { Router } from '@koa/router';
import type { Context } from 'koa';
import { readForm } from '../kit/form-body.ts';
import { protectPage } from '../kit/pages.ts';
import type { Courier } from './events.ts';
import { endConfirmation, expireIfDue, payByBank, payByCard } from './gateway.ts';
import type { Gateway, Tried } from './gateway.ts';
import { confirmPage, noticePage, payPage } from './pages.ts';
import type { Session } from './state.ts';

type Form = Readonly<Record<string, string>>;
type Visit = { gateway: Gateway; session: Session };

/** Registers the payer's pages: a card or a bank account, and a confirmation if the card asks for one. Then the browser is redirected. */
export function checkoutRoutes(router: Router, { gateway, courier }: { gateway: Gateway; courier: Courier }): void {
  const withSession = (work: (ctx: Context, visit: Visit) => Promise<void>) => async (ctx: Context) => {
    const session = gateway.state.sessions.get(String(ctx['params']['id']));
    protectPage(ctx);
    if (!session) {
      ctx.status = 404;
      ctx.body = noticePage({ heading: 'Unknown session', text: 'There is no session at this address.' });
      return;
    }
    expireIfDue(gateway, session);
    await work(ctx, { gateway, session });
    await gateway.settled();
    courier.wake();
  };
  router.get('/stripe/c/pay/:id', withSession(showPage));
  router.post('/stripe/c/pay/:id', withSession(takeStep));
}

async function showPage(ctx: Context, { session }: Visit): Promise<void> {
  ctx.body = session.status === 'open' ? currentPage(session) : overPage(session);
}

async function takeStep(ctx: Context, { gateway, session }: Visit): Promise<void> {
  const form = await readForm(ctx.req);
  if (session.status !== 'open') {
    sendOn(ctx, session);
    return;
  }
  switch (form['outcome']) {
    case 'pay':
      answerTry(ctx, session, tryToPay(gateway, session, form));
      return;
    case 'confirm':
    case 'refuse':
      answerTry(ctx, session, endConfirmation(gateway, session, form['outcome'] === 'confirm'));
      return;
    case 'cancel':
      // Going back ends nothing: the session stays open.
      redirect(ctx, session.cancelUrl ?? session.successUrl, session);
      return;
    case 'leave':
      ctx.body = noticePage({
        heading: 'You left',
        text: 'Nothing was paid, and the merchant was not notified.',
        session,
      });
      return;
    default:
      ctx.status = 400;
      ctx.body = noticePage({
        heading: 'Not understood',
        text: 'The outcome must be pay, confirm, refuse, cancel or leave.',
      });
  }
}

/** Does what the pay button does. The control API calls it in the payer's place. */
export function tryToPay(gateway: Gateway, session: Session, form: Form): Tried {
  return form['method'] === 'bank'
    ? payByBank(gateway, session, (form['account'] ?? '').replaceAll(' ', ''))
    : payByCard(gateway, session, (form['card'] ?? '').replaceAll(' ', ''));
}

function answerTry(ctx: Context, session: Session, tried: Tried): void {
  if (tried === 'charged' || tried === 'delayed') {
    sendOn(ctx, session);
  } else {
    ctx.body =
      session.status === 'open'
        ? currentPage(session, typeof tried === 'object' ? tried.declined : undefined)
        : overPage(session);
  }
}

function currentPage(session: Session, problem?: string): string {
  const step = { session, action: `/stripe/c/pay/${session.id}`, problem };
  return typeof session.confirming === 'string' ? confirmPage(step) : payPage(step);
}

function sendOn(ctx: Context, session: Session): void {
  if (session.status === 'expired' || session.script.returns === false) {
    ctx.body = overPage(session);
    return;
  }
  redirect(ctx, session.successUrl, session);
}

function redirect(ctx: Context, url: string, session: Session): void {
  ctx.status = 303;
  ctx.set('location', filled(url, session));
}

/** Returns the URL with the session's id in place of the placeholder. */
export function filled(url: string, { id }: Session): string {
  return url.replaceAll('{CHECKOUT_SESSION_ID}', id);
}

function overPage(session: Session): string {
  if (session.status === 'expired') {
    return noticePage({ heading: 'Too late', text: 'This session has expired.', session });
  }
  return session.script.returns === false
    ? noticePage({
        heading: 'You are done',
        text: 'By its script the simulator does not send you back to the merchant.',
        session,
      })
    : noticePage({
        heading: 'You are done',
        text: 'This payment has ended.',
        session,
        link: { href: filled(session.successUrl, session), text: 'Back to the merchant' },
      });
}
