import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { z } from 'zod';
import { open, press, type Page } from '../../scripts/development/demo/payer.ts';
import { workflowIds } from '../../workflows/messages/names.ts';
import type { MeasuredStack } from '../measured-stack.ts';
import type { Shop } from '../shop.ts';
import { quantile } from '../statistics.ts';
import type { GatewayCounter } from './gateway-counter.ts';
import { forgetStatements, readStatements, untilQuiet, walPosition, type Statement } from './statements.ts';

/** `create` and `pay` make up a payment without errors. The payer's return and a read of the payment are counted separately. */
export const STEPS = ['create', 'pay', 'return', 'read'] as const;
export type Step = (typeof STEPS)[number];

export interface StepCounts {
  readonly statements: readonly Statement[];
  readonly walBytes: number;
  readonly gatewayCalls: Readonly<Record<string, number>>;
}

export interface HistoryCounts {
  readonly events: number;
  readonly workflowTasks: number;
  readonly regularActivities: number;
  readonly localActivities: number;
}

export interface PaymentCounts {
  readonly steps: Readonly<Record<Step, StepCounts>>;
  readonly payment: HistoryCounts;
  readonly webhook: HistoryCounts;
}

export interface CountingGround {
  readonly stack: MeasuredStack;
  readonly shop: Shop;
  readonly gateway: GatewayCounter;
  /** Resolves with the `webhook-id` of the next event that arrives. */
  readonly nextWebhook: () => Promise<string>;
}

/**
 * Takes payments one after the other on a stack that does nothing else. Returns the median of each count, but the minimum for history events. The
 * first payments only warm caches and write the full-page images that follow a checkpoint.
 */
export async function measureCounts(
  ground: CountingGround,
  { payments, warmUp }: { payments: number; warmUp: number },
): Promise<PaymentCounts> {
  await ground.stack.pauseSchedules();
  await ground.stack.database.query('checkpoint');
  for (let number = 0; number < warmUp; number += 1) {
    await countPayment(ground);
  }
  const counted: PaymentCounts[] = [];
  for (let number = 0; number < payments; number += 1) {
    counted.push(await countPayment(ground));
  }
  return medianOf(counted);
}

const Created = z.object({
  data: z.object({ id: z.int(), reference: z.string(), status: z.literal('PENDING'), redirectUrl: z.url() }),
});
const Succeeded = z.object({ data: z.object({ status: z.literal('SUCCEEDED') }) });

/** Counts one payment without errors, the payer's return and a read of the payment. */
export async function countPayment({ stack, shop, gateway, nextWebhook }: CountingGround): Promise<PaymentCounts> {
  const { database, dev, temporal } = stack;
  const credentials = { 'x-api-key': shop.apiKey, 'x-api-secret': shop.apiSecret };
  const step = <T>(work: () => Promise<T>) => countStep({ database, gateway }, work);
  const created = await step(async () => {
    const answer = await fetch(`${dev.api}/payments`, {
      method: 'POST',
      headers: { ...credentials, 'content-type': 'application/json', 'idempotency-key': randomUUID() },
      body: JSON.stringify({ amountMinor: 10_000, currency: 'BDT', customerReference: 'bench', productName: 'Bench' }),
    });
    return Created.parse(await answer.json()).data;
  });
  const { id, reference, redirectUrl } = created.result;
  const payment = temporal.workflow.getHandle(workflowIds.payment(reference));
  const gatewayPage = await open(redirectUrl);
  const paid = await step(async () => {
    const arrived = nextWebhook();
    const page = await press(gatewayPage, { form: 'form', button: 'pay' });
    const webhook = temporal.workflow.getHandle(workflowIds.webhook(await arrived));
    await Promise.all([payment.result(), webhook.result()]);
    return { page, webhook };
  });
  const returned = await step((): Promise<Page> => press(paid.result.page, { form: '#return' }));
  const read = await step(async () => {
    const answer = await fetch(`${dev.api}/payments/${id}`, { headers: credentials });
    Succeeded.parse(await answer.json());
  });
  return {
    steps: { create: created.counts, pay: paid.counts, return: returned.counts, read: read.counts },
    payment: historyCounts((await payment.fetchHistory()).events ?? []),
    webhook: historyCounts((await paid.result.webhook.fetchHistory()).events ?? []),
  };
}

/** Runs `work` and returns its cost, once everything that it caused has finished. */
export async function countStep<T>(
  { database, gateway }: { database: pg.Pool; gateway: GatewayCounter },
  work: () => Promise<T>,
): Promise<{ result: T; counts: StepCounts }> {
  await untilQuiet(database);
  await forgetStatements(database);
  gateway.take();
  const before = await walPosition(database);
  const result = await work();
  await untilQuiet(database);
  const walBytes = Number((await walPosition(database)) - before);
  return { result, counts: { statements: await readStatements(database), walBytes, gatewayCalls: gateway.take() } };
}

function historyCounts(events: readonly object[]): HistoryCounts {
  const having = (attributes: string): number =>
    events.filter((event) => Object.entries(event).some(([name, value]) => name === attributes && value !== null))
      .length;
  return {
    events: events.length,
    workflowTasks: having('workflowTaskCompletedEventAttributes'),
    regularActivities: having('activityTaskScheduledEventAttributes'),
    localActivities: having('markerRecordedEventAttributes'),
  };
}

function medianOf(counted: readonly PaymentCounts[]): PaymentCounts {
  const median = (of: (counts: PaymentCounts) => number): number => Math.round(quantile(counted.map(of), 0.5));
  const least = (of: (counts: PaymentCounts) => number): number => Math.min(...counted.map(of));
  // On a busy machine Temporal sometimes splits the same commands into one more workflow task. The minimum is what the workflow itself needs.
  const history = (of: (counts: PaymentCounts) => HistoryCounts): HistoryCounts => ({
    events: least((each) => of(each).events),
    workflowTasks: least((each) => of(each).workflowTasks),
    regularActivities: least((each) => of(each).regularActivities),
    localActivities: least((each) => of(each).localActivities),
  });
  const step = (name: Step): StepCounts => ({
    statements: medianStatements(counted.map(({ steps }) => steps[name].statements)),
    walBytes: median(({ steps }) => steps[name].walBytes),
    gatewayCalls: medianCalls(counted.map(({ steps }) => steps[name].gatewayCalls)),
  });
  return {
    steps: { create: step('create'), pay: step('pay'), return: step('return'), read: step('read') },
    payment: history(({ payment }) => payment),
    webhook: history(({ webhook }) => webhook),
  };
}

/** A statement that only few payments ran, such as recording once a minute that a credential was used, has a median of 0 and is omitted. */
function medianStatements(lists: readonly (readonly Statement[])[]): Statement[] {
  const keyOf = ({ role, text }: Statement): string => `${role} ${text}`;
  const known = new Map(lists.flat().map((statement) => [keyOf(statement), statement]));
  return [...known]
    .map(([key, { role, text }]) => {
      const each = lists.map((list) => list.find((statement) => keyOf(statement) === key));
      const median = (of: (statement: Statement) => number): number =>
        quantile(
          each.map((statement) => (statement === undefined ? 0 : of(statement))),
          0.5,
        );
      return {
        role,
        text,
        calls: Math.round(median(({ calls }) => calls)),
        walBytes: Math.round(median(({ walBytes }) => walBytes)),
        fullPageImages: Math.round(median(({ fullPageImages }) => fullPageImages)),
        blocks: Math.round(median(({ blocks }) => blocks)),
        ms: median(({ ms }) => ms),
      };
    })
    .filter(({ calls }) => calls > 0)
    .sort((a, b) => b.calls - a.calls || a.text.localeCompare(b.text));
}

function medianCalls(each: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const paths = [...new Set(each.flatMap((calls) => Object.keys(calls)))].sort();
  return Object.fromEntries(
    paths.map((path) => [
      path,
      Math.round(
        quantile(
          each.map((calls) => calls[path] ?? 0),
          0.5,
        ),
      ),
    ]),
  );
}
