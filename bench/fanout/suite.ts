import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowNotFoundError } from '@temporalio/client';
import { openDatabase } from '../../database/connection.ts';
import { IN_FLIGHT_PER_ENDPOINT_MAX } from '../../domain/webhook.ts';
import { createDispatch } from '../../temporal/dispatch.ts';
import { startMeasuredStack, type MeasuredStack } from '../measured-stack.ts';
import { registerShop } from '../shop.ts';
import { quantile, spreadOf, type Spread } from '../statistics.ts';
import { verdict, type Findings, type Suite, type SuiteOptions } from '../suite.ts';
import { spreadText } from '../words.ts';
import { addPayment, createEventSource, type EventSource, type Tenant } from './events.ts';
import { startDeadReceiver, startHealthyReceiver, type DeadReceiver } from './receivers.ts';

const RECEIVERS = 10;
const P99_GOAL = 1.2;
const RATE_GOAL = 0.95;
const ARRIVES_WITHIN_MS = 60_000;

/** Measures whether a receiver that hangs slows down the others. */
export const fanout: Suite = {
  name: 'fanout',
  what: `webhooks to ${RECEIVERS - 1} healthy receivers with a dead one beside them ÷ with a healthy one`,
  minutes: { full: 6, quick: 2 },
  run: runFanout,
};

interface Plan {
  readonly pairs: number;
  /** Length of the phase with evenly spaced arrivals at half of capacity. */
  readonly seconds: number;
  /** Events that are sent all at once after that. */
  readonly burst: number;
}

interface Ground {
  readonly stack: MeasuredStack;
  readonly source: EventSource;
  readonly healthy: readonly Tenant[];
  /** The tenth receiver in its healthy form. */
  readonly tenth: Tenant;
}

interface Phase {
  /** Latency at healthy receivers, from an event's due time to its arrival. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Deliveries per second to healthy receivers during a burst. */
  readonly perSecond: number;
}

async function runFanout({ quick, say, keep }: SuiteOptions): Promise<Findings> {
  const plan: Plan = quick ? { pairs: 2, seconds: 12, burst: 60 } : { pairs: 5, seconds: 20, burst: 100 };
  const stack = await startMeasuredStack({ say });
  keep(stack.stop);
  const database = await openDatabase({ url: stack.dev.databaseUrl, poolSize: 10 });
  keep(() => database.close());
  const source = createEventSource({ database, dispatch: createDispatch(stack.temporal) });
  const tenants: Tenant[] = [];
  for (let number = 1; number <= RECEIVERS; number += 1) {
    const receiver = await startHealthyReceiver(source.received);
    keep(() => receiver.close());
    tenants.push(await addTenant(stack, { name: `Healthy ${number}`, url: receiver.url }));
  }
  const [tenth, ...healthy] = tenants;
  if (tenth === undefined) {
    throw new Error('there are no receivers');
  }
  const ground: Ground = { stack, source, healthy, tenth };
  await burst(ground, { tenants, events: plan.burst });
  const capacity = await burst(ground, { tenants, events: plan.burst });
  const perSecond = capacity / 2;
  say(`fanout: ${capacity.toFixed(1)} deliveries/s out of a burst; ${perSecond.toFixed(1)}/s are offered`);
  const without: Phase[] = [];
  const withDead: Phase[] = [];
  let socketsMax = 0;
  for (let pair = 0; pair < plan.pairs; pair += 1) {
    without.push(await runPhase(ground, { plan, perSecond, tenth }));
    const dead = await startDeadReceiver();
    keep(() => dead.close());
    const hanging = await addTenant(stack, { name: `Dead ${pair + 1}`, url: dead.url });
    withDead.push(await runPhase(ground, { plan, perSecond, tenth: hanging }));
    socketsMax = Math.max(socketsMax, dead.socketsMax());
    await bury(stack, { dead, tenant: hanging });
    say(`fanout, pair ${pair + 1}: p99 ${withDead.at(-1)?.p99Ms.toFixed(0)} ÷ ${without.at(-1)?.p99Ms.toFixed(0)} ms`);
  }
  return findingsOf({ without, withDead, socketsMax, perSecond, plan });
}

async function addTenant(stack: MeasuredStack, { name, url }: { name: string; url: string }): Promise<Tenant> {
  const { applicationId } = await registerShop({
    databaseUrl: stack.dev.databaseUrl,
    directory: stack.directory,
    webhookUrl: url,
    name,
  });
  return addPayment(stack.database, applicationId);
}

/** Sends evenly spaced events to each receiver in turn, then a burst. */
async function runPhase(
  ground: Ground,
  { plan, perSecond, tenth }: { plan: Plan; perSecond: number; tenth: Tenant },
): Promise<Phase> {
  const tenants = [...ground.healthy, tenth];
  const events = Math.round(plan.seconds * perSecond);
  const startedMs = performance.now();
  const latencies = await Promise.all(
    Array.from({ length: events }, async (_, number) => {
      const tenant = tenants[number % tenants.length] ?? tenth;
      const dueMs = startedMs + (number * 1_000) / perSecond;
      await sleep(Math.max(0, dueMs - performance.now()));
      const eventId = await ground.source.emit(tenant);
      return tenant === tenth ? [] : [(await ground.source.arrivedAtMs(eventId, ARRIVES_WITHIN_MS)) - dueMs];
    }),
  );
  const healthyMs = latencies.flat();
  return {
    p50Ms: quantile(healthyMs, 0.5),
    p99Ms: quantile(healthyMs, 0.99),
    perSecond: await burst(ground, { tenants, events: plan.burst }),
  };
}

/** Sends all events at once. Returns how many per second reach the nine receivers that are always healthy. */
async function burst(
  ground: Ground,
  { tenants, events }: { tenants: readonly Tenant[]; events: number },
): Promise<number> {
  const startedMs = performance.now();
  const arrivals = await Promise.all(
    Array.from({ length: events }, async (_, number) => {
      const tenant = tenants[number % tenants.length] ?? ground.tenth;
      const eventId = await ground.source.emit(tenant);
      return ground.healthy.includes(tenant) ? [await ground.source.arrivedAtMs(eventId, ARRIVES_WITHIN_MS)] : [];
    }),
  );
  const atMs = arrivals.flat();
  return (atMs.length * 1_000) / (Math.max(...atMs) - startedMs);
}

/** Ends what is still pending for the dead receiver, so that it does not affect the phase without it. */
async function bury(stack: MeasuredStack, { dead, tenant }: { dead: DeadReceiver; tenant: Tenant }): Promise<void> {
  await dead.close();
  await stack.database.query(
    'update webhook_endpoints set disabled_at = now() where application_id = $1 and mode = $2',
    [tenant.scope.applicationId, tenant.scope.mode],
  );
  await stack.database.query(
    `update webhook_events set delivery_status = 'PARKED', next_sweep_at = null where application_id = $1 and delivery_status <> 'DELIVERED'`,
    [tenant.scope.applicationId],
  );
  const query = `LendenApp = '${tenant.scope.applicationId}' and ExecutionStatus = 'Running'`;
  for await (const { workflowId } of stack.temporal.workflow.list({ query })) {
    await stack.temporal.workflow
      .getHandle(workflowId)
      .terminate('the measurement of the dead receiver is over')
      .catch(ignoreEnded);
  }
}

function ignoreEnded(error: unknown): void {
  if (!(error instanceof WorkflowNotFoundError)) {
    throw error;
  }
}

interface Found {
  readonly without: readonly Phase[];
  readonly withDead: readonly Phase[];
  readonly socketsMax: number;
  readonly perSecond: number;
  readonly plan: Plan;
}

function findingsOf(found: Found): Findings {
  const { without, withDead, socketsMax, perSecond, plan } = found;
  const ratio = (of: (phase: Phase) => number): Spread =>
    spreadOf(withDead.map((phase, index) => of(phase) / of(without[index] ?? phase)));
  const [p50, p99, rate] = [
    ratio(({ p50Ms }) => p50Ms),
    ratio(({ p99Ms }) => p99Ms),
    ratio(({ perSecond }) => perSecond),
  ];
  const sockets = verdict({ met: socketsMax <= IN_FLIGHT_PER_ENDPOINT_MAX, goal: `≤ ${IN_FLIGHT_PER_ENDPOINT_MAX}` });
  const row = (what: string, phases: readonly Phase[]): string[] => [
    what,
    spreadText(spreadOf(phases.map(({ p50Ms }) => p50Ms)), 0),
    spreadText(spreadOf(phases.map(({ p99Ms }) => p99Ms)), 0),
    spreadText(spreadOf(phases.map(({ perSecond }) => perSecond)), 1),
  ];
  return {
    order: 60,
    title: 'Webhooks with a dead receiver',
    summary: [
      `${RECEIVERS} receivers in turn get ${perSecond.toFixed(1)} events a second, half of what can be delivered out of a burst, for ${plan.seconds} s, then ${plan.burst} at once; every other time the tenth accepts and never answers. Latency is from when an event was due until it arrived at one of the nine others. All of them arrived.`,
      `With the dead one ÷ without: p99 ${p99.median.toFixed(2)} (${verdict({ met: p99.median <= P99_GOAL, goal: `≤ ${P99_GOAL}` })}), deliveries a second ${rate.median.toFixed(2)} (${verdict({ met: rate.median >= RATE_GOAL, goal: `≥ ${RATE_GOAL}` })}). Sockets to the dead one at a time: ${socketsMax} (${sockets}).`,
    ],
    tables: [
      {
        caption: `The nine healthy receivers: median (quartiles) of ${plan.pairs} pairs in turns`,
        columns: ['tenth receiver', 'p50 ms', 'p99 ms', 'deliveries/s out of a burst'],
        rows: [
          row('healthy', without),
          row('dead', withDead),
          ['ratio', spreadText(p50, 2), spreadText(p99, 2), spreadText(rate, 2)],
        ],
      },
    ],
    data: found,
  };
}
