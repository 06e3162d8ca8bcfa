import * as workflows from '../../workflows/index.ts';
import { MIGRATIONS } from '../../database/migrations/index.ts';
import type { PaymentStatus } from '../../domain/payment.ts';
import type { RefundStatus } from '../../domain/refund.ts';
import { Cast } from './cast.ts';
import { liveIn } from './fake-globals.ts';
import type { Evidence } from './evidence.ts';
import { InvoiceClients } from './invoice-clients.ts';
import type { InvoiceEvidence } from './invoice-evidence.ts';
import { InvoiceWatch } from './invoice-watch.ts';
import { judge } from './judges.ts';
import { Operators } from './operators.ts';
import { PINNED_SEEDS } from './pinned-seeds.ts';
import { schemaOf, type Schema } from './postgres/schema.ts';
import type { PostgresServer } from './postgres/server.ts';
import { Random } from './random.ts';
import { RefundClients } from './refund-clients.ts';
import { storyOf } from './story.ts';
import type { WorkflowCode } from './temporal/server.ts';
import { Timeline } from './timeline.ts';
import { START_MS, World } from './world.ts';

/** A refund may wait a week for a second person, be queried for a month, and be queried again after a review. */
const LAST_DAY_MS = 150 * 86_400_000;
const LOOK_EVERY_MS = 60_000;
const EVERY_PART = { withMoney: true, withInvoices: true, withDeliveries: true };

export interface SeedResult {
  readonly seed: number;
  readonly violations: readonly { readonly judge: string; readonly what: string }[];
  readonly branches: Readonly<Record<string, number>>;
  readonly trace: readonly string[];
  readonly fakeMs: number;
}

/** Runs one story from its seed until it comes to rest, and judges it. The trace takes time, so request it only for a single seed. */
export async function runSeed(seed: number, { trace = false }: { trace?: boolean } = {}): Promise<SeedResult> {
  const random = new Random(seed);
  const timeline = new Timeline(START_MS);
  const lines: string[] = [];
  const told = (line: string): void => {
    if (trace) {
      lines.push(`${((timeline.nowMs - START_MS) / 1_000).toFixed(3).padStart(11)} ${line}`);
    }
  };
  const world = new World({
    story: storyOf(random.fork('story'), PINNED_SEEDS.get(seed) ?? EVERY_PART),
    random: random.fork('world'),
    timeline,
    schema: await schema(),
    workflows: workflows as Record<string, WorkflowCode>,
    told,
  });
  told(JSON.stringify(world.story));
  liveIn({ timeline, random: random.fork('chance') });
  try {
    return await play(world, { seed, random, lines });
  } finally {
    liveIn(null);
  }
}

let known: Promise<Schema> | undefined;

/** Returns the tables of the product's migrations, read once per thread. */
function schema(): Promise<Schema> {
  known ??= (async () => {
    const statements: string[] = [];
    for (const { class: Migration } of MIGRATIONS) {
      const { up } = Migration.prototype;
      await up.call({ addSql: (sql: string) => statements.push(sql) } as unknown as InstanceType<typeof Migration>);
    }
    return schemaOf(statements);
  })();
  return known;
}

async function play(
  world: World,
  { seed, random, lines }: { seed: number; random: Random; lines: string[] },
): Promise<SeedResult> {
  const { timeline } = world;
  const cast = new Cast(world, random.fork('cast'));
  const transitions = watchTransitions(world);
  const refunds = watchRefunds(world);
  const furnished = world.registerApps();
  while (!world.furnished && (await timeline.step())) {
    // Nothing else is planned yet.
  }
  await furnished;
  world.story.payments.forEach((plan, index) => cast.enter(plan, index));
  const watch = new InvoiceWatch(world);
  const { clients, ...people } = moneyPeople(world, random);
  const billing = new InvoiceClients(world, random.fork('invoice clients'), { cast, refunds: clients });
  world.story.invoices?.invoices.forEach((plan, index) => billing.enter(plan, index));
  strike(world);
  keepSweeping(world);
  let atRest = false;
  try {
    while (!atRest && timeline.nowMs < START_MS + LAST_DAY_MS && (await timeline.step())) {
      atRest = timeline.busy === 0 && !world.faulty() && world.atRest();
    }
  } catch (error) {
    world.wrong.push(`simulation: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
  const evidence: Evidence = {
    ...gather(world, { cast, transitions, atRest }),
    ...refunds,
    ...people,
    invoices: invoiceEvidence(watch, { billing, world }),
  };
  const violations = judge(evidence);
  noteEnds(world);
  return {
    seed,
    violations,
    branches: Object.fromEntries(world.branches),
    trace: lines,
    fakeMs: timeline.nowMs - START_MS,
  };
}

function watchTransitions(world: World): Evidence['transitions'] {
  const seen = new Map<bigint, PaymentStatus>();
  const transitions: { paymentId: bigint; from: PaymentStatus; to: PaymentStatus }[] = [];
  world.postgres.onCommit = () => {
    world.deliveries.committed();
    for (const { id, status } of world.postgres.rows('payments')) {
      const paymentId = id as bigint;
      const to = status as PaymentStatus;
      const from = seen.get(paymentId) ?? 'CREATED';
      if (from !== to) {
        transitions.push({ paymentId, from, to });
        world.told(`payment ${paymentId}: ${from} → ${to}`);
      }
      seen.set(paymentId, to);
    }
  };
  return transitions;
}

/** Records every visible state change of a refund, legal or not, and every moment at which too much was reserved. */
function watchRefunds(world: World): Pick<Evidence, 'refundTransitions' | 'overReserved'> {
  const seen = new Map<bigint, RefundStatus>();
  const reviews = new Set<string>();
  const refundTransitions: { refundId: bigint; from: RefundStatus | null; to: RefundStatus }[] = [];
  const overReserved: string[] = [];
  const { postgres } = world;
  const watch = postgres.onCommit;
  postgres.onCommit = () => {
    watch();
    const refunds = postgres.rows('refunds');
    for (const { id, status, amount_minor: amount, created_by_type: by, review_since: since, ...row } of refunds) {
      const review = since instanceof Date ? `${String(id)} ${since.getTime()}` : null;
      if (review !== null && !reviews.has(review)) {
        reviews.add(review);
        world.reached(`refund review: ${String(row['review_reason'])}`);
      }
      const refundId = id as bigint;
      const to = status as RefundStatus;
      const from = seen.get(refundId) ?? null;
      if (from !== to) {
        refundTransitions.push({ refundId, from, to });
        world.told(`refund ${refundId} of ${String(amount)} by ${String(by)}: ${from ?? 'new'} → ${to}`);
        seen.set(refundId, to);
      }
    }
    if (refunds.length > 0) {
      overReserved.push(...overReservedNow(postgres));
    }
  };
  return { refundTransitions, overReserved };
}

function overReservedNow(postgres: PostgresServer): string[] {
  const taken = new Map<string, bigint>();
  for (const { payment_id: payment, unapplied_payment_id: late, status, amount_minor: amount } of postgres.rows(
    'refunds',
  )) {
    if (status !== 'FAILED' && status !== 'REJECTED') {
      const of = late === null ? `payment ${String(payment)}` : `unapplied money ${String(late)}`;
      taken.set(of, (taken.get(of) ?? 0n) + (amount as bigint));
    }
  }
  const captured = new Map<string, unknown>([
    ...postgres
      .rows('payments')
      .map(
        ({ id, amount_minor: amount, overpayment_minor: overpayment }) =>
          [`payment ${String(id)}`, (amount as bigint) - (overpayment as bigint)] as const,
      ),
    ...postgres
      .rows('unapplied_payments')
      .map((row) => [`unapplied money ${String(row['id'])}`, row['gross_minor']] as const),
  ]);
  return [...taken]
    .filter(([of, sum]) => sum > (captured.get(of) as bigint))
    .map(([of, sum]) => `${sum} of ${of} was reserved or given back, ${String(captured.get(of))} was captured`);
}

/** Returns the people who request refunds or decide on them; none in a story without such people. */
function moneyPeople(
  world: World,
  random: Random,
): Pick<Evidence, 'refundAnswers' | 'wronglyRefused' | 'acts'> & { clients: RefundClients | null } {
  const { money } = world.story;
  if (money === null) {
    return { refundAnswers: [], wronglyRefused: [], acts: [], clients: null };
  }
  const operators = new Operators(world, random.fork('operators'));
  const clients = new RefundClients(world, random.fork('refund clients'), operators.operate);
  money.refunds.forEach((plans, index) =>
    clients.enter(plans, { app: index % world.story.apps.length, paymentKey: `key-${index}`, name: String(index) }),
  );
  return { refundAnswers: clients.answers, wronglyRefused: clients.wronglyRefused, acts: operators.acts, clients };
}

function invoiceEvidence(
  { stands, miscounted, misnumbered, missteps, overpaymentLost, payingForVoid, toldAmiss }: InvoiceWatch,
  { billing: { answers, looks }, world }: { billing: InvoiceClients; world: World },
): InvoiceEvidence {
  const emails = world.mailServer?.emails ?? [];
  return {
    stands,
    miscounted,
    misnumbered,
    missteps,
    overpaymentLost,
    payingForVoid,
    toldAmiss,
    answers,
    looks,
    emails,
  };
}

/** Carries out kills, freezes, terminations and clock jumps, each at its time. */
function strike(world: World): void {
  const { timeline, story } = world;
  for (const { atMs, kind, process, forMs } of story.blows) {
    timeline.at(START_MS + atMs, () => {
      switch (kind) {
        case 'kill':
          world.kill(process, forMs);
          break;
        case 'freeze':
          world.freeze(process, forMs);
          break;
        case 'terminate':
          world.deliveries.trouble(null);
          world.terminationsMs.push(timeline.nowMs);
          for (const run of world.temporal.runs.values()) {
            if (run.status === 'running') {
              world.reached(`terminated: ${run.type}`);
              world.temporal.terminate(run);
            }
          }
          break;
        case 'leap':
          // Simulates a standstill of the whole machine: everything that was due meanwhile comes at once.
          world.reached('leap of the clock');
          world.deliveries.trouble(null, forMs);
          timeline.nowMs += forMs;
          break;
      }
    });
  }
}

/** The workers look after the sweeper every minute. Once nothing has failed for an hour, every half hour at most, and when it has work. */
function keepSweeping(world: World): void {
  const { timeline } = world;
  const look = (): void => {
    world.keepSweeper();
    const dueInMs = world.nextSweepMs() - timeline.nowMs;
    const waitMs = world.isCalm() ? Math.min(Math.max(dueInMs, 30 * 60_000), 3_600_000) : LOOK_EVERY_MS;
    timeline.at(timeline.nowMs + waitMs, look, { idle: true, life: null });
  };
  timeline.at(START_MS, look, { idle: true, life: null });
}

function gather(
  world: World,
  { cast, transitions, atRest }: { cast: Cast; transitions: Evidence['transitions']; atRest: boolean },
): Omit<Evidence, 'refundTransitions' | 'overReserved' | 'refundAnswers' | 'wronglyRefused' | 'acts' | 'invoices'> {
  const names = [...world.postgres.tables.keys()];
  return {
    rows: Object.fromEntries(names.map((name) => [name, world.postgres.rows(name)])),
    transitions,
    sessions: [...world.gateway.sessions.keys()],
    charges: world.gateway.charges,
    refunds: world.gateway.refunds.booked,
    refusedRefunds: world.gateway.refunds.refused,
    endedMs: world.timeline.nowMs,
    received: world.receivers.received,
    deliveries: world.deliveries,
    answers: cast.answers,
    alerts: world.alerts,
    leftToPeople: world.leftToPeople,
    unfounded: world.unfounded,
    acknowledged: world.acknowledged,
    wrong: world.wrong,
    atRest,
    running: [...world.temporal.runs.values()]
      .filter(({ status }) => status === 'running')
      .map(({ workflowId }) => workflowId),
    histories: [...world.temporal.runs.values(), ...world.temporal.closed],
    faultsEndedMs: START_MS + Math.max(world.faultsEndMs, world.story.gatewayAwayUntilMs, world.story.booksFullUntilMs),
    clockToleranceMs: 2_000,
    terminationsMs: world.terminationsMs,
  };
}

/** Counts final states as branches too: statuses, reviews, outcomes of callbacks, ends of deliveries. */
function noteEnds(world: World): void {
  const { postgres } = world;
  for (const { status, review_reason: reason, failure_code: code } of postgres.rows('payments')) {
    world.reached(`payment: ${String(status)}${reason === null ? '' : `, review ${String(reason)}`}`);
    if (code !== null) {
      world.reached(`failure: ${String(code)}`);
    }
  }
  for (const { status } of postgres.rows('payment_attempts')) {
    world.reached(`attempt: ${String(status)}`);
  }
  for (const { outcome, repeats } of postgres.rows('gateway_callbacks')) {
    world.reached(`callback: ${String(outcome)}`);
    if (Number(repeats) > 0) {
      world.reached('callback: repeated');
    }
  }
  for (const { status } of postgres.rows('unapplied_payments')) {
    world.reached(`late: ${String(status)}`);
  }
  for (const {
    status,
    review_reason: reason,
    failure_code: code,
    unapplied_payment_id: late,
    created_by_type: by,
  } of postgres.rows('refunds')) {
    world.reached(`refund: ${String(status)}${reason === null ? '' : `, review ${String(reason)}`}`);
    world.reached(`refund by ${String(by)} of ${late === null ? 'a payment' : 'unapplied money'}: ${String(status)}`);
    if (code !== null) {
      world.reached(`refund failure: ${String(code)}`);
    }
  }
  for (const { status } of postgres.rows('invoices')) {
    world.reached(`invoice: ${String(status)}`);
  }
  for (const { status, kind } of postgres.rows('unapplied_payments')) {
    if (kind === 'overpayment') {
      world.reached(`overpayment: ${String(status)}`);
    }
  }
  for (const { email_status: status } of postgres.rows('invoice_notices')) {
    world.reached(`email: ${String(status)}`);
  }
  for (const { kind, outcome } of postgres.rows('decisions')) {
    world.reached(`decision: ${String(kind)} ${String(outcome)}`);
  }
  const accepted = world.receivers.received.filter(({ status }) => status !== null && status < 300);
  if (new Set(accepted.map(({ eventId }) => eventId)).size < accepted.length) {
    world.reached('event: arrived again');
  }
  for (const { delivery_status: status, last_error: error } of postgres.rows('webhook_events')) {
    world.reached(`event: ${String(status)}${status === 'PARKED' ? ` ${String(error)}` : ''}`);
  }
  for (const { disabled_reason: reason } of postgres.rows('webhook_endpoints')) {
    if (reason !== null) {
      world.reached(`endpoint: disabled ${String(reason)}`);
    }
  }
}
