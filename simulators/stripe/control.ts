import type { Router } from '@koa/router';
import { actionRoutes, commonControlRoutes, ownerNamed } from '../kit/control.ts';
import { payoutRoutes } from '../kit/payouts/control.ts';
import { merged } from '../kit/scripts.ts';
import { BodyError } from '../kit/form-body.ts';
import { goodAccount, goodCard } from './cards.ts';
import { filled, tryToPay } from './checkout.ts';
import { parseScript, parseSettings } from './control-input.ts';
import type { Courier } from './events.ts';
import { signedEvent } from './events.ts';
import { endConfirmation, endDelayed, endRefund, expireSession, sessionsOf } from './gateway.ts';
import type { Gateway } from './gateway.ts';
import { refundsOf } from './merchant-api.ts';
import { tellOfDispute, tellOfEnd, tellOfPayout } from './payout-events.ts';
import { payoutColumns } from './payouts.ts';
import { scriptTable } from './scripts.ts';
import type { Session } from './state.ts';

const base = '/__sim/stripe';

type Parts = { gateway: Gateway; courier: Courier };

/** Registers the control API, which tests and proofs use; ordinary payments never need it. Every change is a JSON request. */
export function controlRoutes(router: Router, { gateway, courier }: Parts): void {
  commonControlRoutes(router, {
    base,
    gateway,
    scriptTable,
    parseScript,
    parseSettings,
    countedAs: 'sessions',
    ownerIn: (body) => ({
      account: ownerNamed(gateway.accounts, { idOf: ({ id }) => id, id: body['account'], member: 'account' }).id,
    }),
  });
  actionRoutes(router, {
    path: `${base}/sessions`,
    called: 'session',
    find: (reference) => findSessions(gateway, reference),
    described: (session) => described(gateway, session),
    actions: {
      pay: (session, body) => payNow(gateway, session, body),
      confirm: (session) => confirmNow(gateway, session, true),
      refuse: (session) => confirmNow(gateway, session, false),
      settle: (session, body) => endDelayed(gateway, session, endingIn(body)),
      refunds: (session, body) =>
        refundsOf(gateway, session).forEach((refund) => endRefund(gateway, refund, endingIn(body))),
      expire: (session) => expireSession(gateway, session),
      deliver: (session) => void courier.deliverNow(session),
      script(session, body) {
        const script = merged(session.script, parseScript(body['script']));
        gateway.record({ type: 'session_changed', id: session.id, change: { script } });
      },
    },
    async settled() {
      await gateway.settled();
      courier.wake();
    },
  });
  payoutRoutes(router, {
    base,
    desk: gateway.desk,
    charges: gateway.charges,
    ownerMember: 'account',
    columns: payoutColumns,
    onPayouts: (payouts) => payouts.forEach((payout) => tellOfPayout(gateway, payout)),
    onPayoutEnded: (payout) => tellOfEnd(gateway, payout),
    onDispute: (dispute) => tellOfDispute(gateway, dispute),
  });
  router.get(`${base}/events`, (ctx) => {
    const { type } = ctx.query;
    const events = [...gateway.state.events.values()].filter((event) => type === undefined || event.type === type);
    ctx.body = events.map(({ id, account, type, at }) => ({ id, account, type, at }));
  });
  router.get(`${base}/events/:id`, (ctx) => {
    const event = gateway.state.events.get(String(ctx['params']['id']));
    ctx.status = event ? 200 : 404;
    ctx.body = event ? signedEvent(gateway, event, Date.now()) : { error: 'There is no such event' };
  });
}

/** Does what the payer would do on the page. */
function payNow(gateway: Gateway, session: Session, body: Readonly<Record<string, unknown>>): void {
  const { method = 'card', card = goodCard, account = goodAccount } = body;
  if (typeof card !== 'string' || typeof account !== 'string') {
    throw new BodyError(400, 'card and account are numbers written as text');
  }
  if (session.status === 'open') {
    tryToPay(gateway, session, { method: method === 'bank' ? 'bank' : 'card', card, account });
  }
}

function confirmNow(gateway: Gateway, session: Session, agreed: boolean): void {
  if (session.status === 'open' && typeof session.confirming === 'string') {
    endConfirmation(gateway, session, agreed);
  }
}

function endingIn(body: Readonly<Record<string, unknown>>): 'failed' | 'succeeded' {
  return body['ends'] === 'failed' ? 'failed' : 'succeeded';
}

function described(gateway: Gateway, session: Session) {
  const events = (gateway.state.eventsOf.get(session.id) ?? []).flatMap((id) => gateway.state.events.get(id) ?? []);
  return {
    ...session,
    successUrl: filled(session.successUrl, session),
    cancelUrl: session.cancelUrl === null ? null : filled(session.cancelUrl, session),
    refunds: refundsOf(gateway, session),
    events: events.map(({ id, type, at, deliveries }) => ({ id, type, at, deliveries })),
  };
}

function findSessions(gateway: Gateway, reference: string): Session[] {
  const byId = gateway.state.sessions.get(reference);
  return byId ? [byId] : gateway.accounts.flatMap(({ id }) => sessionsOf(gateway, { account: id, reference }));
}
