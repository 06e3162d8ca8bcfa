import { randomUUID } from 'node:crypto';
import {
  registerApplication,
  updateApplication,
  type Registration,
} from '../../core/applications/store/applications.ts';
import { openDatabase, type Database } from '../../database/connection.ts';
import { createSecretBox } from '../../runtime/secrets.ts';
import type { DevFile } from '../../scripts/development/dev-file.ts';
import { disagreements, readBooks } from './books.ts';
import { measureDatabase, type DatabaseWork } from './database-work.ts';
import { historyEvents } from './history-events.ts';
import { openInbox, type Inbox } from './inbox.ts';
import { actAsPayer } from './payers.ts';
import { ENDINGS, isLeft, planPayments, type Choice, type Plan } from './plan.ts';
import { openShop, type Shop } from './shop.ts';

export interface ProofOptions {
  readonly dev: DevFile;
  readonly masterKey: string;
  readonly payments: number;
  readonly inFlight: number;
  readonly seed: number;
  readonly tell: (line: string) => void;
}

export interface ProofResult {
  readonly payments: number;
  readonly inFlight: number;
  readonly seed: number;
  /** From the first create call to the last final event, not counting payments that their payers left. */
  readonly activeSeconds: number;
  readonly paymentsPerSecond: number;
  readonly totalSeconds: number;
  readonly createMs: Quantiles;
  /** From the payer's first page to the application's event. */
  readonly payerMs: Quantiles;
  readonly choices: Readonly<Record<string, number>>;
  readonly statuses: Readonly<Record<string, number>>;
  readonly events: { readonly distinct: number; readonly deliveries: number; readonly forged: number };
  readonly charges: { readonly count: number; readonly grossMinor: string; readonly ledgerGrossMinor: string };
  readonly database: DatabaseWork;
  readonly historyEvents: Readonly<Record<string, { min: number; max: number }>>;
  /** Everything that was wrong; empty if the proof holds. */
  readonly problems: readonly string[];
}

interface Quantiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Payments that their payers left expire soon; the others get the time that a slow machine needs. */
const LEFT_EXPIRY_MINUTES = 1;
const EVENT_TIMEOUT_MS = 120_000;
const LEFT_TIMEOUT_MS = 300_000;
const RATE_LIMIT_PER_MINUTE = 100_000;

/** Takes many payments at once through the public API and pages, and compares the final records of application, ledger and gateway. */
export async function proveThousand(options: ProofOptions): Promise<ProofResult> {
  const database = await openDatabase({ url: options.dev.databaseUrl, poolSize: 2 });
  const counters = [await openCounter(options, database), await openCounter(options, database, LEFT_EXPIRY_MINUTES)];
  try {
    const [quick, left] = counters;
    if (quick === undefined || left === undefined) {
      throw new Error('two applications are registered');
    }
    return await run({ options, database, quick, left });
  } finally {
    for (const { inbox, app } of counters) {
      await updateApplication({ database }, { applicationId: app.applicationId, webhookUrl: null });
      await inbox.close();
    }
    await database.close();
  }
}

interface Counter {
  readonly app: Registration;
  readonly shop: Shop;
  readonly inbox: Inbox;
}

async function openCounter({ dev, masterKey }: ProofOptions, database: Database, expiryMinutes = 30): Promise<Counter> {
  let secret = '';
  const inbox = await openInbox(() => secret);
  const app = await registerApplication(
    { database, secrets: createSecretBox(masterKey) },
    { name: 'Proof shop', webhookUrl: inbox.url, expiryMinutes, rateLimitPerMinute: RATE_LIMIT_PER_MINUTE },
  );
  secret = app.testSigningSecret;
  return { app, inbox, shop: openShop({ api: dev.api, credentials: app.test, run: randomUUID() }) };
}

interface Course {
  readonly plan: Plan;
  readonly counter: Counter;
  readonly id: number;
  readonly reference: string;
}

interface Run {
  readonly options: ProofOptions;
  readonly database: Database;
  readonly quick: Counter;
  readonly left: Counter;
}

async function run({ options, database, quick, left }: Run): Promise<ProofResult> {
  const { payments, inFlight, seed, dev, tell } = options;
  const plans = planPayments({ payments, seed });
  const courses: Course[] = [];
  const problems: string[] = [];
  const createMs: number[] = [];
  const payerMs: number[] = [];
  const work = await measureDatabase(dev.databaseUrl);
  const started = performance.now();
  await inLanes(plans, inFlight, async (plan) => {
    const counter = isLeft(plan) ? left : quick;
    try {
      const began = performance.now();
      const { id, reference, checkoutUrl } = await counter.shop.create(plan);
      createMs.push(performance.now() - began);
      courses.push({ plan, counter, id, reference });
      if (courses.length % 100 === 0) {
        tell(`${courses.length} of ${payments} created after ${seconds(started)} s`);
      }
      const opened = performance.now();
      await actAsPayer(checkoutUrl, plan);
      if (!isLeft(plan)) {
        await counter.inbox.ended(reference, EVENT_TIMEOUT_MS);
        payerMs.push(performance.now() - opened);
      }
    } catch (error) {
      problems.push(
        `payment ${plan.number} (${plan.choice}): ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  });
  const activeSeconds = seconds(started);
  tell(`All payers are done after ${activeSeconds} s; waiting for the payments that were left.`);
  await awaitLeft(courses, problems);
  const statuses = await checkStatuses(courses, { inFlight, problems });
  const totalSeconds = seconds(started);
  const events = checkEvents(courses, { quick, left, problems });
  const books = await readBooks(database, {
    simulators: dev.simulators,
    applicationIds: [quick.app.applicationId, left.app.applicationId],
  });
  problems.push(...disagreements(books));
  const paid = plans.filter(({ choice }) => ENDINGS[choice] === 'SUCCEEDED').length;
  if (books.charged.size !== paid) {
    problems.push(`${paid} payers paid, the gateway charged ${books.charged.size}`);
  }
  return {
    payments,
    inFlight,
    seed,
    activeSeconds,
    paymentsPerSecond: Number((payments / activeSeconds).toFixed(2)),
    totalSeconds,
    createMs: quantiles(createMs),
    payerMs: quantiles(payerMs),
    choices: tally(plans.map(({ choice }) => choice)),
    statuses,
    events,
    charges: {
      count: books.charged.size,
      grossMinor: sum(books.charged.values()),
      ledgerGrossMinor: sum(books.posted.values()),
    },
    database: await work.finish(payments),
    historyEvents: await historyEvents(dev.temporal, referencesByChoice(courses)),
    problems,
  };
}

/** Processes the plans in parallel lanes. Each lane takes the next plan when it is free. */
async function inLanes(plans: readonly Plan[], lanes: number, work: (plan: Plan) => Promise<void>): Promise<void> {
  const queue = plans.values();
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (const plan of queue) {
        await work(plan);
      }
    }),
  );
}

async function awaitLeft(courses: readonly Course[], problems: string[]): Promise<void> {
  const left = courses.filter(({ plan }) => isLeft(plan));
  const waits = await Promise.allSettled(
    left.map(({ counter, reference }) => counter.inbox.ended(reference, LEFT_TIMEOUT_MS)),
  );
  for (const wait of waits) {
    if (wait.status === 'rejected') {
      problems.push(String(wait.reason));
    }
  }
}

interface Checking {
  readonly inFlight: number;
  readonly problems: string[];
}

async function checkStatuses(courses: readonly Course[], { inFlight, problems }: Checking) {
  const statuses: string[] = [];
  const byNumber = new Map(courses.map((course) => [course.plan.number, course]));
  await inLanes(
    courses.map(({ plan }) => plan),
    inFlight,
    async ({ number, choice }) => {
      const course = byNumber.get(number);
      if (course === undefined) {
        return;
      }
      const { status } = await course.counter.shop.read(course.id);
      statuses.push(status);
      if (status !== ENDINGS[choice]) {
        problems.push(`payment ${number} (${course.reference}, ${choice}) is ${status}, not ${ENDINGS[choice]}`);
      }
    },
  );
  return tally(statuses);
}

interface Inboxes {
  readonly quick: Counter;
  readonly left: Counter;
  readonly problems: string[];
}

/** Each payment reported its final state once, under one event id, to its own application. */
function checkEvents(courses: readonly Course[], { quick, left, problems }: Inboxes): ProofResult['events'] {
  const distinct = new Set<string>();
  for (const { plan, counter, reference } of courses) {
    const own = counter.inbox.arrivals.filter((arrival) => arrival.reference === reference);
    const ids = new Set(own.map(({ eventId }) => eventId));
    ids.forEach((id) => distinct.add(id));
    const ending = ENDINGS[plan.choice];
    if (ids.size !== 1) {
      problems.push(`payment ${plan.number} (${reference}) sent ${ids.size} terminal events`);
    }
    if (own.length > ids.size) {
      problems.push(`payment ${plan.number} (${reference}): an event was delivered ${own.length} times`);
    }
    if (own.some(({ type, status }) => status !== ending || type !== `payment.${ending.toLowerCase()}`)) {
      problems.push(`payment ${plan.number} (${reference}) ended ${ending}, its event says otherwise`);
    }
  }
  const inboxes = [quick.inbox, left.inbox];
  const deliveries = inboxes.reduce((total, { arrivals }) => total + arrivals.length, 0);
  const forged = inboxes.reduce((total, inbox) => total + inbox.forged, 0);
  if (forged > 0) {
    problems.push(`${forged} deliveries had no valid signature`);
  }
  return { distinct: distinct.size, deliveries, forged };
}

function referencesByChoice(courses: readonly Course[]): ReadonlyMap<Choice, readonly string[]> {
  return Map.groupBy(courses, ({ plan }) => plan.choice)
    .entries()
    .reduce(
      (map, [choice, group]) =>
        map.set(
          choice,
          group.map(({ reference }) => reference),
        ),
      new Map(),
    );
}

function tally(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names.toSorted()) {
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

function quantiles(values: readonly number[]): Quantiles {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => Math.round(sorted[Math.ceil(share * sorted.length) - 1] ?? 0);
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

function sum(values: Iterable<bigint>): string {
  return Iterator.from(values)
    .reduce((total, value) => total + value, 0n)
    .toString();
}

function seconds(since: number): number {
  return Number(((performance.now() - since) / 1_000).toFixed(1));
}
