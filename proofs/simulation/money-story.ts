import type { Random } from './random.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

export const REFUND_SHARES = ['part', 'all', 'rest', 'too much'] as const;
export type RefundShare = (typeof REFUND_SHARES)[number];

/** One wish to give back what a payment took. */
export interface RefundPlan {
  readonly by: 'app' | 'operator';
  /** After the payment was seen as paid; or after it was asked for, by somebody impatient. */
  readonly afterMs: number;
  readonly impatient: boolean;
  readonly share: RefundShare;
  /** Of the payment, where it is a part. */
  readonly percent: number;
  /** Requests with the same key at about the same time. */
  readonly duplicates: number;
  /** Whether a key is sent at all. */
  readonly keyed: boolean;
  /** Another request under the same key. */
  readonly conflict: boolean;
}

/** Who gives money back in a story, and what is done with money that waits for somebody. */
export interface MoneyPlan {
  /** Of each app, in minor units; null where nothing needs a second person. */
  readonly thresholds: readonly (number | null)[];
  /** Of each app: whether unapplied money goes back without being asked for. */
  readonly givesLateBack: readonly boolean[];
  /** By payment. */
  readonly refunds: readonly (readonly RefundPlan[])[];
  /** Faults last so much longer, so that refunds meet them, too. */
  readonly faultsLongerMs: number;
  /** How many more blows fall in that time. */
  readonly blows: number;
  /** How likely a fault and a blow come at the very moment at which something is done about money, days later, too. */
  readonly troubled: number;
}

/** Null for a story in which nobody but payers, gateway and receivers acts. */
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

/** Often all at once, so that they meet at the payment's balance. */
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
