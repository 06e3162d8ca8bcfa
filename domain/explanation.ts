import type { PaymentStatus, ReviewReason } from './payment.ts';

export interface PaymentSituation {
  readonly status: PaymentStatus;
  readonly expiresAt: Date;
  readonly now: Date;
  readonly reviewReason: ReviewReason | null;
  readonly failureCode: string | null;
  /** Whether a callback or a cancel request is waiting for the gateway's answer. */
  readonly asking: boolean;
  readonly heldLate: boolean;
  /** The outcome of money that arrived after the payment had ended, if none of it is held any more; null if none arrived. */
  readonly unappliedMoney: 'REFUNDING' | 'KEPT' | 'REFUNDED' | null;
  /** Whether the payer still has to choose the gateway. */
  readonly choosing: boolean;
}

export interface Situation {
  readonly summary: string;
  readonly waitingFor: 'gateway-session' | 'payer' | 'gateway-answer' | 'operator' | 'nothing';
  readonly until: Date | null;
  readonly next: string;
}

const REVIEW_WORDS: Readonly<Record<ReviewReason, string>> = {
  AMOUNT_MISMATCH: 'the gateway confirmed another amount than was ordered',
  CURRENCY_MISMATCH: 'the gateway confirmed another currency than was ordered',
  REFERENCE_MISMATCH: 'the gateway confirmed a charge of another reference',
  STORE_MISMATCH: 'the gateway confirmed a charge of another store',
  RISK_FLAGGED: 'the gateway took the money but flags the charge as risky',
  GATEWAY_UNREACHABLE: 'the gateway could not be asked for 72 hours after the payment had expired',
  EVIDENCE_REUSED: "the gateway's confirmation was used for another payment before",
};

/** Explains a payment's state: what it waits for, until when, and what happens next. Application, operator and support see the same text. */
export function explain(payment: PaymentSituation): Situation {
  if (payment.heldLate) {
    return still(
      `The payment ended ${payment.status}, and money that came later is held in suspense.`,
      'operator',
      'An operator refunds or keeps the unapplied money.',
    );
  }
  if (payment.reviewReason !== null && (payment.status === 'CREATED' || payment.status === 'PENDING')) {
    return still(
      `Under review: ${REVIEW_WORDS[payment.reviewReason]}.`,
      'operator',
      'An operator accepts or rejects it; time alone does not end it.',
    );
  }
  if (payment.unappliedMoney !== null && endedUnpaid(payment.status)) {
    return unappliedMoney(payment.status, payment.unappliedMoney);
  }
  switch (payment.status) {
    case 'CREATED':
      return {
        summary: "The payment is stored; the gateway's checkout is not open yet.",
        waitingFor: 'gateway-session',
        until: payment.expiresAt,
        next: 'Lenden keeps trying to open the checkout until the payment expires.',
      };
    case 'PENDING':
      return pending(payment);
    case 'SUCCEEDED':
      return still(
        'The gateway confirmed the charge and it is in the ledger.',
        'nothing',
        'Nothing: it is final unless it is refunded.',
      );
    case 'FAILED':
      return still(
        `No money was taken (${payment.failureCode ?? 'declined'}).`,
        'nothing',
        'Nothing: it is final. A new payment can be created.',
      );
    case 'CANCELLED':
      return still(
        'The payer cancelled; no money was taken.',
        'nothing',
        'Nothing: it is final. A new payment can be created.',
      );
    case 'EXPIRED':
      return still(
        'Time ran out and the gateway says no money was taken.',
        'nothing',
        'Nothing: it is final. Money that comes later is held in suspense.',
      );
    case 'PARTIALLY_REFUNDED':
      return still('A part of the money was given back.', 'nothing', 'Nothing, unless more is refunded.');
    case 'REFUNDED':
      return still('All of the money was given back.', 'nothing', 'Nothing: it is final.');
  }
}

function endedUnpaid(status: PaymentStatus): boolean {
  return status === 'FAILED' || status === 'CANCELLED' || status === 'EXPIRED';
}

/** Must not say that no money was taken: the payer paid, only too late. */
function unappliedMoney(status: PaymentStatus, became: NonNullable<PaymentSituation['unappliedMoney']>): Situation {
  const came = `The payment ended ${status}, and money that came later`;
  switch (became) {
    case 'REFUNDING':
      return still(
        `${came} is being given back.`,
        'nothing',
        "The refund goes on by itself and ends with the gateway's word.",
      );
    case 'KEPT':
      return still(`${came} was kept.`, 'nothing', 'Nothing: it is final.');
    case 'REFUNDED':
      return still(`${came} was given back.`, 'nothing', 'Nothing: it is final. A new payment can be created.');
  }
}

function pending({ expiresAt, now, asking, choosing }: PaymentSituation): Situation {
  if (expiresAt <= now) {
    return {
      summary: 'Time ran out; the gateway is asked how it ended.',
      waitingFor: 'gateway-answer',
      until: new Date(expiresAt.getTime() + 72 * 3_600_000),
      next: 'The payment ends with what the gateway says. If it cannot be asked for 72 hours, an operator decides.',
    };
  }
  return asking
    ? {
        summary: 'A callback came in; the gateway is asked to confirm it.',
        waitingFor: 'gateway-answer',
        until: expiresAt,
        next: "The gateway's answer decides; a callback alone is never believed.",
      }
    : {
        summary: choosing
          ? 'The payer has not chosen yet where to pay.'
          : 'The checkout is open; the payer has not finished.',
        waitingFor: 'payer',
        until: expiresAt,
        next: 'The payer pays or cancels; otherwise the gateway is asked one last time and the payment expires.',
      };
}

function still(summary: string, waitingFor: Situation['waitingFor'], next: string): Situation {
  return { summary, waitingFor, until: null, next };
}
