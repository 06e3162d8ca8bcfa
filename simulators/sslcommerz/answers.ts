import type { Context } from 'koa';
import { performs, spoilCommon, takeFault } from '../kit/faults.ts';
import type { ScriptedCall } from '../kit/faults.ts';
import type { Gateway } from './gateway.ts';
import type { Fault, Operation } from './scripts.ts';

/** A JSON answer of the gateway. Answers to queries by tran_id contain elements. */
export type Answer = Readonly<Record<string, unknown>>;

export type Call = ScriptedCall<Operation, Fault, Answer> & {
  /** Does nothing and returns an answer with the reason. */
  refuse: (reason: string) => Answer;
};

/** Answers a merchant's call, or fails in the scripted way. The journal is on disk before the answer is sent. */
export async function answerCall(ctx: Context, { gateway, call }: { gateway: Gateway; call: Call }): Promise<void> {
  const fault = takeFault(gateway, call, ['validation', 'query']);
  const answer = performs(fault) ? call.act() : {};
  await gateway.settled();
  if (fault === undefined) {
    ctx.body = answer;
    return;
  }
  switch (fault.kind) {
    case 'refused':
      ctx.body = call.refuse(fault.reason ?? 'Refused');
      return;
    case 'fields':
      ctx.body = overwrite({ answer, set: fault.set ?? {} });
      return;
    default:
      await spoilCommon(ctx, { gateway, fault, kind: fault.kind, answer: { body: answer } });
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
