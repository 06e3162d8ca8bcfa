import { randomBytes } from 'node:crypto';
import type { Context } from 'koa';
import { performs, spoilCommon, takeFault } from '../kit/faults.ts';
import type { ScriptedCall } from '../kit/faults.ts';
import type { Gateway } from './gateway.ts';
import { refuse } from './refusal.ts';
import type { Fault, Operation } from './scripts.ts';

export type Answer = Readonly<Record<string, unknown>>;

export type Call = ScriptedCall<Operation, Fault, Answer>;

const ciphertextBytes = 256;

/** Faults of Nagad's own that alter the real answer, so the operation must run first. */
const altersAnswer: ReadonlySet<string> = new Set(['bad_signature', 'no_signature', 'garbled']);

/** Answers a merchant's call, or fails in the scripted way. The journal is on disk before the answer is sent. */
export async function answerCall(ctx: Context, { gateway, call }: { gateway: Gateway; call: Call }): Promise<void> {
  const fault = takeFault(gateway, call, ['verify']);
  const answer = performs(fault) || altersAnswer.has(fault?.kind ?? '') ? call.act() : {};
  await gateway.settled();
  if (fault === undefined) {
    ctx.body = answer;
    return;
  }
  await spoil(ctx, { gateway, fault, answer });
}

type Spoiling = { gateway: Gateway; fault: Fault; answer: Answer };

async function spoil(ctx: Context, { gateway, fault, answer }: Spoiling): Promise<void> {
  switch (fault.kind) {
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
    case 'refused':
      refuse(ctx, fault.reason);
      return;
    default:
      await spoilCommon(ctx, { gateway, fault, kind: fault.kind, answer: { body: answer } });
  }
}

/** Returns a signature of the right form that does not match the message. */
function withOtherBit(signature: string): string {
  const bytes = Buffer.from(signature, 'base64');
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
  return bytes.toString('base64');
}
