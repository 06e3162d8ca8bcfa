import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from 'koa';
import type { Gateway } from './gateway.ts';
import type { Fault, Operation, Script } from './scripts.ts';
import { faultCounter } from './state.ts';

/** A JSON answer of the gateway. Answers to queries by tran_id contain elements. */
export type Answer = Readonly<Record<string, unknown>>;

export type Call = {
  operation: Operation;
  /** Identifies the transaction whose calls a fault's `times` counts. */
  scope: string;
  script: Script;
  /** Whether the session has ended. Until then, validation and query answer correctly unless the fault is `early`. */
  ended: boolean;
  /** Performs the operation and returns its answer. */
  act: () => Answer;
  /** Does nothing and returns an answer with the reason. */
  refuse: (reason: string) => Answer;
};

const hugePaddingLength = 10_000_000;
const htmlPage =
  '<!DOCTYPE html><html><head><title>Maintenance</title></head><body>We will be back soon.</body></html>';

/** Faults that delay or alter the real answer, so the operation must run first. */
const needsAnswer: ReadonlySet<string> = new Set(['slow', 'fields', 'truncated', 'huge']);

/** Answers a merchant's call, or fails in the scripted way. The journal is on disk before the answer is sent. */
export async function answerCall(ctx: Context, { gateway, call }: { gateway: Gateway; call: Call }): Promise<void> {
  const fault = takeFault({ gateway, call });
  if (fault?.kind === 'refused') {
    await gateway.settled();
    ctx.body = call.refuse(fault.reason ?? 'Refused');
    return;
  }
  const acts = fault === undefined || fault.executed === true || needsAnswer.has(fault.kind);
  const answer = acts ? call.act() : {};
  await gateway.settled();
  if (fault === undefined) {
    ctx.body = answer;
    return;
  }
  await spoil(ctx, { gateway, fault, answer });
}

function takeFault({ gateway, call }: { gateway: Gateway; call: Call }): Fault | undefined {
  const faults = call.script.faults?.[call.operation] ?? [];
  const waits = call.operation === 'validation' || call.operation === 'query';
  for (const [index, fault] of faults.entries()) {
    const counter = faultCounter({ operation: call.operation, scope: call.scope, index });
    const used = gateway.state.faultsUsed.get(counter) ?? 0;
    if (used >= (fault.times ?? Infinity) || (waits && !call.ended && !fault.early)) {
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
      ctx.type = 'html';
      ctx.body = '<html><body><h1>500 Internal Server Error</h1></body></html>';
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
    case 'slow':
      await wait({ ctx, gateway, ms: fault.delayMs ?? gateway.state.settings.slowMs });
      ctx.body = answer;
      return;
    case 'hang':
      await wait({ ctx, gateway, ms: gateway.state.settings.hangMs });
      cut(ctx);
      return;
    case 'reset':
      cut(ctx);
      return;
    case 'refused':
      return;
  }
}

/** APIConnect belongs to the call. If the answer contains transactions, all other members belong to those. */
function overwrite({ answer, set }: { answer: Answer; set: Readonly<Record<string, string>> }): Answer {
  const { element } = answer;
  if (!Array.isArray(element)) {
    return { ...answer, ...set };
  }
  const { APIConnect = answer['APIConnect'], ...inside } = set;
  return { ...answer, APIConnect, element: element.map((one: Answer) => ({ ...one, ...inside })) };
}

async function wait({ ctx, gateway, ms }: { ctx: Context; gateway: Gateway; ms: number }): Promise<void> {
  const gone = new AbortController();
  ctx.res.once('close', () => gone.abort());
  // It does no harm to wake early (the client hung up, the simulator closes), because no one reads the answer.
  await sleep(ms, undefined, { signal: AbortSignal.any([gateway.closing, gone.signal]) }).catch(() => undefined);
}

function cut(ctx: Context): void {
  ctx.respond = false;
  ctx.req.socket.destroy();
}
