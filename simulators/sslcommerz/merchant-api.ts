import type { Router } from '@koa/router';
import type { Context } from 'koa';
import { readForm } from '../kit/form-body.ts';
import { answerCall } from './answers.ts';
import type { Answer } from './answers.ts';
import { createSession, expireIfDue, isCharged, isNotStarted, latestSession, sessionsOf } from './gateway.ts';
import type { Gateway } from './gateway.ts';
import { elementFields, pendingOutcome, recordedStatus, validationFields } from './records.ts';
import { endDueRefunds, refundRefusal, refundStatus, requestRefund } from './refunds.ts';
import { scriptForRequest } from './script-choice.ts';
import type { Script } from './scripts.ts';
import { sessionFailed, sessionMade } from './session-answer.ts';
import { credentialFailure, readSessionRequest } from './session-request.ts';
import type { Session } from './state.ts';

/** The parameters of a validator call. Names are in lower case because old plugins write Store_Id. */
type Parameters = Readonly<Record<string, string>>;

/** Registers the three URLs of the merchant's API. The validators accept GET and POST and read the query string in both cases. */
export function merchantRoutes(router: Router, gateway: Gateway): void {
  router.post('/gwprocess/v4/api.php', (ctx) => createSessionCall(ctx, gateway));
  router.register('/validator/api/validationserverAPI.php', ['GET', 'POST'], async (ctx) => {
    const parameters = await validatorParameters(ctx);
    await authenticated(ctx, { gateway, parameters, call: validationCall });
  });
  router.register('/validator/api/merchantTransIDvalidationAPI.php', ['GET', 'POST'], async (ctx) => {
    const parameters = await validatorParameters(ctx);
    await authenticated(ctx, { gateway, parameters, call: transactionCall });
  });
}

async function createSessionCall(ctx: Context, gateway: Gateway): Promise<void> {
  const form = await readForm(ctx.req);
  // The gateway treats an empty parameter as absent, because some clients send every name they know.
  const parameters = Object.fromEntries(Object.entries(form).filter(([, value]) => value !== ''));
  const storeId = parameters['store_id'] ?? '';
  if (connectState(gateway, { storeId, password: parameters['store_passwd'] ?? '' }) !== 'DONE') {
    ctx.body = sessionFailed(credentialFailure);
    return;
  }
  const script = scriptForRequest(gateway, { storeId, parameters });
  const scope = `${storeId} ${parameters['tran_id'] ?? ''}`;
  const act = (): Answer => {
    const read = readSessionRequest(parameters, gateway.state.settings);
    if ('failedReason' in read) {
      return sessionFailed(read.failedReason);
    }
    if (isCharged(gateway, { storeId, tranId: parameters['tran_id'] ?? '' })) {
      return sessionFailed("Invalid Information! 'tran_id' is already paid.");
    }
    return sessionMade(gateway, createSession(gateway, { storeId, parameters, terms: read.terms, script }));
  };
  const call = { operation: 'session' as const, scope, script, finished: false, act, refuse: sessionFailed };
  await answerCall(ctx, { gateway, call });
}

type Authenticated = { gateway: Gateway; storeId: string; parameters: Parameters };

async function authenticated(
  ctx: Context,
  given: { gateway: Gateway; parameters: Parameters; call: (ctx: Context, given: Authenticated) => Promise<void> },
): Promise<void> {
  const { gateway, parameters } = given;
  const storeId = parameters['store_id'] ?? '';
  const password = parameters['store_passwd'] ?? '';
  if (storeId === '' || password === '') {
    ctx.body = { APIConnect: 'INVALID_REQUEST' };
    return;
  }
  const connected = connectState(gateway, { storeId, password });
  if (connected !== 'DONE') {
    ctx.body = { APIConnect: connected };
    return;
  }
  await given.call(ctx, { gateway, storeId, parameters });
}

async function validationCall(ctx: Context, { gateway, storeId, parameters }: Authenticated): Promise<void> {
  const valId = parameters['val_id'] ?? '';
  if (valId === '') {
    ctx.body = { APIConnect: 'INVALID_REQUEST' };
    return;
  }
  const session = gateway.state.sessions.get(gateway.state.byValId.get(valId) ?? '');
  if (!session?.outcome || session.storeId !== storeId) {
    ctx.body = { status: 'INVALID_TRANSACTION', val_id: valId, APIConnect: 'DONE' };
    return;
  }
  const { outcome } = session;
  const act = (): Answer => {
    const status = recordedStatus(outcome);
    if (status === 'VALID') {
      gateway.record({ type: 'validated', key: session.key, at: Date.now() });
    }
    return { ...validationFields({ session, outcome }), status, APIConnect: 'DONE' };
  };
  const call = { operation: 'validation' as const, ...callOn(session), act, refuse: refusedRead };
  await answerCall(ctx, { gateway, call });
}

/** Serves four operations at one URL. The parameters that are present decide which one it is. */
async function transactionCall(ctx: Context, given: Authenticated): Promise<void> {
  const has = (name: string): boolean => (given.parameters[name] ?? '') !== '';
  if (has('refund_ref_id') && !has('refund_amount')) {
    await refundQueryCall(ctx, given);
  } else if (has('bank_tran_id')) {
    await refundCall(ctx, given);
  } else if (has('sessionkey')) {
    await sessionQueryCall(ctx, given);
  } else if (has('tran_id')) {
    await tranIdQueryCall(ctx, given);
  } else {
    ctx.body = { APIConnect: 'INVALID_REQUEST' };
  }
}

async function sessionQueryCall(ctx: Context, { gateway, storeId, parameters }: Authenticated): Promise<void> {
  const key = parameters['sessionkey'] ?? '';
  const session = gateway.state.sessions.get(key.toUpperCase());
  if (!session || session.storeId !== storeId) {
    ctx.body = { APIConnect: 'DONE', status: 'INVALID_TRANSACTION', sessionkey: key };
    return;
  }
  expireIfDue(gateway, session);
  const act = (): Answer => {
    const outcome = session.outcome ?? pendingOutcome(session);
    const status = session.outcome ? recordedStatus(session.outcome) : 'PENDING';
    return { ...validationFields({ session, outcome }), APIConnect: 'DONE', status, sessionkey: session.key };
  };
  const call = { operation: 'query' as const, ...callOn(session), act, refuse: refusedRead };
  await answerCall(ctx, { gateway, call });
}

async function tranIdQueryCall(ctx: Context, { gateway, storeId, parameters }: Authenticated): Promise<void> {
  const of = { storeId, tranId: parameters['tran_id'] ?? '' };
  const sessions = sessionsOf(gateway, of);
  for (const session of sessions) {
    expireIfDue(gateway, session);
  }
  const act = (): Answer => {
    const element = sessions.flatMap((session) =>
      session.outcome && !isNotStarted(session) ? [elementFields({ session, outcome: session.outcome })] : [],
    );
    return { APIConnect: 'DONE', no_of_trans_found: element.length, element };
  };
  const latest = latestSession(gateway, of);
  const subject = latest ? callOn(latest) : { scope: `${storeId} ${of.tranId}`, script: {}, finished: false };
  await answerCall(ctx, { gateway, call: { operation: 'query', ...subject, act, refuse: refusedRead } });
}

async function refundCall(ctx: Context, { gateway, storeId, parameters }: Authenticated): Promise<void> {
  const request = {
    bankTranId: parameters['bank_tran_id'] ?? '',
    transId: parameters['refund_trans_id'] ?? '',
    amount: parameters['refund_amount'] ?? '',
    remarks: parameters['refund_remarks'] ?? '',
  };
  const found = gateway.state.sessions.get(gateway.state.byBankTranId.get(request.bankTranId) ?? '');
  const session = found?.storeId === storeId ? found : undefined;
  const refused = { bankTranId: request.bankTranId, tranId: session?.tranId ?? '' };
  const bad = badRefundParameter(gateway, { ...request, reference: parameters['refe_id'] ?? '' });
  if (bad !== undefined) {
    ctx.body = { ...refundRefusal(refused, bad), APIConnect: 'INVALID_REQUEST' };
    return;
  }
  if (session?.outcome?.status !== 'VALID') {
    ctx.body = refundRefusal(refused, 'Invalid bank_tran_id');
    return;
  }
  endDueRefunds(gateway);
  const act = (): Answer => requestRefund(gateway, { session, ...request });
  const refuse = (reason: string): Answer => refundRefusal(refused, reason);
  await answerCall(ctx, { gateway, call: { operation: 'refund', ...callOn(session), act, refuse } });
}

async function refundQueryCall(ctx: Context, { gateway, storeId, parameters }: Authenticated): Promise<void> {
  const refId = parameters['refund_ref_id'] ?? '';
  const refund = gateway.state.refunds.get(refId);
  const session = gateway.state.sessions.get(refund?.sessionKey ?? '');
  if (!refund || session?.storeId !== storeId) {
    ctx.body = { APIConnect: 'DONE', refund_ref_id: refId, status: 'failed', errorReason: 'Invalid refund_ref_id' };
    return;
  }
  endDueRefunds(gateway);
  const act = (): Answer => refundStatus(gateway, refund);
  await answerCall(ctx, { gateway, call: { operation: 'refundQuery', ...callOn(session), act, refuse: refusedRead } });
}

function badRefundParameter(
  gateway: Gateway,
  request: { bankTranId: string; transId: string; amount: string; remarks: string; reference: string },
): string | undefined {
  if (request.amount === '' || request.remarks === '') {
    return 'refund_amount and refund_remarks are mandatory';
  }
  if (request.transId === '' && gateway.state.settings.refundTransId === 'required') {
    return 'refund_trans_id is mandatory';
  }
  const lengths: [string, string, number][] = [
    ['bank_tran_id', request.bankTranId, 80],
    ['refund_trans_id', request.transId, 30],
    ['refund_remarks', request.remarks, 255],
    ['refe_id', request.reference, 50],
  ];
  const long = lengths.find(([, value, max]) => [...value].length > max);
  return long === undefined ? undefined : `${long[0]} is longer than ${long[2]} characters`;
}

function callOn(session: Session): { scope: string; script: Script; finished: boolean } {
  return { scope: session.key, script: session.script, finished: session.outcome !== undefined };
}

function refusedRead(reason: string): Answer {
  return { APIConnect: 'FAILED', errorReason: reason };
}

export function connectState(
  gateway: Gateway,
  { storeId, password }: { storeId: string; password: string },
): 'DONE' | 'FAILED' | 'INACTIVE' {
  const store = gateway.stores.find((store) => store.id === storeId);
  if (store?.password !== password) {
    return 'FAILED';
  }
  return gateway.state.settings.inactiveStores.includes(storeId) ? 'INACTIVE' : 'DONE';
}

async function validatorParameters(ctx: Context): Promise<Parameters> {
  const body = ctx.method === 'POST' ? await readForm(ctx.req) : {};
  const query = Object.fromEntries(new URLSearchParams(ctx.querystring));
  const all = [...Object.entries(body), ...Object.entries(query)];
  return Object.fromEntries(all.map(([name, value]) => [name.toLowerCase(), value]));
}
