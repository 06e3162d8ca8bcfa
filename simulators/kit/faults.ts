import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from 'koa';
import type { CommonFault, Faults } from './scripts.ts';

type Waiting = { closing: AbortSignal; state: { settings: { hangMs: number; slowMs: number } } };
type Counting = { state: { faultsUsed: ReadonlyMap<string, number> } };

const hugePaddingLength = 10_000_000;
const htmlPage =
  '<!DOCTYPE html><html><head><title>Maintenance</title></head><body>We will be back soon.</body></html>';

/** Faults of every gateway that delay or alter the real answer, so the operation must run first. */
const needsAnswer: ReadonlySet<string> = new Set(['slow', 'fields', 'truncated', 'huge']);

/** Returns whether a call performs its operation before it is answered. */
export function performs(fault: CommonFault<string> | undefined): boolean {
  return fault === undefined || fault.executed === true || needsAnswer.has(fault.kind);
}

/** A merchant's call that can be scripted to fail. */
export type ScriptedCall<Operation extends string, Fault, Answer> = {
  operation: Operation;
  /** Identifies the payment whose calls a fault's `times` counts: a repeated call gets to the next stage. */
  scope: string;
  script: { faults?: Faults<Operation, Fault> };
  /** Whether the payment is finished. Until then, queries answer correctly unless the fault is `early`. */
  finished: boolean;
  /** Performs the operation and returns its answer. */
  act: () => Answer;
};

/** Returns the next fault of a call, and counts it as used. `queries` are the operations that fail only once the payment is finished. */
export function takeFault<Operation extends string, Fault extends CommonFault<string>>(
  gateway: Counting & { record(entry: { type: 'fault_used'; counter: string }): void },
  { operation, scope, script, finished }: ScriptedCall<Operation, Fault, unknown>,
  queries: readonly Operation[],
): Fault | undefined {
  const tooEarly = queries.includes(operation) && !finished;
  const faults: readonly Fault[] = script.faults?.[operation] ?? [];
  for (const [index, fault] of faults.entries()) {
    const counter = `${operation} ${index} ${scope}`;
    const used = gateway.state.faultsUsed.get(counter) ?? 0;
    if (used >= (fault.times ?? Infinity) || (tooEarly && !fault.early)) {
      continue;
    }
    if (fault.times !== undefined) {
      gateway.record({ type: 'fault_used', counter });
    }
    return fault;
  }
  return undefined;
}

/** The kinds that fail alike at every gateway. */
type CommonKind = 'http_500' | 'html' | 'empty' | 'truncated' | 'huge' | 'slow' | 'hang' | 'reset';

export type Spoiling = {
  gateway: Waiting;
  fault: CommonFault<string>;
  /** The fault's kind, narrowed to those that are handled here. */
  kind: CommonKind;
  answer: { status?: number; body: unknown };
};

/** Spoils an answer in a way that all gateways have in common. */
export async function spoilCommon(ctx: Context, { gateway, fault, kind, answer }: Spoiling): Promise<void> {
  const { settings } = gateway.state;
  ctx.status = answer.status ?? 200;
  switch (kind) {
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
      ctx.body = { ...Object(answer.body), padding: 'x'.repeat(hugePaddingLength) };
      return;
    case 'slow':
      await wait(ctx, { closing: gateway.closing, ms: fault.delayMs ?? settings.slowMs, late: false });
      ctx.body = answer.body;
      return;
    case 'hang':
      await wait(ctx, { closing: gateway.closing, ms: settings.hangMs, late: fault.executed === 'late' });
      cut(ctx);
      return;
    case 'reset':
      cut(ctx);
  }
}

/** It does no harm to wake early (the client hung up, the simulator closes), because no one reads the answer. */
async function wait(
  ctx: Context,
  { closing, ms, late }: { closing: AbortSignal; ms: number; late: boolean },
): Promise<void> {
  const gone = new AbortController();
  // A gateway that is still working does not notice that its client hung up.
  if (!late) {
    ctx.res.once('close', () => gone.abort());
  }
  await sleep(ms, undefined, { signal: AbortSignal.any([closing, gone.signal]) }).catch(() => undefined);
}

function cut(ctx: Context): void {
  ctx.respond = false;
  ctx.req.socket.destroy();
}
