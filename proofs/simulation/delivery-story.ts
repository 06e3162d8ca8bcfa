import { paymentPlan, type PaymentPlan } from './payment-story.ts';
import type { Random } from './random.ts';

/** A process that dies at a chosen event, counted from 1 over the story. */
export interface DeathPlan {
  readonly atEvent: number;
  readonly afterMs: number;
  readonly forMs: number;
}

/** A receiver that takes requests and never answers, while a crowd of payers finishes at one moment. */
export interface HangPlan {
  readonly app: number;
  readonly fromMs: number;
  readonly untilMs: number;
}

/** What happens around the first attempts of a story's events. */
export interface DeliveryPlan {
  /** A worker dies at the commit of an event, before it makes the first attempt. */
  readonly deathBeforeAttempt: DeathPlan | null;
  /** The process of a first attempt dies when the receiver has accepted the event and nothing is recorded. */
  readonly deathAfterAcceptance: DeathPlan | null;
  readonly hang: HangPlan | null;
  readonly crowd: readonly PaymentPlan[];
}

export const CALM_DELIVERIES: DeliveryPlan = {
  deathBeforeAttempt: null,
  deathAfterAcceptance: null,
  hang: null,
  crowd: [],
};

/** The crowd's payments exist by then. */
const CROWD_MEETS_MS = 20_000;

export function deliveryPlan(random: Random, { apps, expiryMs }: { apps: number; expiryMs: number }): DeliveryPlan {
  const hang = random.chance(0.04) ? hangPlan(random, apps) : null;
  return {
    deathBeforeAttempt: random.chance(0.15) ? deathPlan(random, 0) : null,
    deathAfterAcceptance: random.chance(0.15) ? deathPlan(random, 60) : null,
    hang,
    crowd: hang === null ? [] : crowd(random, expiryMs),
  };
}

function deathPlan(random: Random, latestMs: number): DeathPlan {
  return {
    atEvent: random.between(1, 4),
    afterMs: random.between(0, latestMs),
    forMs: random.between(500, 120_000),
  };
}

function hangPlan(random: Random, apps: number): HangPlan {
  const fromMs = CROWD_MEETS_MS - random.between(0, 5_000);
  return { app: random.between(0, apps - 1), fromMs, untilMs: fromMs + random.between(10_000, 180_000) };
}

/** Enough payments to fill an endpoint's share in both workers, to let others wait, and to open the circuit. */
function crowd(random: Random, expiryMs: number): PaymentPlan[] {
  return Array.from({ length: random.between(8, 16) }, () => ({
    ...paymentPlan(random, expiryMs),
    createAfterMs: random.between(0, 10_000),
    duplicates: 0,
    conflict: false,
    sessionRefused: false,
    way: 'pays',
    meetsAtMs: CROWD_MEETS_MS,
    takesMs: random.between(200, 800),
    lagMs: 0,
    noticeLost: false,
    noticeAfterMs: random.between(10, 300),
    cancelAfterMs: null,
    forgeries: [],
  }));
}
