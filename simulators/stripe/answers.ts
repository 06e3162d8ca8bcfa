import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from 'koa';
import { ApiError } from './errors.ts';
import type { Gateway } from './gateway.ts';
import { newRequestId } from './identifiers.ts';
import { apiVersion } from './records.ts';
import type { Fields } from './records.ts';
import type { Fault, Operation, Script } from './scripts.ts';
import type { Saved } from './state.ts';

export type Call = {
  operation: Operation;
  /** Identifies the session whose calls a fault's `times` counts. */
  scope: string;
  script: Script;
  /** Whether the payer has finished. Until then, queries answer correctly unless the fault is `early`. */
  finished: boolean;
  /**
   * Performs the operation and returns its answer.
   * @throws ApiError, which is stored under the request's key like any result
   */
  act: () => Fields;
};

/** A request as stored under its idempotency key. */
export type Request = { account: string; body: string };

type Answer = { status: number; body: unknown };

const hugePaddingLength = 10_000_000;
const keyLengthMax = 255;
const htmlPage =
  '<!DOCTYPE html><html><head><title>Maintenance</title></head><body>We will be back soon.</body></html>';

/** Faults that delay or alter the real answer, so the operation must run first. */
const needsAnswer: ReadonlySet<string> = new Set(['slow', 'fields', 'truncated', 'huge']);
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
  const fault = takeFault({ gateway, call });
  const executed = fault === undefined || fault.executed === true || needsAnswer.has(fault.kind);
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
  if (executed) {
    answer = carryOut();
  } else if (ownAnswers.has(fault.kind)) {
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
      ? tell(ctx, answer)
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

async function tell(ctx: Context, { status, body }: Answer): Promise<void> {
  ctx.status = status;
  ctx.body = body;
}

function takeFault({ gateway, call }: { gateway: Gateway; call: Call }): Fault | undefined {
  const faults = call.script.faults?.[call.operation] ?? [];
  for (const [index, fault] of faults.entries()) {
    const counter = `${call.operation} ${index} ${call.scope}`;
    const used = gateway.state.faultsUsed.get(counter) ?? 0;
    const waits = call.operation === 'query' && !call.finished && !fault.early;
    if (used >= (fault.times ?? Infinity) || waits) {
      continue;
    }
    if (fault.times !== undefined) {
      gateway.record({ type: 'fault_used', counter });
    }
    return fault;
  }
  return undefined;
}

type Spoiling = { gateway: Gateway; fault: Fault; answer: Answer };

async function spoil(ctx: Context, { gateway, fault, answer }: Spoiling): Promise<void> {
  switch (fault.kind) {
    case 'unauthorized':
      return tell(ctx, refusal({ status: 401, message: 'Invalid API Key provided' }));
    case 'rate_limited':
      return tell(ctx, refusal({ status: 429, code: 'rate_limit', message: 'Too many requests' }));
    case 'html':
      ctx.status = 502;
      ctx.type = 'html';
      ctx.body = htmlPage;
      return;
    case 'empty':
      ctx.status = 200;
      ctx.type = 'json';
      ctx.body = '';
      return;
    case 'truncated': {
      const text = JSON.stringify(answer.body);
      ctx.type = 'json';
      ctx.body = text.slice(0, Math.floor(text.length / 2));
      return;
    }
    case 'huge':
      return tell(ctx, withMembers(answer, { padding: 'x'.repeat(hugePaddingLength) }));
    case 'fields':
      return tell(ctx, withMembers(answer, fault.set ?? {}));
    case 'slow':
      await wait({ ctx, gateway, ms: fault.delayMs ?? gateway.state.settings.slowMs });
      return tell(ctx, answer);
    case 'hang':
      await wait({ ctx, gateway, ms: gateway.state.settings.hangMs, late: fault.executed === 'late' });
      cut(ctx);
      return;
    case 'reset':
      cut(ctx);
      return;
    case 'http_500':
    case 'refused':
      return tell(ctx, ownAnswer(fault));
  }
}

function refusal(given: { status: number; code?: string; message: string }): Answer {
  return { status: given.status, body: new ApiError(given).body(newRequestId()) };
}

function withMembers({ status, body }: Answer, members: Fields): Answer {
  return { status, body: typeof body === 'object' ? { ...body, ...members } : body };
}

type Waiting = { ctx: Context; gateway: Gateway; ms: number; late?: boolean };

async function wait({ ctx, gateway, ms, late = false }: Waiting): Promise<void> {
  const gone = new AbortController();
  // A gateway that is still working does not notice that its client hung up.
  if (!late) {
    ctx.res.once('close', () => gone.abort());
  }
  await sleep(ms, undefined, { signal: AbortSignal.any([gateway.closing, gone.signal]) }).catch(() => undefined);
}

function cut(ctx: Context): void {
  ctx.respond = false;
  ctx.req.socket.destroy();
}
