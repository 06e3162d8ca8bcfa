import type { z } from 'zod';
import { CaseAnswer } from '../../core/reconciliation/case-answer.ts';
import type { WholeCase } from '../../core/reconciliation/read-case.ts';
import type { ListedCase, ShownEntry } from '../../core/reconciliation/store/case-list.ts';
import type { ShownResult } from '../../core/reconciliation/store/near-movements.ts';
import { toBoundedJsonInteger, toJsonInteger } from '../../domain/money.ts';
import { FLAG_REASONS } from '../../domain/payouts/matching.ts';
import { wordsOfDetail } from '../../domain/payouts/verdict-words.ts';
import type { ReconciliationCase, ReconciliationCaseDetail } from './reconciliation-case-schemas.ts';

/** Returns a case as a list shows it. */
export function caseView(one: ListedCase): z.infer<typeof ReconciliationCase> {
  return {
    reference: one.reference,
    mode: one.mode,
    gateway: one.gateway,
    applicationId: whole(one.applicationId),
    kind: one.kind,
    reason: one.reason,
    amountMinor: toBoundedJsonInteger(one.amountMinor),
    currency: one.currency,
    state: one.state,
    owner: operatorView(one.ownerOperatorId, one.ownerName),
    ageDays: one.ageDays,
    resolution: one.resolution,
    createdAt: one.createdAt.toISOString(),
    resolvedAt: text(one.resolvedAt),
  };
}

/** Returns a case with all that belongs to it. */
export function detailView({ found, result, entries, proposals }: WholeCase): z.infer<typeof ReconciliationCaseDetail> {
  return {
    ...caseView(found),
    payout: found.payoutReference ?? result?.payoutReference ?? null,
    refundReference: found.refundReference ?? result?.refundReference ?? null,
    dispute: disputeView(found),
    result: result === null ? null : resultView(result),
    line: result === null ? null : lineView(result),
    proposals: proposals.map(({ score, reasons, movement }) => ({
      score,
      reasons: [...reasons],
      movement: {
        key: movement.key,
        kind: movement.kind,
        amountMinor: toJsonInteger(movement.amountMinor),
        currency: movement.currency,
        happenedOn: movement.happenedOn,
        gatewayTxnId: movement.gatewayTxnId,
        attemptReference: movement.attemptReference,
        refundReference: movement.refundReference,
      },
    })),
    entries: entries.map(entryView),
  };
}

function disputeView({
  disputeId,
  gatewayDisputeId,
  disputeStatus,
}: WholeCase['found']): z.infer<typeof ReconciliationCaseDetail>['dispute'] {
  return disputeId === null || gatewayDisputeId === null || disputeStatus === null
    ? null
    : { id: toJsonInteger(disputeId), gatewayDisputeId, status: disputeStatus };
}

function resultView(result: ShownResult): NonNullable<z.infer<typeof ReconciliationCaseDetail>['result']> {
  return {
    id: toJsonInteger(result.id),
    period: result.period,
    storeId: result.storeId,
    status: result.status,
    reason: FLAG_REASONS.find((known) => known === result.reason) ?? null,
    code: result.detail,
    detail: wordsOfDetail(result.detail),
    movement: result.movementKey,
    paymentId: whole(result.paymentId),
    paymentReference: result.paymentReference,
    refundId: whole(result.refundId),
    refundReference: result.refundReference,
    expectedMinor: sum(result.expectedMinor),
    settledMinor: sum(result.settledMinor),
    feeExpectedMinor: sum(result.feeExpectedMinor),
    feeSettledMinor: sum(result.feeSettledMinor),
  };
}

function lineView(result: ShownResult): z.infer<typeof ReconciliationCaseDetail>['line'] {
  const { lineKind, lineCurrency } = result;
  if (lineKind === null || lineCurrency === null) {
    return null;
  }
  return {
    kind: lineKind,
    gatewayTxnId: result.gatewayTxnId,
    attemptReference: result.attemptReference,
    lineReference: result.lineReference,
    currency: lineCurrency,
    grossMinor: toJsonInteger(result.grossMinor ?? 0n),
    feeMinor: toJsonInteger(result.feeMinor ?? 0n),
    taxMinor: toJsonInteger(result.taxMinor ?? 0n),
    netMinor: toJsonInteger(result.netMinor ?? 0n),
    occurredAt: text(result.occurredAt),
    paidOutOn: result.paidOutOn,
    description: result.description,
  };
}

function entryView(entry: ShownEntry): z.infer<typeof ReconciliationCaseDetail>['entries'][number] {
  return {
    id: toJsonInteger(entry.id),
    kind: entry.kind,
    action: entry.action,
    text: entry.text,
    operator: operatorView(entry.operatorId, entry.operatorName),
    movement: entry.movementKey,
    account: entry.account,
    needsSecond: entry.needsSecond,
    secondOperator: operatorView(entry.secondOperatorId, entry.secondOperatorName),
    outcome: entry.outcome,
    outcomeText: entry.outcomeText,
    answer: answerView(entry.answer),
    createdAt: entry.createdAt.toISOString(),
    endedAt: text(entry.consumedAt),
  };
}

function answerView(stored: string | null): z.infer<typeof ReconciliationCaseDetail>['entries'][number]['answer'] {
  if (stored === null) {
    return null;
  }
  const { amountMinor, ...answer } = CaseAnswer.parse(JSON.parse(stored));
  return { ...answer, amountMinor: amountMinor === null ? null : toJsonInteger(BigInt(amountMinor)) };
}

function operatorView(id: bigint | null, name: string | null): { id: number; name: string } | null {
  return id === null || name === null ? null : { id: toJsonInteger(id), name };
}

function whole(amount: bigint | null): number | null {
  return amount === null ? null : toJsonInteger(amount);
}

function sum(sumMinor: bigint | null): number | null {
  return sumMinor === null ? null : toBoundedJsonInteger(sumMinor);
}

function text(at: Date | null): string | null {
  return at?.toISOString() ?? null;
}
