import type { Client } from '@temporalio/client';
import type { Dispatch, PaymentHandle } from '../core/dispatch.ts';
import { WORKFLOW_TYPES, workflowIds } from '../workflows/messages/names.ts';
import { callbackSignal } from '../workflows/messages/payment.ts';
import { decisionSignal } from '../workflows/messages/refund.ts';
import { refundEndedSignal } from '../workflows/messages/unapplied-payment.ts';
import { moneyAttributes } from './attributes.ts';
import { paymentStart } from './payments.ts';
import { reachesRunning } from './running.ts';

type UnappliedPaymentDispatch = Pick<
  Dispatch,
  'startUnappliedPayment' | 'decideUnappliedPayment' | 'signalRefundEnded'
>;

export function unappliedPaymentDispatch(client: Client): UnappliedPaymentDispatch {
  return {
    startUnappliedPayment: (payment, { attemptReference, callbackId }) =>
      signalWithStart(client, payment, {
        attemptReference,
        signal: callbackSignal,
        signalArgs: [callbackId.toString()],
      }),
    decideUnappliedPayment: (payment, { attemptReference, decisionId }) =>
      signalWithStart(client, payment, {
        attemptReference,
        signal: decisionSignal,
        signalArgs: [decisionId.toString()],
      }),
    signalRefundEnded: (attemptReference) =>
      reachesRunning(() =>
        client.workflow.getHandle(workflowIds.unappliedPayment(attemptReference)).signal(refundEndedSignal),
      ),
  };
}

interface Waking {
  readonly attemptReference: string;
  readonly signal: typeof callbackSignal | typeof decisionSignal;
  readonly signalArgs: [string];
}

async function signalWithStart(
  client: Client,
  payment: PaymentHandle,
  { attemptReference, signal, signalArgs }: Waking,
): Promise<void> {
  const { args, ...options } = paymentStart(payment);
  await client.workflow.signalWithStart(WORKFLOW_TYPES.unappliedPayment, {
    ...options,
    workflowId: workflowIds.unappliedPayment(attemptReference),
    // Unlike a payment's workflow, this one may run again after it has completed: more money can arrive later, and each charge is posted only once.
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    args: [{ ...args[0], attemptReference }],
    typedSearchAttributes: moneyAttributes(payment, { status: 'PENDING', waitsFor: 'gateway' }),
    staticSummary: `Unapplied payment? ${options.staticSummary}`,
    signal,
    signalArgs,
  });
}
