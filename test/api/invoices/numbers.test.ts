import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import type { CredentialPair, Registration } from '../../../core/applications/store/applications.ts';
import { call } from '../contract-client.ts';
import { openBilling, SAMPLE, type Billing } from './billing.ts';

let billing: Billing;
beforeAll(async () => {
  billing = await openBilling();
});
afterAll(() => billing.close());

const INVOICES = 200;
const TRIES_MAX = 60;
const SEED = 20_261_121;

/** How one invoice is created, and what goes wrong at the first try. */
const Plan = fc.record({
  by: fc.constantFrom('create', 'issue'),
  scope: fc.constantFrom<number>(0, 0, 0, 1, 2),
  listener: fc.constantFrom(0, 1),
  // The client aborts a third of the requests, and the server's connections to Postgres are killed as well.
  abortAfterMs: fc.oneof(
    { weight: 2, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 120 }) },
  ),
  startAfterMs: fc.integer({ min: 0, max: 400 }),
});
type Plan = typeof Plan extends fc.Arbitrary<infer T> ? T : never;

interface Counted {
  readonly credentials: CredentialPair;
  readonly applicationId: bigint;
  readonly mode: 'TEST' | 'LIVE';
}

function scopesOf(one: Registration, other: Registration): Counted[] {
  return [
    { credentials: one.test, applicationId: one.applicationId, mode: 'TEST' },
    { credentials: one.live, applicationId: one.applicationId, mode: 'LIVE' },
    { credentials: other.test, applicationId: other.applicationId, mode: 'TEST' },
  ];
}

test('200 invoices at once over two processes, a third of them killed in the middle, are numbered 1 to n in each app and mode', async () => {
  // Otherwise an invoice number would be missing or given twice. The last statement of the issuing transaction takes the number.
  const settings = { rateLimitPerMinute: 1_000_000, webhookUrl: 'https://shop.example/hooks' };
  const scopes = scopesOf(await billing.world.register(settings), await billing.world.register(settings));
  const listeners = [billing.origin, await billing.world.listen()];
  const plans = fc.sample(Plan, { seed: SEED, numRuns: INVOICES });
  const tally = { cut: 0, failed: 0, retried: 0 };
  const killing = killConnections();
  let kills = 0;
  const ids = await Promise.all(plans.map((plan, index) => bill({ plan, index, listeners, scopes, tally }))).finally(
    async () => {
      kills = await killing.end();
    },
  );

  expect(new Set(ids).size).toBe(INVOICES);
  expect(tally.cut).toBeGreaterThan(INVOICES / 5);
  expect(kills).toBeGreaterThan(20);
  let numbered = 0;
  for (const { applicationId, mode } of scopes) {
    const rows = await billing.world.sql<{ id: string; number: string; status: string }>(
      'select id, number, status from invoices where application_id = ? and mode = ? and number is not null order by number',
      [applicationId, mode],
    );
    expect(rows.map(({ number }) => Number(number))).toEqual(rows.map((_, index) => index + 1));
    const [counter] = await billing.world.sql<{ last_number: string }>(
      'select last_number from invoice_counters where application_id = ? and mode = ?',
      [applicationId, mode],
    );
    expect(Number(counter?.last_number)).toBe(rows.length);
    numbered += rows.length;
  }
  expect(numbered).toBe(INVOICES);
  expect(await eventsThatDiffer()).toEqual([]);
  expect(await strays()).toEqual([]);
});

interface Billed {
  readonly plan: Plan;
  readonly index: number;
  readonly listeners: readonly string[];
  readonly scopes: readonly Counted[];
  readonly tally: { cut: number; failed: number; retried: number };
}

const Made = z.object({ id: z.number(), number: z.string().nullable() });

/** Creates one invoice and retries with its key until it exists, like a client that does not know what happened. */
async function bill({ plan, index, listeners, scopes, tally }: Billed): Promise<string> {
  const scope = scopes[plan.scope];
  await sleep(plan.startAfterMs);
  const create = (issue: boolean): Request => ({
    path: '/invoices',
    body: { ...SAMPLE, issue },
    headers: { 'idempotency-key': `numbers-${index}` },
  });
  const at = { origin: listeners[plan.listener] ?? '', credentials: scope?.credentials };
  if (plan.by === 'create') {
    return `${plan.scope} ${(await insist(create(true), { ...at, tally, abortAfterMs: plan.abortAfterMs })).number}`;
  }
  const draft = await insist(create(false), { ...at, tally, abortAfterMs: null });
  const issue = { path: `/invoices/${draft.id}/issue`, body: undefined, headers: {} };
  return `${plan.scope} ${(await insist(issue, { ...at, tally, abortAfterMs: plan.abortAfterMs })).number}`;
}

interface Request {
  readonly path: string;
  readonly body: unknown;
  readonly headers: Record<string, string>;
}

interface Insisting {
  readonly origin: string;
  readonly credentials: CredentialPair | undefined;
  readonly abortAfterMs: number | null;
  readonly tally: Billed['tally'];
}

async function insist(request: Request, { abortAfterMs, tally, ...at }: Insisting): Promise<z.infer<typeof Made>> {
  for (let attempt = 0; attempt < TRIES_MAX; attempt += 1) {
    const gone = new AbortController();
    const timer = attempt === 0 && abortAfterMs !== null ? setTimeout(() => gone.abort(), abortAfterMs) : undefined;
    const answer = await call({ method: 'POST', ...request, ...at, signal: gone.signal }).catch((error: unknown) => {
      if (!gone.signal.aborted) {
        throw error;
      }
      tally.cut += 1;
      return null;
    });
    clearTimeout(timer);
    if (answer !== null && answer.status < 300) {
      return Made.parse(answer.data);
    }
    if (answer !== null) {
      // A client with a correct request may only be told to retry.
      expect([answer.status, answer.meta.errorCode, answer.meta.message]).toEqual([
        expect.any(Number),
        expect.stringMatching(/^(SERVICE_UNAVAILABLE|IDEMPOTENCY_IN_PROGRESS)$/),
        expect.any(String),
      ]);
      tally.failed += 1;
    }
    tally.retried += 1;
    await sleep(answer?.meta.errorCode === 'IDEMPOTENCY_IN_PROGRESS' ? 1_000 : 50);
  }
  throw new Error(`${request.path} was never answered well`);
}

/** Ends the processes' connections to Postgres at random moments, those in a transaction first. */
function killConnections() {
  const done = new AbortController();
  const work = (async () => {
    let kills = 0;
    while (!done.signal.aborted && kills < 80) {
      const ended = await billing.world.sql(
        `select pg_terminate_backend(pid) from (
           select pid from pg_stat_activity
           where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle' and query not like '%pg_terminate%'
           order by (query like '%invoice_counters%') desc, random() limit 1) victim`,
      );
      kills += ended.length;
      await sleep(15);
    }
    return kills;
  })();
  return {
    end(): Promise<number> {
      done.abort();
      return work;
    },
  };
}

/** Returns invoices that do not have exactly one event with the row's number. */
function eventsThatDiffer(): Promise<object[]> {
  return billing.world.sql(
    `select i.id, i.number, count(e.*)::int as events, min(e.payload::jsonb -> 'data' ->> 'number') as told
     from invoices i left join webhook_events e on e.invoice_id = i.id and e.type = 'invoice.issued'
     where i.number is not null group by i.id, i.number
     having count(e.*) <> 1 or min(e.payload::jsonb -> 'data' ->> 'number') is distinct from 'INV-' || lpad(i.number::text, 6, '0')
       or min(e.payload::jsonb -> 'data' ->> 'id') is distinct from i.id::text`,
  );
}

/** Returns rows that no client knows of: extra drafts, and lines without an invoice. */
function strays(): Promise<object[]> {
  return billing.world.sql(
    `select 'draft' as what, id from invoices where status = 'DRAFT'
     union all select 'key of nothing', k.invoice_id from idempotency_keys k left join invoices i on i.id = k.invoice_id
       where k.operation = 'POST /invoices' and i.id is null`,
  );
}
