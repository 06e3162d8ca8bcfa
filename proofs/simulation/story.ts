import { CALM_DELIVERIES, deliveryPlan, type DeliveryPlan } from './delivery-story.ts';
import { GATEWAY_FAULTS, type GatewayFault } from './gateway.ts';
import { invoicesPlan, type InvoicesPlan } from './invoice-story.ts';
import { moneyPlan, type MoneyPlan } from './money-story.ts';
import { paymentPlan, type PaymentPlan } from './payment-story.ts';
import type { ReceiverManner } from './receivers.ts';
import type { Random } from './random.ts';

const MINUTE_MS = 60_000;
/** No decision depends on a process's clock, so it may be an hour off. The servers' clocks are assumed to be maintained. */
const PROCESS_CLOCK_WRONG = 4_000;
const HOUR_MS = 60 * MINUTE_MS;

export interface AppPlan {
  readonly expiryMinutes: number;
  /** Null: no webhook URL. */
  readonly receiver: { readonly manner: ReceiverManner; readonly troubles: number } | null;
  /** For how many days it has been failing when the story begins. */
  readonly failingForDays: number;
}

export interface Blow {
  readonly atMs: number;
  readonly kind: 'kill' | 'freeze' | 'terminate' | 'leap';
  readonly process: 'api' | 'worker-a' | 'worker-b';
  readonly forMs: number;
}

/** Everything that a seed decides before the story starts. */
export interface Story {
  readonly apps: readonly AppPlan[];
  readonly payments: readonly PaymentPlan[];
  /** Null in stories without refunds and decisions. */
  readonly money: MoneyPlan | null;
  /** Null in stories without invoices. */
  readonly invoices: InvoicesPlan | null;
  readonly deliveries: DeliveryPlan;
  /** After this time nothing fails by itself. */
  readonly faultsEndMs: number;
  readonly blows: readonly Blow[];
  readonly databaseLoss: number;
  readonly temporalLoss: number;
  readonly gatewayTrouble: number;
  readonly gatewayFaults: readonly GatewayFault[];
  /** Until then the gateway does not answer at all. */
  readonly gatewayAwayUntilMs: number;
  /** Until then the database accepts no new rows in ledger and events, as with a full disk or a missing privilege. */
  readonly booksFullUntilMs: number;
  readonly answerLoss: number;
  readonly slowness: number;
  readonly longHistory: number;
  readonly skewMs: { readonly api: number; readonly worker: number; readonly database: number };
}

export interface StoryParts {
  readonly withMoney: boolean;
  readonly withInvoices: boolean;
  readonly withDeliveries: boolean;
}

/** Returns a seed's story. Its parts are drawn from separate streams, so that a story without one of them stays the same. */
export function storyOf(random: Random, { withMoney, withInvoices, withDeliveries }: StoryParts): Story {
  const drawn = storyOfPayments(random);
  const { apps, payments, faultsEndMs, blows: struck } = drawn;
  const stream = random.fork('money');
  const money = withMoney ? moneyPlan(stream, { apps: apps.length, payments: payments.length }) : null;
  const expiryMs = expiryOf(apps);
  const deliveries = withDeliveries
    ? deliveryPlan(random.fork('deliveries'), { apps: apps.length, expiryMs })
    : CALM_DELIVERIES;
  const story = { ...drawn, deliveries, payments: [...payments, ...deliveries.crowd] };
  const invoices = withInvoices ? invoicesPlan(random.fork('invoices'), { apps: apps.length, expiryMs }) : null;
  if (money === null || faultsEndMs === 0) {
    return { ...story, money, invoices };
  }
  const untilMs = faultsEndMs + money.faultsLongerMs;
  const more = Array.from({ length: money.blows }, () => blow(stream, { untilMs, expiryMs: untilMs / 2 }));
  return { ...story, money, invoices, faultsEndMs: untilMs, blows: [...struck, ...more] };
}

function expiryOf(apps: readonly AppPlan[]): number {
  return Math.max(...apps.map(({ expiryMinutes }) => expiryMinutes)) * MINUTE_MS;
}

function storyOfPayments(random: Random): Omit<Story, 'money' | 'invoices' | 'deliveries'> {
  const calm = random.chance(0.12);
  const on = (share: number): boolean => !calm && random.chance(share);
  const apps = Array.from({ length: random.chance(0.25) ? 2 : 1 }, () => appPlan(random));
  const expiryMs = expiryOf(apps);
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
    // A short history restarts the pauses between queries in each new run, so a gateway that is away for days would be queried all the time.
    longHistory: gatewayAwayUntilMs === 0 && random.chance(0.1) ? random.pick([18, 25, 40]) : 1_000,
    skewMs: random.chance(0.3)
      ? {
          api: random.between(-900, 900) * PROCESS_CLOCK_WRONG,
          worker: random.between(-900, 900) * PROCESS_CLOCK_WRONG,
          database: random.between(-900, 900),
        }
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
