import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from 'koa';
import { refusal } from './codes.ts';
import type { Code } from './codes.ts';
import type { Gateway } from './gateway.ts';
import type { Fault, Operation, Script } from './scripts.ts';

export type Answer = Readonly<Record<string, unknown>>;

export type Call = {
  operation: Operation;
  /** Identifies the payment whose calls a fault's `times` counts. */
  scope: string;
  script: Script;
  /** Whether the payer has finished. Until then, queries answer correctly unless the fault is `early`. */
  finished: boolean;
  /** Performs the operation and returns its answer. */
  act: () => Answer;
};

const hugePaddingLength = 10_000_000;
const htmlPage =
  '<!DOCTYPE html><html><head><title>Maintenance</title></head><body>We will be back soon.</body></html>';

/** Faults that delay or alter the real answer, so the operation must run first. */
const needsAnswer: ReadonlySet<string> = new Set(['slow', 'fields', 'truncated', 'huge']);

/** Answers a merchant's call, or fails in the scripted way. The journal is on disk before the answer is sent. */
export async function answerCall(ctx: Context, { gateway, call }: { gateway: Gateway; call: Call }): Promise<void> {
  const fault = takeFault({ gateway, call });
  const acts = fault === undefined || fault.executed === true || needsAnswer.has(fault.kind);
  const answer = acts ? call.act() : {};
  await gateway.settled();
  if (fault === undefined) {
    ctx.body = answer;
    return;
  }
  await spoil(ctx, { gateway, fault, answer });
  if (fault.executed === 'late') {
    call.act();
    await gateway.settled();
  }
}

/** Answers with a refusal, which this protocol sends as HTTP 200. */
export function refuse(ctx: Context, code: Code): void {
  ctx.body = refusal(code);
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
    case 'http_500':
      ctx.status = 500;
      ctx.body = { message: 'Internal server error' };
      return;
    case 'unauthorized':
      unauthorized(ctx);
      return;
    case 'message':
      ctx.status = 200;
      ctx.body = { message: 'Endpoint request timed out' };
      return;
    case 'html':
      ctx.type = 'html';
      ctx.body = htmlPage;
      return;
    case 'empty':
      ctx.status = 200;
      ctx.type = 'json';
      ctx.body = '';
      return;
    case 'truncated': {
      const text = JSON.stringify(answer);
      ctx.type = 'json';
      ctx.body = text.slice(0, Math.floor(text.length / 2));
      return;
    }
    case 'huge':
      ctx.body = { ...answer, padding: 'x'.repeat(hugePaddingLength) };
      return;
    case 'fields':
      ctx.body = overwrite({ answer, set: fault.set ?? {} });
      return;
    case 'refused':
      ctx.body = refusal(fault.code ?? '2003');
      return;
    case 'slow':
      await wait({ ctx, gateway, ms: fault.delayMs ?? gateway.state.settings.slowMs });
      ctx.body = answer;
      return;
    case 'hang':
      await wait({ ctx, gateway, ms: gateway.state.settings.hangMs, late: fault.executed === 'late' });
      cut(ctx);
      return;
    case 'reset':
      cut(ctx);
      return;
  }
}

/** Answers as the API gateway in front of bKash does when it rejects a token. */
export function unauthorized(ctx: Context): void {
  ctx.status = 401;
  ctx.body = { message: 'Unauthorized' };
}

/** Sets only members that the answer already has, because execution and query name the invoice differently. */
function overwrite({ answer, set }: { answer: Answer; set: NonNullable<Fault['set']> }): Answer {
  const changed = Object.entries(answer).map(([name, value]) => [name, Object.hasOwn(set, name) ? set[name] : value]);
  return Object.fromEntries(changed.filter(([, value]) => value !== null)) as Answer;
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
