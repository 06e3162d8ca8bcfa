import type { StatedDisputeStatus } from './dispute.ts';
import { toDecimalText, type Money } from './money.ts';
import { utcText } from './utc-text.ts';

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
export function openDisputes(disputes: readonly DisputeSituation[], now: Date): OpenDispute[] {
  const open = disputes.filter(({ status }) => status === 'OPEN').map((dispute) => openDispute(dispute, now));
  return [
    ...open.filter(({ waitingFor }) => waitingFor === 'operator'),
    ...open.filter(({ waitingFor }) => waitingFor !== 'operator'),
  ];
}

function openDispute({ money, respondBy }: DisputeSituation, now: Date): OpenDispute {
  const disputed = `The payer disputes ${amountOf(money)} of the charge at their bank.`;
  return respondBy !== null && respondBy > now
    ? {
        waitingFor: 'operator',
        until: respondBy,
        next: `${disputed} The shop answers in the gateway's dashboard until ${utcText(respondBy)}; then the bank decides.`,
      }
    : {
        waitingFor: 'gateway-answer',
        until: null,
        next: `${disputed} The bank decides; Lenden queries the gateway for the outcome once a day.`,
      };
}

/** Says how the disputes that have ended did. */
export function endedDisputes(disputes: readonly DisputeSituation[]): string[] {
  return disputes.flatMap(({ status, money }) =>
    status === 'OPEN' ? [] : `A dispute over ${amountOf(money)} ${ENDED_WORDS[status]}.`,
  );
}

const ENDED_WORDS = {
  WON: 'was won: the shop keeps the money',
  LOST: 'was lost: the gateway took the money back',
  CLOSED: 'ended before money was taken',
} as const satisfies Record<Exclude<StatedDisputeStatus, 'OPEN'>, string>;

function amountOf(money: Money): string {
  return `${toDecimalText(money)} ${money.currency}`;
}
