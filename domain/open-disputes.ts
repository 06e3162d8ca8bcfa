import type { StatedDisputeStatus } from './dispute.ts';
import type { ExplanationWords } from './explanation-words.ts';
import type { Money } from './money.ts';

export interface DisputeSituation {
  readonly money: Money;
  readonly status: StatedDisputeStatus;
  readonly respondBy: Date | null;
}

/** A dispute that has not ended. */
export interface OpenDispute {
  readonly waitingFor: 'operator' | 'gateway-answer';
  readonly until: Date | null;
  readonly next: string;
}

/** Explains the disputes that are open. Those that somebody can still answer come first. */
export function openDisputes(disputes: readonly DisputeSituation[], now: Date, words: ExplanationWords): OpenDispute[] {
  const open = disputes.filter(({ status }) => status === 'OPEN').map((dispute) => openDispute(dispute, now, words));
  return [
    ...open.filter(({ waitingFor }) => waitingFor === 'operator'),
    ...open.filter(({ waitingFor }) => waitingFor !== 'operator'),
  ];
}

function openDispute({ money, respondBy }: DisputeSituation, now: Date, words: ExplanationWords): OpenDispute {
  const disputed = words.disputed(money);
  return respondBy !== null && respondBy > now
    ? { waitingFor: 'operator', until: respondBy, next: `${disputed} ${words.disputeAnswered(respondBy)}` }
    : { waitingFor: 'gateway-answer', until: null, next: `${disputed} ${words.disputeDecided}` };
}

/** Says how the disputes that have ended did. */
export function endedDisputes(disputes: readonly DisputeSituation[], words: ExplanationWords): string[] {
  return disputes.flatMap(({ status, money }) => (status === 'OPEN' ? [] : words.disputeEnded(money, status)));
}
