import type { Random } from './random.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

export const REFUND_SHARES = ['part', 'all', 'rest', 'too much'] as const;
export type RefundShare = (typeof REFUND_SHARES)[number];

/** One intended refund of a payment. */
export interface RefundPlan {
  readonly by: 'app' | 'operator';
  /** Counted from when the payment was seen as paid, or, for an impatient requester, from its creation. */
  readonly afterMs: number;
  readonly impatient: boolean;
  readonly share: RefundShare;
  /** Percentage of the payment, if only a part is refunded. */
  readonly percent: number;
  /** Duplicate requests at about the same time. */
  readonly duplicates: number;
  /** Whether a key is sent at all. */
  readonly keyed: boolean;
  /** Whether another request uses the same key. */
  readonly conflict: boolean;
}

/** The refunds of a story, and how people handle money that waits for a decision. */
export interface MoneyPlan {
  /** For each app, in minor units; null if nothing needs a second person. */
  readonly thresholds: readonly (number | null)[];
  /** For each app: whether unapplied payments are refunded automatically. */
  readonly givesLateBack: readonly boolean[];
  /** By payment. */
  readonly refunds: readonly (readonly RefundPlan[])[];
  /** How much longer faults last, so that refunds meet them too. */
  readonly faultsLongerMs: number;
  /** How many more process failures happen in that time. */
  readonly blows: number;
  /** How likely a fault and a process failure occur at the very moment at which something happens to money, even days later. */
  readonly troubled: number;
}

/** Returns null for a story in which only payers, gateway and receivers act. */
export function moneyPlan(random: Random, { apps, payments }: { apps: number; payments: number }): MoneyPlan | null {
  if (random.chance(0.35)) {
    return null;
  }
  return {
    thresholds: Array.from({ length: apps }, () => random.pick([null, 0, 500_000, 2_000_000])),
    givesLateBack: Array.from({ length: apps }, () => random.chance(0.4)),
    refunds: Array.from({ length: payments }, () => refundPlans(random)),
    faultsLongerMs: random.chance(0.7) ? random.between(1, 40) * MINUTE_MS : 0,
    blows: random.chance(0.5) ? random.between(1, 4) : 0,
    troubled: random.pick([0, 0.05, 0.3]),
  };
}

/** Returns refunds that often come all at once, so that they compete for the payment's balance. */
export function refundPlans(random: Random): RefundPlan[] {
  const rush = random.chance(0.35);
  const count = Number(random.weighted({ 0: 1, 1: 3, 2: 3, 3: 2, 5: 1 }));
  return Array.from({ length: count }, () => {
    const plan = refundPlan(random);
    return rush ? { ...plan, afterMs: random.between(0, 15) } : plan;
  });
}

function refundPlan(random: Random): RefundPlan {
  const by = random.weighted({ app: 3, operator: 2 });
  return {
    by,
    afterMs: random.chance(0.65) ? random.between(0, 20_000) : later(random),
    impatient: random.chance(0.05),
    share: random.weighted<RefundShare>({ part: 6, all: 3, rest: 2, 'too much': 1 }),
    percent: random.pick([1, 10, 33, 50, 60, 99]),
    duplicates: random.chance(0.3) ? random.between(1, 2) : 0,
    keyed: random.chance(0.85),
    conflict: random.chance(0.08),
  };
}

function later(random: Random): number {
  return random.chance(0.6) ? random.between(20_000, 40 * MINUTE_MS) : random.between(1, 72) * HOUR_MS;
}
