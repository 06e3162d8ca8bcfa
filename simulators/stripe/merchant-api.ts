import { timingSafeEqual } from 'node:crypto';
import type { Router } from '@koa/router';
import type { Context } from 'koa';
import { readBody } from '../kit/form-body.ts';
import { isLive } from './accounts.ts';
import type { Account } from './accounts.ts';
import { answerCall, answerHeaders } from './answers.ts';
import type { Call } from './answers.ts';
import { ApiError, invalidParameter, missing, missingParameter } from './errors.ts';
import { listOf, readParameters } from './form-encoding.ts';
import type { Parameters } from './form-encoding.ts';
import { expireIfDue, expireSession, passTime, refundCharge } from './gateway.ts';
import type { Gateway } from './gateway.ts';
import { newRequestId, newSessionId } from './identifiers.ts';
import { decimalText } from './money.ts';
import { chargeFields, checkExpand, intentFields, listFields, refundFields, sessionFields } from './records.ts';
import type { Expand, Fields } from './records.ts';
import { payoutCalls } from './payout-api.ts';
import { scriptForSession } from './script-choice.ts';
import type { Script } from './scripts.ts';
import { metadataAt, readSessionRequest, refuseUnknown, wholeNumber } from './session-request.ts';
import type { Refund, Session } from './state.ts';

/** A request of a merchant whose key is valid. */
type Asked = { gateway: Gateway; account: Account; given: Parameters; id: string };

/** Registers the merchant's API. Parameters have the bracket form; answers and errors are JSON. */
export function merchantRoutes(router: Router, gateway: Gateway): void {
  const calls: readonly ['get' | 'post', string, (asked: Asked) => Call][] = [
    ['post', '/v1/checkout/sessions', createSession],
    ['get', '/v1/checkout/sessions/:id', readSession],
    ['post', '/v1/checkout/sessions/:id/expire', expireNow],
    ['get', '/v1/payment_intents/:id', readIntent],
    ['get', '/v1/charges/:id', readCharge],
    ['post', '/v1/refunds', createRefund],
    ['get', '/v1/refunds', listRefunds],
    ['get', '/v1/refunds/:id', readRefund],
    ...payoutCalls,
  ];
  for (const [method, path, prepare] of calls) {
    router[method](path, (ctx) =>
      withErrors(ctx, async () => {
        const account = authenticate(ctx, gateway);
        const body = ctx.method === 'POST' ? (await readBody(ctx.req)).toString('utf8') : '';
        const given = readParameters(ctx.method === 'POST' ? body : ctx.querystring);
        const id = String(ctx['params']['id'] ?? '');
        passTime(gateway);
        const request = { account: account.id, body };
        await answerCall(ctx, { gateway, request, prepare: () => prepare({ gateway, account, given, id }) });
      }),
    );
  }
  router.all(/^\/v1\/.*/, (ctx) =>
    withErrors(ctx, async () => {
      const message = `Unrecognized request URL (${ctx.method}: ${ctx.path}).`;
      throw new ApiError({ status: 404, message });
    }),
  );
}

async function withErrors(ctx: Context, work: () => Promise<void>): Promise<void> {
  answerHeaders(ctx);
  try {
    await work();
  } catch (error) {
    if (!(error instanceof ApiError)) {
      throw error;
    }
    ctx.status = error.status;
    ctx.body = error.body(newRequestId());
  }
}

function authenticate(ctx: Context, { accounts }: Gateway): Account {
  const basic = /^Basic ([A-Za-z0-9+/=]+)$/.exec(ctx.get('authorization'))?.[1];
  const key =
    /^Bearer (\S+)$/.exec(ctx.get('authorization'))?.[1] ??
    (basic === undefined ? undefined : Buffer.from(basic, 'base64').toString('utf8').split(':')[0]);
  if (key === undefined) {
    throw new ApiError({ status: 401, message: 'You did not provide an API key.' });
  }
  const account = accounts.find(({ secretKey }) => same(secretKey, key));
  if (!account) {
    throw new ApiError({ status: 401, message: `Invalid API Key provided: ${key.slice(0, 8)}****` });
  }
  return account;
}

function same(left: string, right: string): boolean {
  const [one, other] = [Buffer.from(left), Buffer.from(right)];
  return one.length === other.length && timingSafeEqual(one, other);
}

function createSession({ gateway, account, given }: Asked): Call {
  const now = Date.now();
  const read = readSessionRequest(given, now);
  const expand = expandOf(given, 'session');
  const script = scriptForSession(gateway, {
    account: account.id,
    reference: read.reference,
    amount: decimalText(read.amount, read.currency),
  });
  const act = (): Fields => {
    const session: Session = {
      ...read,
      id: newSessionId(isLive(account)),
      account: account.id,
      createdAt: now,
      script,
      status: 'open',
      paid: false,
    };
    gateway.record({ type: 'session', session });
    return sessionFields(gateway, session, expand);
  };
  return { operation: 'create', scope: `${account.id} ${read.reference ?? ''}`, script, finished: false, act };
}

function readSession({ gateway, account, given, id }: Asked): Call {
  refuseUnknown(given, ['expand'], '');
  const expand = expandOf(given, 'session');
  const session = sessionOf(gateway, account, id);
  expireIfDue(gateway, session);
  return { operation: 'query', ...callOn(session), act: () => sessionFields(gateway, session, expand) };
}

function expireNow({ gateway, account, given, id }: Asked): Call {
  refuseUnknown(given, ['expand'], '');
  const expand = expandOf(given, 'session');
  const session = sessionOf(gateway, account, id);
  const act = (): Fields => {
    if (session.status !== 'open') {
      const message = `Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of \`${session.status}\`.`;
      throw new ApiError({ message });
    }
    expireSession(gateway, session);
    return sessionFields(gateway, session, expand);
  };
  return { operation: 'expire', ...callOn(session), act };
}

function readIntent({ gateway, account, given, id }: Asked): Call {
  refuseUnknown(given, ['expand'], '');
  const expand = expandOf(given, 'intent');
  const session = sessionByIntent(gateway, account, id);
  return { operation: 'query', ...callOn(session), act: () => intentFields(gateway, session, expand) };
}

function readCharge({ gateway, account, given, id }: Asked): Call {
  refuseUnknown(given, ['expand'], '');
  const expand = expandOf(given, 'charge');
  const session = sessionByCharge(gateway, account, id);
  return { operation: 'query', ...callOn(session), act: () => chargeFields(gateway, session, expand) };
}

const refundReasons = ['duplicate', 'fraudulent', 'requested_by_customer'];

function createRefund({ gateway, account, given }: Asked): Call {
  refuseUnknown(given, ['payment_intent', 'charge', 'amount', 'reason', 'metadata', 'expand'], '');
  const { payment_intent: intentId, charge: chargeId, amount, reason } = given;
  const expand = expandOf(given, 'refund');
  const metadata = metadataAt(given, '');
  if ((intentId === undefined) === (chargeId === undefined)) {
    throw missingParameter('payment_intent');
  }
  if (reason !== undefined && !refundReasons.includes(String(reason))) {
    throw invalidParameter('reason', `Invalid reason: must be one of ${refundReasons.join(', ')}`);
  }
  const asked = amount === undefined ? undefined : wholeNumber(amount, 'amount');
  if (asked === 0) {
    throw invalidParameter('amount', 'Invalid positive integer', 'parameter_invalid_integer');
  }
  const session =
    intentId === undefined
      ? sessionByCharge(gateway, account, String(chargeId), 'charge')
      : sessionByIntent(gateway, account, String(intentId), 'payment_intent');
  const act = (): Fields => {
    const request = { amount: asked, reason: reason === undefined ? null : String(reason), metadata };
    return refundFields(gateway, refundCharge(gateway, session, request), expand);
  };
  return { operation: 'refund', ...callOn(session), act };
}

const listMax = 100;

/** Newest first, as in all lists of the gateway. */
function listRefunds({ gateway, account, given }: Asked): Call {
  refuseUnknown(given, ['payment_intent', 'charge', 'limit', 'starting_after', 'expand'], '');
  const limit = given['limit'] === undefined ? 10 : wholeNumber(given['limit'], 'limit');
  if (limit < 1 || limit > listMax) {
    throw invalidParameter('limit', `Invalid limit: from 1 to ${listMax}`);
  }
  const { payment_intent: intentId, charge: chargeId, starting_after: after } = given;
  if (intentId === undefined && chargeId === undefined) {
    throw missingParameter('payment_intent');
  }
  const session =
    intentId === undefined
      ? sessionByCharge(gateway, account, String(chargeId), 'charge')
      : sessionByIntent(gateway, account, String(intentId), 'payment_intent');
  const act = (): Fields => {
    const all = refundsOf(gateway, session).toReversed();
    const from = after === undefined ? 0 : all.findIndex((refund) => refund.id === after) + 1;
    const data = all.slice(from, from + limit).map((refund) => refundFields(gateway, refund));
    return listFields({ url: '/v1/refunds', data, more: from + limit < all.length });
  };
  return { operation: 'refundQuery', ...callOn(session), act };
}

function readRefund({ gateway, account, given, id }: Asked): Call {
  refuseUnknown(given, ['expand'], '');
  const expand = expandOf(given, 'refund');
  const refund = gateway.state.refunds.get(id);
  const session = gateway.state.sessions.get(refund?.sessionId ?? '');
  if (!refund || session?.account !== account.id) {
    throw missing('refund', id);
  }
  return { operation: 'refundQuery', ...callOn(session), act: () => refundFields(gateway, refund, expand) };
}

export function refundsOf({ state }: Gateway, { id }: Session): Refund[] {
  return (state.refundsOf.get(id) ?? []).flatMap((refundId) => state.refunds.get(refundId) ?? []);
}

function callOn(session: Session): { scope: string; script: Script; finished: boolean } {
  return { scope: session.id, script: session.script, finished: session.status !== 'open' };
}

function expandOf(given: Parameters, kind: 'session' | 'intent' | 'charge' | 'refund'): Expand {
  return checkExpand(listOf(given['expand']).map(String), kind);
}

/** A session of another account counts as missing. */
function sessionOf({ state }: Gateway, account: Account, id: string): Session {
  const session = state.sessions.get(id);
  if (session?.account !== account.id) {
    throw missing('checkout.session', id, 'session');
  }
  return session;
}

function sessionByIntent({ state }: Gateway, account: Account, id: string, param = 'intent'): Session {
  const session = state.sessions.get(state.byIntent.get(id) ?? '');
  if (session?.account !== account.id) {
    throw missing('payment_intent', id, param);
  }
  return session;
}

function sessionByCharge({ state }: Gateway, account: Account, id: string, param = 'charge'): Session {
  const session = state.sessions.get(state.byCharge.get(id) ?? '');
  if (session?.account !== account.id) {
    throw missing('charge', id, param);
  }
  return session;
}
