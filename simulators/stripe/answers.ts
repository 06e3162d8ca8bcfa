import { createHash } from 'node:crypto';
import type { Context } from 'koa';
import { performs, spoilCommon, takeFault } from '../kit/faults.ts';
import type { ScriptedCall } from '../kit/faults.ts';
import { ApiError } from './errors.ts';
import type { Gateway } from './gateway.ts';
import { newRequestId } from './identifiers.ts';
import { apiVersion } from './records.ts';
import type { Fields } from './records.ts';
import type { Fault, Operation } from './scripts.ts';
import type { Saved } from './state.ts';

/** `act` may throw an ApiError, which is stored under the request's key like any result. */
export type Call = ScriptedCall<Operation, Fault, Fields>;

/** A request as stored under its idempotency key. */
export type Request = { account: string; body: string };

type Answer = { status: number; body: unknown };

const keyLengthMax = 255;

/** Answers that come from the gateway itself, so an idempotency key repeats them. */
const ownAnswers: ReadonlySet<string> = new Set(['http_500', 'refused']);

/**
 * Answers a call, or fails in the scripted way. The journal is on disk before the answer is sent. A POST with an idempotency key is carried out once:
 * its first result is stored and repeated, whatever it was.
 * @throws ApiError for a key that was used for a different request, or whose first request is still in progress
 */
export async function answerCall(
  ctx: Context,
  { gateway, request, prepare }: { gateway: Gateway; request: Request; prepare: () => Call },
): Promise<void> {
  const key = keyOf(ctx, request);
  const fingerprint = createHash('sha256').update(`${ctx.method} ${ctx.path}\n${request.body}`).digest('hex');
  const kept = key === null ? undefined : savedUnder(gateway, key, fingerprint);
  const call = prepare();
  const fault = takeFault(gateway, call, ['query']);
  const carryOut = (): Answer => {
    const answer = kept ?? outcomeOf(call);
    if (key !== null && kept === undefined) {
      gateway.record({ type: 'saved', key, saved: { ...answer, fingerprint, at: Date.now() } });
    }
    return answer;
  };
  // Must precede every await, because another request with this key may arrive meanwhile.
  const working = key !== null && (fault?.kind === 'slow' || fault?.executed === 'late') ? key : undefined;
  if (working !== undefined) {
    gateway.inProgress.add(working);
  }
  let answer: Answer = { status: 200, body: {} };
  if (performs(fault)) {
    answer = carryOut();
  } else if (fault !== undefined && ownAnswers.has(fault.kind)) {
    answer = kept ?? ownAnswer(fault);
    if (key !== null && kept === undefined) {
      gateway.record({ type: 'saved', key, saved: { ...answer, fingerprint, at: Date.now() } });
    }
  }
  try {
    await gateway.settled();
    if (kept !== undefined) {
      ctx.set('idempotent-replayed', 'true');
    }
    await (fault === undefined || ownAnswers.has(fault.kind)
      ? send(ctx, answer)
      : spoil(ctx, { gateway, fault, answer }));
    if (fault?.executed === 'late') {
      carryOut();
      await gateway.settled();
    }
  } finally {
    gateway.inProgress.delete(working ?? '');
  }
}

/** @throws ApiError */
function keyOf(ctx: Context, { account }: Request): string | null {
  const key = ctx.method === 'POST' ? ctx.get('idempotency-key') : '';
  if (key.length > keyLengthMax) {
    throw new ApiError({ message: `Idempotency keys have up to ${keyLengthMax} characters.` });
  }
  if (key === '') {
    return null;
  }
  ctx.set('idempotency-key', key);
  return `${account} ${key}`;
}

function savedUnder({ state, inProgress }: Gateway, key: string, fingerprint: string): Saved | undefined {
  if (inProgress.has(key)) {
    const message = 'There is currently another in-progress request using this Idempotency Key.';
    throw new ApiError({ status: 409, code: 'idempotency_key_in_use', message });
  }
  const saved = state.saved.get(key);
  if (saved === undefined || Date.now() - saved.at > state.settings.idempotencyTtlMs) {
    return undefined;
  }
  if (saved.fingerprint !== fingerprint) {
    const message = 'Keys for idempotent requests can only be used with the same parameters they were first used with.';
    throw new ApiError({ type: 'idempotency_error', message });
  }
  return saved;
}

function outcomeOf(call: Call): Answer {
  try {
    return { status: 200, body: call.act() };
  } catch (error) {
    if (error instanceof ApiError) {
      return { status: error.status, body: error.body(newRequestId()) };
    }
    throw error;
  }
}

function ownAnswer(fault: Fault): Answer {
  const error =
    fault.kind === 'http_500'
      ? new ApiError({ status: 500, type: 'api_error', message: 'An unknown error occurred' })
      : new ApiError({ code: fault.code ?? 'account_invalid', message: 'The request is refused by the script.' });
  return { status: error.status, body: error.body(newRequestId()) };
}

export function answerHeaders(ctx: Context): void {
  ctx.set({ 'request-id': newRequestId(), 'stripe-version': ctx.get('stripe-version') || apiVersion });
}

async function send(ctx: Context, { status, body }: Answer): Promise<void> {
  ctx.status = status;
  ctx.body = body;
}

type Spoiling = { gateway: Gateway; fault: Fault; answer: Answer };

async function spoil(ctx: Context, { gateway, fault, answer }: Spoiling): Promise<void> {
  switch (fault.kind) {
    case 'unauthorized':
      return send(ctx, refusal({ status: 401, message: 'Invalid API Key provided' }));
    case 'rate_limited':
      return send(ctx, refusal({ status: 429, code: 'rate_limit', message: 'Too many requests' }));
    case 'html':
      return spoilCommon(ctx, { gateway, fault, kind: fault.kind, answer: { ...answer, status: 502 } });
    case 'fields':
      return send(ctx, withMembers(answer, fault.set ?? {}));
    case 'http_500':
    case 'refused':
      return send(ctx, ownAnswer(fault));
    default:
      return spoilCommon(ctx, { gateway, fault, kind: fault.kind, answer });
  }
}

function refusal(given: { status: number; code?: string; message: string }): Answer {
  return { status: given.status, body: new ApiError(given).body(newRequestId()) };
}

function withMembers({ status, body }: Answer, members: Fields): Answer {
  return { status, body: typeof body === 'object' ? { ...body, ...members } : body };
}
