import { moneyPlan, type MoneyPlan } from './money-story.ts';
import { GATEWAY_FAULTS, type GatewayFault, type Oddity } from './gateway.ts';
import type { ReceiverManner } from './receivers.ts';
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
  /** Claims a charge that exists, or one that does not. */
  readonly valId: 'real' | 'made up';
}

export interface PaymentPlan {
  readonly createAfterMs: number;
  readonly amountMinor: number;
  /** Clients that send the same request with the same key at about the same time. */
  readonly twins: number;
  /** Another request under the same key. */
  readonly conflict: boolean;
  readonly sessionRefused: boolean;
  readonly way: PayerWay;
  readonly oddity: Oddity;
  /** Between seeing the gateway's page and acting on it. */
  readonly actAfterMs: number;
  readonly takesMs: number;
  /** The gateway's own queries lag behind its charge. */
  readonly lagMs: number;
  readonly noticeLost: boolean;
  readonly noticeCopies: number;
  readonly noticeAfterMs: number;
  readonly returnsAfterMs: number | null;
  /** The payer presses "cancel" on our page. */
  readonly cancelAfterMs: number | null;
  readonly forgeries: readonly ForgeryPlan[];
}

export interface AppPlan {
  readonly expiryMinutes: number;
  /** Null: no webhook URL. */
  readonly receiver: { readonly manner: ReceiverManner; readonly troubles: number } | null;
  /** It has been failing for days when the story begins. */
  readonly failingForDays: number;
}

export interface Blow {
  readonly atMs: number;
  readonly kind: 'kill' | 'freeze' | 'terminate' | 'leap';
  readonly process: 'api' | 'worker-a' | 'worker-b';
  readonly forMs: number;
}

/** All that a seed decides before the first thing happens. */
export interface Story {
  readonly apps: readonly AppPlan[];
  readonly payments: readonly PaymentPlan[];
  /** Null where nobody gives money back or decides on any. */
  readonly money: MoneyPlan | null;
  /** From here on nothing fails by itself any more. */
  readonly faultsEndMs: number;
  readonly blows: readonly Blow[];
  readonly databaseLoss: number;
  readonly temporalLoss: number;
  readonly gatewayTrouble: number;
  readonly gatewayFaults: readonly GatewayFault[];
  /** The gateway answers nobody at all until then. */
  readonly gatewayAwayUntilMs: number;
  /** The database takes no new rows into ledger and events until then: a full disk, a lost privilege. */
  readonly booksFullUntilMs: number;
  readonly answerLoss: number;
  readonly slowness: number;
  readonly longHistory: number;
  readonly skewMs: { readonly api: number; readonly worker: number; readonly database: number };
}

/** What people do about money is drawn from a stream of its own, so that a story without it is the same story. */
export function storyOf(random: Random, { withMoney }: { withMoney: boolean }): Story {
  const story = storyOfPayments(random);
  const { apps, payments, faultsEndMs, blows: struck } = story;
  const stream = random.fork('money');
  const money = withMoney ? moneyPlan(stream, { apps: apps.length, payments: payments.length }) : null;
  if (money === null || faultsEndMs === 0) {
    return { ...story, money };
  }
  const untilMs = faultsEndMs + money.faultsLongerMs;
  const more = Array.from({ length: money.blows }, () => blow(stream, { untilMs, expiryMs: untilMs / 2 }));
  return { ...story, money, faultsEndMs: untilMs, blows: [...struck, ...more] };
}

function storyOfPayments(random: Random): Omit<Story, 'money'> {
  const calm = random.chance(0.12);
  const on = (share: number): boolean => !calm && random.chance(share);
  const apps = Array.from({ length: random.chance(0.25) ? 2 : 1 }, () => appPlan(random));
  const expiryMs = Math.max(...apps.map(({ expiryMinutes }) => expiryMinutes)) * MINUTE_MS;
  const faultsEndMs = calm ? 0 : random.between(1, Math.floor((expiryMs * 1.5) / 1_000)) * 1_000;
  const gatewayAwayUntilMs = on(0.03) ? random.pick([expiryMs * 2, expiryMs * 3, 10 * HOUR_MS, 80 * HOUR_MS]) : 0;
  const gatewayFaults = GATEWAY_FAULTS.filter(() => random.chance(0.5));
  return {
    apps,
    payments: Array.from({ length: Number(random.weighted({ 1: 5, 2: 3, 3: 1 })) }, () =>
      paymentPlan(random, expiryMs),
    ),
    faultsEndMs,
    blows: on(0.6) ? blows(random, { untilMs: faultsEndMs, expiryMs }) : [],
    databaseLoss: on(0.4) ? random.pick([0.005, 0.02, 0.08, 0.3]) : 0,
    temporalLoss: on(0.4) ? random.pick([0.02, 0.1, 0.4]) : 0,
    gatewayTrouble: on(0.5) && gatewayFaults.length > 0 ? random.pick([0.05, 0.2, 0.6]) : 0,
    gatewayFaults,
    gatewayAwayUntilMs,
    booksFullUntilMs: on(0.03) ? faultsEndMs + random.between(1, 40) * MINUTE_MS : 0,
    answerLoss: on(0.3) ? random.pick([0.05, 0.3]) : 0,
    slowness: on(0.25) ? random.pick([0.01, 0.05]) : 0,
    // Short histories start each ladder of pauses anew; a gateway that is away for days would be asked all the time.
    longHistory: gatewayAwayUntilMs === 0 && random.chance(0.1) ? random.pick([18, 25, 40]) : 1_000,
    skewMs: random.chance(0.3)
      ? { api: random.between(-900, 900), worker: random.between(-900, 900), database: random.between(-900, 900) }
      : { api: 0, worker: 0, database: 0 },
  };
}

function appPlan(random: Random): AppPlan {
  const manner = random.weighted<ReceiverManner>({
    well: 12,
    'fails at first': 3,
    'accepts, then fails': 2,
    never: 1.2,
    gone: 0.7,
    'silent at first': 1,
    'asks for time': 1,
    'unreachable at first': 1,
  });
  return {
    expiryMinutes: random.pick([1, 3, 10, 30]),
    receiver: random.chance(0.06) ? null : { manner, troubles: random.pick([1, 2, 4, 7, 9]) },
    failingForDays: manner === 'never' && random.chance(0.5) ? 5 : 0,
  };
}

function paymentPlan(random: Random, expiryMs: number): PaymentPlan {
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
    twins: random.chance(0.25) ? random.between(1, 2) : 0,
    conflict: random.chance(0.05),
    sessionRefused: random.chance(0.03),
    way,
    oddity: random.pick(['amount', 'currency', 'reference', 'store', 'risk', 'reused id', 'reused id']),
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

function blows(random: Random, { untilMs, expiryMs }: { untilMs: number; expiryMs: number }): Blow[] {
  return Array.from({ length: random.between(1, 5) }, () => blow(random, { untilMs, expiryMs }));
}

function blow(random: Random, { untilMs, expiryMs }: { untilMs: number; expiryMs: number }): Blow {
  const kind = random.weighted({ kill: 5, freeze: 2, terminate: 1, leap: 1 });
  const early = random.chance(0.5);
  return {
    atMs: random.between(0, early ? Math.min(untilMs, 45_000) : untilMs),
    kind,
    process: random.pick(['api', 'worker-a', 'worker-b'] as const),
    forMs: kind === 'leap' ? random.between(30_000, expiryMs * 2) : random.between(500, 90_000),
  };
}
