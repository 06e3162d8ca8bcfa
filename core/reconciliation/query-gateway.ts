import { isOpen } from '../../domain/payment.ts';
import { openOrAlert } from '../../gateways/open-or-alert.ts';
import { GatewayFailure } from '../../gateways/port.ts';
import { describeError } from '../../runtime/logger.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { askAgainAboutDispute } from '../disputes/store/disputes.ts';
import { readAtGateway } from '../refunds/drive-refund.ts';
import { answerOfAttempt, answerOfRefund, type CaseAnswer } from './case-answer.ts';
import { type DecidedAction, type EndOfAction, endAction, lockCaseById } from './store/case-actions.ts';
import { type AttemptToQuery, attemptOfResult, type RefundToQuery, refundOfCase } from './store/queried-in-case.ts';

type Dependencies = Pick<CoreDependencies, 'database' | 'dispatch' | 'gateways' | 'log'>;

/** No callback has this id: the workflow queries the gateway about the attempt itself. */
const NO_CALLBACK = 0n;

/**
 * Asks the gateway what a case is about, and writes its answer to the case. What the gateway confirms of an attempt is booked by the payment's own workflow, or by that of
 * its unapplied payment; the answer in the case moves nothing. The next run matches it.
 */
export async function queryGateway(deps: Dependencies, { id, caseId }: DecidedAction): Promise<void> {
  const subject = await readSubject(deps, caseId);
  const end = await ask(deps, subject);
  await deps.database.withSystem((em) => endAction(em, id, end));
}

type Subject =
  | { readonly kind: 'attempt'; readonly attempt: AttemptToQuery }
  | { readonly kind: 'refund'; readonly refund: RefundToQuery }
  | { readonly kind: 'dispute' }
  | { readonly kind: 'nothing' };

function readSubject({ database }: Dependencies, caseId: bigint): Promise<Subject> {
  return database.withSystem(async (em): Promise<Subject> => {
    const found = await lockCaseById(em, caseId);
    if (found === null) {
      return { kind: 'nothing' };
    }
    if (found.disputeId !== null) {
      await askAgainAboutDispute(em, found.disputeId);
      return { kind: 'dispute' };
    }
    const refund = await refundOfCase(em, found);
    if (refund !== null) {
      return { kind: 'refund', refund };
    }
    const attempt = found.resultId === null ? null : await attemptOfResult(em, found.resultId);
    return attempt === null ? { kind: 'nothing' } : { kind: 'attempt', attempt };
  });
}

async function ask(deps: Dependencies, subject: Subject): Promise<EndOfAction> {
  switch (subject.kind) {
    case 'nothing':
      return { outcome: 'FAILED', text: 'The case names no attempt of ours, and no refund that the gateway knows.' };
    case 'dispute':
      return { outcome: 'DONE', text: 'The gateway is asked about the dispute, whose case says how it stands.' };
    case 'refund': {
      const { reference } = subject.refund;
      return endWith(
        `The gateway was asked about refund ${reference}.`,
        await answered(deps, () => askRefund(deps, subject.refund)),
      );
    }
    case 'attempt': {
      const { attempt } = subject;
      await wakeWorkflow(deps, attempt);
      const text = `The gateway was asked about attempt ${attempt.attemptReference}. What it confirms is booked by its own workflow, and the next run matches it.`;
      return endWith(text, await answered(deps, () => askAttempt(deps, attempt)));
    }
  }
}

type Answered = { readonly answer: CaseAnswer } | { readonly failed: string };

function endWith(text: string, answered: Answered): EndOfAction {
  return 'failed' in answered
    ? { outcome: 'FAILED', text: `The gateway gave no answer: ${answered.failed}.` }
    : { outcome: 'DONE', text, answer: JSON.stringify(answered.answer) };
}

/** People may ask again. An action that never ended would keep every other one out of the case. */
async function answered({ log }: Dependencies, query: () => Promise<CaseAnswer>): Promise<Answered> {
  try {
    return { answer: await query() };
  } catch (error) {
    log.warn({ error: describeError(error) }, 'a gateway that was asked in a case gave no answer');
    return { failed: error instanceof GatewayFailure ? error.kind : 'unavailable' };
  }
}

async function wakeWorkflow({ dispatch }: Dependencies, { payment, attemptReference }: AttemptToQuery): Promise<void> {
  const { reference } = payment.handle;
  if (!isOpen(payment.status)) {
    await dispatch.startUnappliedPayment(payment.handle, { attemptReference, callbackId: NO_CALLBACK });
  } else if (!(await dispatch.signalCallback(reference, NO_CALLBACK))) {
    await dispatch.startPayment(payment.handle);
  }
}

async function askAttempt(deps: Dependencies, attempt: AttemptToQuery): Promise<CaseAnswer> {
  const { attemptReference, gateway, storeId, sealedSecret, sessionKey, payment } = attempt;
  const { mode } = payment.handle;
  const opened = openOrAlert(deps, { gateway, mode, store: { storeId, sealedSecret } });
  if (opened === undefined) {
    throw new GatewayFailure('unauthorized', 'the store of this attempt is not configured');
  }
  // Without `mayExecute`: asking must move no money.
  const handle = { attemptReference, sessionKey, claimedValidationId: null, knownValidationIds: [] };
  return answerOfAttempt(attemptReference, await opened.queryAttempt(handle));
}

async function askRefund(deps: Dependencies, { scope, reference }: RefundToQuery): Promise<CaseAnswer> {
  const { refund, charge, gateway } = await readAtGateway(deps, scope, reference);
  const { gatewayRefundId, gatewayTxnId } = refund;
  if (gateway === undefined || gatewayRefundId === null) {
    throw new GatewayFailure('unauthorized', 'the store of this refund is not configured');
  }
  const { validationId } = charge;
  return answerOfRefund(
    { reference, gatewayRefundId },
    await gateway.queryRefund(gatewayRefundId, { gatewayTxnId, validationId }),
  );
}
