import { randomUUID } from 'node:crypto';
import type { Router } from '@koa/router';
import type { Context } from 'koa';
import { BodyError, readJsonObject } from '../form-body.ts';
import { finishByPayer } from './checkout.ts';
import { parseScript, parseSettings } from './control-input.ts';
import type { Courier } from './courier.ts';
import { errorTexts, finishSession, sessionsOf } from './gateway.ts';
import type { Gateway } from './gateway.ts';
import { findInstrument } from './instruments.ts';
import type { Instrument } from './instruments.ts';
import { mergeScripts, scriptTable } from './scripts.ts';
import type { PayOutcome } from './scripts.ts';
import type { Session } from './state.ts';

type Parts = { gateway: Gateway; courier: Courier };

const queuedSessionsMax = 10_000;

/** Registers the control API, which tests and proofs use; ordinary payments never need it. Every change is a JSON request. */
export function controlRoutes(router: Router, { gateway, courier }: Parts): void {
  router.get('/__sim/config', (ctx) => {
    ctx.body = gateway.state.settings;
  });
  router.put('/__sim/config', async (ctx) => {
    gateway.record({ type: 'settings', settings: parseSettings(await readJsonObject(ctx.req)) });
    await gateway.settled();
    ctx.body = gateway.state.settings;
  });
  router.get('/__sim/scripts', (ctx) => {
    ctx.body = { table: scriptTable, queued: [...gateway.state.queuedScripts.values()] };
  });
  router.post('/__sim/scripts', (ctx) => queueScript(ctx, gateway));
  router.get('/__sim/sessions/:reference', (ctx) => {
    ctx.body = findSessions(ctx, gateway).map((session) => describeSession(gateway, session));
  });
  router.post('/__sim/sessions/:reference/:action', async (ctx) => {
    await actOnSession(ctx, { gateway, courier });
  });
}

async function queueScript(ctx: Context, gateway: Gateway): Promise<void> {
  const body = await readJsonObject(ctx.req);
  const { storeId, sessions = 1 } = body;
  const store = gateway.stores.find((store) => store.id === (storeId ?? gateway.stores[0]?.id));
  if (!store) {
    throw new BodyError(400, 'storeId names no store');
  }
  if (typeof sessions !== 'number' || !Number.isInteger(sessions) || sessions < 1 || sessions > queuedSessionsMax) {
    throw new BodyError(400, `sessions is a whole number from 1 to ${queuedSessionsMax}`);
  }
  const queued = { id: randomUUID(), storeId: store.id, script: parseScript(body['script']), left: sessions };
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
    case 'deliver':
      ctx.body = { deliveries: courier.deliverNow(session) };
      break;
    case 'script':
      gateway.record({
        type: 'session_script',
        key: session.key,
        script: mergeScripts(session.script, parseScript(body['script'])),
      });
      ctx.body = describeSession(gateway, session);
      break;
    case 'expire':
      expireNow(gateway, session);
      ctx.body = describeSession(gateway, session);
      break;
    case 'finish':
      finishNow(gateway, { session, body });
      ctx.body = describeSession(gateway, session);
      break;
    default:
      throw new BodyError(404, 'The actions are deliver, script, expire and finish');
  }
  await gateway.settled();
}

function expireNow(gateway: Gateway, session: Session): void {
  // Counts the session as opened, because tests expire a session by hand to get the notice.
  gateway.record({ type: 'opened', key: session.key, at: Date.now() });
  finishSession(gateway, { session, status: 'EXPIRED', instrument: '', error: errorTexts.EXPIRED });
}

function finishNow(gateway: Gateway, { session, body }: { session: Session; body: Record<string, unknown> }): void {
  const { status = 'VALID', instrument = 'visa' } = body;
  const chosen: Instrument | undefined = typeof instrument === 'string' ? findInstrument(instrument) : undefined;
  const ended = Object.keys(errorTexts).find((name) => name === status) as PayOutcome | undefined;
  if (!chosen || !ended) {
    throw new BodyError(400, `status is one of ${Object.keys(errorTexts).join(', ')}; instrument is an id of the page`);
  }
  gateway.record({ type: 'opened', key: session.key, at: Date.now() });
  finishByPayer(gateway, { session, status: ended, instrument: chosen, error: errorTexts[ended] });
}

function findSessions(ctx: Context, gateway: Gateway): Session[] {
  const reference = String(ctx['params']['reference']);
  const byKey = gateway.state.sessions.get(reference.toUpperCase());
  return byKey
    ? [byKey]
    : gateway.stores.flatMap((store) => sessionsOf(gateway, { storeId: store.id, tranId: reference }));
}

function describeSession(gateway: Gateway, session: Session) {
  const { state } = gateway;
  const deliveries = (state.deliveriesBySession.get(session.key) ?? []).flatMap((id) => state.deliveries.get(id) ?? []);
  const refundIds = state.refundsByBankTranId.get(session.outcome?.bankTranId ?? '') ?? [];
  return { ...session, deliveries, refunds: refundIds.flatMap((id) => state.refunds.get(id) ?? []) };
}
