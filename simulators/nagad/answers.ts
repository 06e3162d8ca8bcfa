import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from 'koa';
import type { Gateway } from './gateway.ts';
import { refuse } from './refusal.ts';
import type { Fault, Operation, Script } from './scripts.ts';
import { faultCounter } from './state.ts';

export type Answer = Readonly<Record<string, unknown>>;

export type Call = {
  operation: Operation;
  /** Identifies what a fault's `times` counts: one order id, no matter how often it was initialized. */
  scope: string;
  script: Script;
  /** Whether the order has ended. Until then, verification answers correctly unless the fault is `early`. */
  ended: boolean;
  /** Performs the operation and returns its answer. */
  act: () => Answer;
};

const hugePaddingLength = 10_000_000;
const htmlPage =
  '<!DOCTYPE html><html><head><title>Maintenance</title></head><body>We will be back soon.</body></html>';
const ciphertextBytes = 256;

/** Faults that delay or alter the real answer, so the operation must run first. */
const needsAnswer: ReadonlySet<string> = new Set([
  'slow',
  'fields',
  'truncated',
  'huge',
  'bad_signature',
  'no_signature',
  'garbled',
]);

/** Answers a merchant's call, or fails in the scripted way. The journal is on disk before the answer is sent. */
export async function answerCall(ctx: Context, { gateway, call }: { gateway: Gateway; call: Call }): Promise<void> {
  const fault = takeFault({ gateway, call });
  if (fault?.kind === 'refused') {
    await gateway.settled();
    refuse(ctx, fault.reason);
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
  for (const [index, fault] of faults.entries()) {
    const counter = faultCounter({ operation: call.operation, scope: call.scope, index });
    const used = gateway.state.faultsUsed.get(counter) ?? 0;
    if (used >= (fault.times ?? Infinity) || (call.operation === 'verify' && !call.ended && !fault.early)) {
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
    case 'http_500':
      ctx.status = 500;
      ctx.type = 'html';
      ctx.body = '<html><body><h1>500 Internal Server Error</h1></body></html>';
      return;
    case 'html':
      ctx.type = 'html';
      ctx.body = htmlPage;
      return;
    default:
      spoilJson(ctx, { fault, answer });
  }
}

function spoilJson(ctx: Context, { fault, answer }: Omit<Spoiling, 'gateway'>): void {
  ctx.status = 200;
  ctx.type = 'json';
  switch (fault.kind) {
    case 'truncated': {
      const text = JSON.stringify(answer);
      ctx.body = text.slice(0, Math.floor(text.length / 2));
      return;
    }
    case 'huge':
      ctx.body = { ...answer, padding: 'x'.repeat(hugePaddingLength) };
      return;
    case 'fields':
      ctx.body = { ...answer, ...fault.set };
      return;
    case 'bad_signature':
      ctx.body = { ...answer, signature: withOtherBit(String(answer['signature'])) };
      return;
    case 'no_signature':
      ctx.body = { sensitiveData: answer['sensitiveData'] };
      return;
    case 'garbled':
      ctx.body = { ...answer, sensitiveData: randomBytes(ciphertextBytes).fill(0, 0, 1).toString('base64') };
      return;
    default:
      ctx.body = '';
  }
}

/** Returns a signature of the right form that does not match the message. */
function withOtherBit(signature: string): string {
  const bytes = Buffer.from(signature, 'base64');
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
  return bytes.toString('base64');
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
