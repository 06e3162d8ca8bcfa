import type { Oddity } from './gateway.ts';
import type { Random } from './random.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

export const PAYER_WAYS = [
  'pays',
  'pays oddly',
  'pays twice',
  'fails',
  'fails, then pays',
  'cancels at the gateway',
  'lets the session expire',
  'leaves',
  'stays in the middle',
  'ends strangely',
] as const;
export type PayerWay = (typeof PAYER_WAYS)[number];

export interface ForgeryPlan {
  readonly afterMs: number;
  readonly signature: 'bad' | 'absent';
  /** Whether it names an existing charge. */
  readonly valId: 'real' | 'made up';
}

export interface PaymentPlan {
  readonly createAfterMs: number;
  readonly amountMinor: number;
  /** Duplicate requests at about the same time. */
  readonly duplicates: number;
  /** Whether another request uses the same key. */
  readonly conflict: boolean;
  readonly sessionRefused: boolean;
  readonly way: PayerWay;
  readonly oddity: Oddity;
  /** Counted from the start of the story: several payers press the button at this moment. Null for a payer with their own timing. */
  readonly meetsAtMs: number | null;
  /** Time between seeing the gateway's page and acting on it. */
  readonly actAfterMs: number;
  readonly takesMs: number;
  /** How long the gateway's own queries lag behind its charge. */
  readonly lagMs: number;
  readonly noticeLost: boolean;
  readonly noticeCopies: number;
  readonly noticeAfterMs: number;
  readonly returnsAfterMs: number | null;
  /** When the payer presses "cancel" on Lenden's page. */
  readonly cancelAfterMs: number | null;
  readonly forgeries: readonly ForgeryPlan[];
}

/** Returns what a payer does, and how the gateway and its courier react. */
export function paymentPlan(random: Random, expiryMs: number): PaymentPlan {
  const way = random.weighted<PayerWay>({
    pays: 10,
    'pays oddly': 3,
    'pays twice': 1.5,
    fails: 1.5,
    'fails, then pays': 1.5,
    'cancels at the gateway': 1,
    'lets the session expire': 0.6,
    leaves: 2,
    'stays in the middle': 0.15,
    'ends strangely': 0.15,
  });
  const oddly = way === 'pays oddly';
  return {
    createAfterMs: random.between(0, 20_000),
    amountMinor: random.between(1_000, 5_000_000),
    duplicates: random.chance(0.25) ? random.between(1, 2) : 0,
    conflict: random.chance(0.05),
    sessionRefused: random.chance(0.03),
    way,
    oddity: random.pick(['amount', 'currency', 'reference', 'store', 'risk', 'reused id', 'reused id']),
    meetsAtMs: null,
    actAfterMs: oddly ? random.between(500, 15_000) : actAfterMs(random, expiryMs),
    takesMs: random.between(200, 20_000),
    lagMs: !oddly && random.chance(0.1) ? random.between(1_000, 120_000) : 0,
    noticeLost: random.chance(0.15),
    noticeCopies: random.chance(0.3) ? random.between(2, 5) : 1,
    noticeAfterMs: random.chance(0.2) ? random.between(1_000, expiryMs * 2) : random.between(10, 3_000),
    returnsAfterMs: random.chance(0.8) ? random.between(5, 8_000) : null,
    cancelAfterMs: !oddly && random.chance(0.12) ? random.between(200, expiryMs) : null,
    forgeries: random.chance(0.25)
      ? Array.from({ length: random.between(1, 3) }, () => ({
          afterMs: random.between(100, expiryMs * 1.3),
          signature: random.pick(['bad', 'absent'] as const),
          valId: random.pick(['real', 'made up'] as const),
        }))
      : [],
  };
}

function actAfterMs(random: Random, expiryMs: number): number {
  switch (random.weighted({ soon: 7, around: 1.5, late: 1 })) {
    case 'soon':
      return random.between(500, Math.min(expiryMs, 5 * MINUTE_MS));
    case 'around':
      return Math.max(0, expiryMs + random.between(-30_000, 30_000));
    case 'late':
      return expiryMs + random.between(30_000, 24 * HOUR_MS);
  }
}
