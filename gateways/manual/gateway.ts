import type { AttemptAnswer, AttemptHandle, Gateway, GatewayCapabilities } from '../port.ts';
import type { ManualRecord, ReadManual, Submission } from './book.ts';
import { parseCallback } from './callback.ts';
import { chargeOf } from './evidence.ts';
import { readSettings } from './settings.ts';

const LIMITS = { minMinor: 1n, maxMinor: 9_007_199_254_740_991n };

/** Bank transfer, cash, wallet to wallet: the payer reports a payment, and an operator checks whether the money has arrived. */
export const MANUAL_CAPABILITIES: GatewayCapabilities = {
  name: 'manual',
  displayName: 'Bank transfer or cash',
  limits: new Map(['BDT', 'EUR', 'GBP', 'INR', 'USD'].map((currency) => [currency, LIMITS])),
  refunds: true,
  refundsPerPaymentMax: null,
  refundWindowDays: null,
  feeKnown: 'with-the-charge',
  questionsProveStore: false,
  // An operator's decision reaches Lenden like a notification.
  notifies: true,
  executes: false,
  sessionLifeMinutes: null,
  takesCallbacks: false,
  payouts: 'file',
  disputes: 'none',
};

export interface ManualOptions {
  readonly storeId: string;
  /** See `readSettings`. */
  readonly secret: string;
  readonly read: ReadManual;
}

/**
 * Creates the adapter for manual payments. Its queries read submissions and decisions from the database.
 * @throws GatewayFailure `unauthorized` for invalid settings
 */
export function createManualGateway({ storeId, secret, read }: ManualOptions): Gateway {
  const { label, instructions, payWithinHours } = readSettings(secret);
  return {
    capabilities: MANUAL_CAPABILITIES,
    storeId,
    instructions: { label, text: instructions },
    openSession: async ({ attemptReference }) => ({
      kind: 'opened',
      sessionKey: attemptReference,
      gatewayUrl: null,
      payWithinMinutes: payWithinHours * 60,
    }),
    queryAttempt: async (attempt) => answerOf(await read(attempt.attemptReference), attempt, storeId),
    parseCallback,
    refund: async () => ({ kind: 'by-hand', evidence: '' }),
    queryRefund: async () => ({ kind: 'unknown', note: 'BY_HAND' }),
  };
}

/** A submission without a decision may be money, so its payment stays open. A rejected submission counts as none. */
function answerOf(
  record: ManualRecord | null,
  { attemptReference, knownValidationIds }: AttemptHandle,
  storeId: string,
): AttemptAnswer {
  const submission = record?.submission ?? null;
  if (record === null || submission === null) {
    return { kind: 'not-started' };
  }
  if (!isDecided(submission)) {
    return { kind: 'with-operator', since: submission.submittedAt };
  }
  const isNew = !knownValidationIds.includes(submission.normalized);
  return submission.decision.word === 'accept' && isNew
    ? { kind: 'charged', charge: chargeOf({ amount: record.amount, submission }, { attemptReference, storeId }) }
    : { kind: 'not-started' };
}

function isDecided(submission: Submission): submission is Submission<NonNullable<Submission['decision']>> {
  return submission.decision !== null;
}
