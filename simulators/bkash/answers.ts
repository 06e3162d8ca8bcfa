import type { Context } from 'koa';
import { performs, spoilCommon, takeFault } from '../kit/faults.ts';
import type { ScriptedCall } from '../kit/faults.ts';
import { refusal } from './codes.ts';
import type { Code } from './codes.ts';
import type { Gateway } from './gateway.ts';
import type { Fault, Operation } from './scripts.ts';

export type Answer = Readonly<Record<string, unknown>>;

export type Call = ScriptedCall<Operation, Fault, Answer>;

/** Answers a merchant's call, or fails in the scripted way. The journal is on disk before the answer is sent. */
export async function answerCall(ctx: Context, { gateway, call }: { gateway: Gateway; call: Call }): Promise<void> {
  const fault = takeFault(gateway, call, ['query']);
  const answer = performs(fault) ? call.act() : {};
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
    case 'fields':
      ctx.body = overwrite({ answer, set: fault.set ?? {} });
      return;
    case 'refused':
      ctx.body = refusal(fault.code ?? '2003');
      return;
    default:
      await spoilCommon(ctx, { gateway, fault, kind: fault.kind, answer: { body: answer } });
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
