import { randomUUID } from 'node:crypto';
import type { Router } from '@koa/router';
import type { Context } from 'koa';
import { BodyError, readJsonObject } from '../form-body.ts';
import { goodAccount, goodCard } from './cards.ts';
import { filled, tryToPay } from './checkout.ts';
import { parseScript, parseSettings } from './control-input.ts';
import type { Courier } from './events.ts';
import { signedEvent } from './events.ts';
import { endConfirmation, endDelayed, endRefund, expireSession, sessionsOf } from './gateway.ts';
import type { Gateway } from './gateway.ts';
import { refundsOf } from './merchant-api.ts';
import { mergeScripts, scriptTable } from './scripts.ts';
import type { Session } from './state.ts';

const queuedSessionsMax = 10_000;
const base = '/__sim/stripe';

type Parts = { gateway: Gateway; courier: Courier };

/** Registers the control API, which tests and proofs use; ordinary payments never need it. Every change is a JSON request. */
export function controlRoutes(router: Router, { gateway, courier }: Parts): void {
  router.get(`${base}/config`, (ctx) => {
    ctx.body = gateway.state.settings;
  });
  router.put(`${base}/config`, async (ctx) => {
    gateway.record({ type: 'settings', settings: parseSettings(await readJsonObject(ctx.req)) });
    await gateway.settled();
    ctx.body = gateway.state.settings;
  });
  router.get(`${base}/scripts`, (ctx) => {
    ctx.body = { table: scriptTable, queued: [...gateway.state.queuedScripts.values()] };
  });
  router.post(`${base}/scripts`, (ctx) => queueScript(ctx, gateway));
  router.get(`${base}/sessions/:reference`, (ctx) => {
    ctx.body = findSessions(ctx, gateway).map((session) => described(gateway, session));
  });
  router.post(`${base}/sessions/:reference/:action`, (ctx) => actOnSession(ctx, { gateway, courier }));
  router.get(`${base}/events/:id`, (ctx) => {
    const event = gateway.state.events.get(String(ctx['params']['id']));
    ctx.status = event ? 200 : 404;
    ctx.body = event ? signedEvent(gateway, event, Date.now()) : { error: 'There is no such event' };
  });
}

async function queueScript(ctx: Context, gateway: Gateway): Promise<void> {
  const body = await readJsonObject(ctx.req);
  const { sessions = 1 } = body;
  if (typeof sessions !== 'number' || !Number.isInteger(sessions) || sessions < 1 || sessions > queuedSessionsMax) {
    throw new BodyError(400, `sessions is a whole number from 1 to ${queuedSessionsMax}`);
  }
  const account = accountNamed(gateway, body['account']);
  const queued = { id: randomUUID(), account: account.id, script: parseScript(body['script']), left: sessions };
  gateway.record({ type: 'script_queued', queued });
  await gateway.settled();
  ctx.status = 201;
  ctx.body = queued;
}

async function actOnSession(ctx: Context, { gateway, courier }: Parts): Promise<void> {
  const body = await readJsonObject(ctx.req);
  const session = findSessions(ctx, gateway).at(-1);
  if (!session) {
    throw new BodyError(404, 'There is no such session');
  }
  switch (ctx['params']['action']) {
    case 'pay':
      payNow(gateway, session, body);
      break;
    case 'confirm':
    case 'refuse':
      if (session.status === 'open' && typeof session.confirming === 'string') {
        endConfirmation(gateway, session, ctx['params']['action'] === 'confirm');
      }
      break;
    case 'settle':
      endDelayed(gateway, session, body['ends'] === 'failed' ? 'failed' : 'succeeded');
      break;
    case 'refunds':
      for (const refund of refundsOf(gateway, session)) {
        endRefund(gateway, refund, body['ends'] === 'failed' ? 'failed' : 'succeeded');
      }
      break;
    case 'expire':
      expireSession(gateway, session);
      break;
    case 'deliver':
      courier.deliverNow(session);
      break;
    case 'script': {
      const script = mergeScripts(session.script, parseScript(body['script']));
      gateway.record({ type: 'session_changed', id: session.id, change: { script } });
      break;
    }
    default:
      throw new BodyError(404, 'The actions are pay, confirm, refuse, settle, refunds, expire, deliver and script');
  }
  await gateway.settled();
  courier.wake();
  ctx.body = described(gateway, session);
}

/** Does what the payer would do on the page. */
function payNow(gateway: Gateway, session: Session, body: Record<string, unknown>): void {
  const { method = 'card', card = goodCard, account = goodAccount } = body;
  if (typeof card !== 'string' || typeof account !== 'string') {
    throw new BodyError(400, 'card and account are numbers written as text');
  }
  if (session.status === 'open') {
    tryToPay(gateway, session, { method: method === 'bank' ? 'bank' : 'card', card, account });
  }
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

function findSessions(ctx: Context, gateway: Gateway): Session[] {
  const reference = String(ctx['params']['reference']);
  const byId = gateway.state.sessions.get(reference);
  return byId ? [byId] : gateway.accounts.flatMap(({ id }) => sessionsOf(gateway, { account: id, reference }));
}

function accountNamed({ accounts }: Gateway, id: unknown) {
  const account = id === undefined ? accounts[0] : accounts.find((one) => one.id === id);
  if (!account) {
    throw new BodyError(400, 'account names none');
  }
  return account;
}
