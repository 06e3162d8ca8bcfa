import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import type { Registration } from '../../../core/applications/store/applications.ts';
import { INBOX_KINDS, INBOX_PERMISSIONS, type InboxKind } from '../../../domain/inbox.ts';
import { call } from '../contract-client.ts';
import { bearer, openOperatorWorld, type OperatorWorld } from './operator-world.ts';

const Ages = z.object({ underHour: z.int(), underDay: z.int(), underWeek: z.int(), older: z.int() });
const InboxAnswer = z.object({
  mode: z.string(),
  total: z.int(),
  kinds: z.array(
    z.object({
      kind: z.enum(INBOX_KINDS),
      count: z.int(),
      isComplete: z.boolean(),
      oldestSince: z.string().nullable(),
      ages: Ages,
      applications: z.array(
        z.object({ applicationId: z.int().nullable(), applicationName: z.string().nullable(), count: z.int() }),
      ),
    }),
  ),
});
type InboxAnswer = z.infer<typeof InboxAnswer>;

let world: OperatorWorld;
let first: Registration;
let second: Registration;
const tokens = new Map<string, string>();

beforeAll(async () => {
  world = await openOperatorWorld();
  first = await world.api.register({ name: 'First' });
  second = await world.api.register({ name: 'Second' });
  await world.api.sql(`insert into roles (name, permissions) values ('Approver', '{refund:approve}')`);
  await addPerson('owner@example.com', 'Super Admin');
  await addPerson('of-second@example.com', 'Super Admin', second.applicationId);
  await addPerson('approver@example.com', 'Approver');
  for (const shop of [first, second]) {
    await fill(shop);
  }
});
afterAll(() => world.close());

async function addPerson(email: string, role: string, applicationId: bigint | null = null): Promise<void> {
  await world.addOperator({ email, role, applicationId });
  tokens.set(email, await world.logIn(email));
}

async function read(email: string, query = '?mode=TEST'): Promise<InboxAnswer> {
  const { status, data } = await world.send({
    path: `/admin/inbox${query}`,
    headers: bearer(tokens.get(email) ?? ''),
  });
  expect(status).toBe(200);
  return InboxAnswer.parse(data);
}

/** The kinds that something waits for, with how many. */
function waiting({ kinds }: InboxAnswer): Partial<Record<InboxKind, number>> {
  return Object.fromEntries(kinds.filter(({ count }) => count > 0).map(({ kind, count }) => [kind, count]));
}

/** Gives an application one of each kind, and beside it one that is done. */
async function fill(shop: Registration): Promise<void> {
  const { sql } = world.api;
  const app = shop.applicationId;
  const [paid, ended] = [await world.api.paidPayment(shop), await world.api.paidPayment(shop)];
  await call({
    origin: world.origin,
    method: 'POST',
    path: '/payments',
    credentials: shop.test,
    body: { amountMinor: 10_000, customerReference: 'c' },
  });
  await sql(
    `insert into webhook_events (event_id, application_id, mode, payment_id, type, schema_version, sequence, payload, contract)
     select 'evt_' || id, application_id, mode, id, 'payment.succeeded', 1, 900, '{}', 'native' from payments where id = ?::bigint`,
    [paid.id],
  );
  await sql(
    `insert into unapplied_payments (application_id, mode, payment_id, attempt_id, gateway, validation_id, gateway_txn_id, evidence, gross_minor,
       fee_minor, currency, status)
     select application_id, mode, payment_id, id, gateway, 'late ' || id, 'late ' || id, '{}', 10000, 250, 'BDT',
       case when payment_id = ?::bigint then 'HELD' else 'KEPT' end
     from payment_attempts where payment_id in (?::bigint, ?::bigint)`,
    [paid.id, paid.id, ended.id],
  );
  await sql(
    `insert into refunds (reference, application_id, mode, payment_id, gateway, store_id, gateway_txn_id, amount_minor, currency, created_by_type, status,
       review_reason, review_since, succeeded_at, ended_at)
     select 'ref_' || lpad(?::text || n, 22, '0'), p.application_id, p.mode, p.id, p.gateway, 's', 't', 100, 'BDT', 'APP', s.status,
       review, case when review is not null then now() end, case when s.status = 'SUCCEEDED' then now() end,
       case when s.status in ('REJECTED', 'SUCCEEDED') then now() end
     from payments p, (values (1, 'AWAITING_APPROVAL', null), (2, 'REJECTED', null), (3, 'PENDING', 'REJECTED_AFTER_DOUBT'),
       (4, 'SUCCEEDED', 'FAILED_AFTER_SUCCESS'), (5, 'AWAITING_APPROVAL', 'REJECTED_AFTER_DOUBT')) s (n, status, review)
     where p.id = ?::bigint`,
    [String(app), paid.id],
  );
}

describe('the inbox', () => {
  test('a person who may everything sees every kind, also those that nothing waits for', async () => {
    const { kinds, total } = await read('owner@example.com');
    expect(kinds.map(({ kind }) => kind)).toEqual([...INBOX_KINDS]);
    expect(total).toBe(kinds.reduce((sum, { count }) => sum + count, 0));
    expect(kinds.every(({ isComplete }) => isComplete)).toBe(true);
  });

  test('counts what waits, and not what is done', async () => {
    expect(waiting(await read('owner@example.com'))).toEqual({
      REFUND_APPROVAL: 2,
      REFUND_REVIEW: 6,
      UNAPPLIED_PAYMENT: 2,
    });
  });

  test('a person with one application sees what waits there', async () => {
    const { kinds } = await read('of-second@example.com');
    const shops = kinds.flatMap(({ applications }) => applications);
    expect(new Set(shops.map(({ applicationName }) => applicationName))).toEqual(new Set(['Second']));
    expect(kinds.find(({ kind }) => kind === 'REFUND_APPROVAL')?.count).toBe(1);
  });

  test('a person sees only the kinds that they may act on', async () => {
    const { kinds } = await read('approver@example.com');
    const may = INBOX_KINDS.filter((kind) => INBOX_PERMISSIONS[kind] === 'refund:approve');
    expect(kinds.map(({ kind }) => kind)).toEqual(may);
  });

  test('LIVE and TEST are apart, and LIVE is what is meant', async () => {
    const { mode, total } = await read('owner@example.com', '');
    expect([mode, total]).toEqual(['LIVE', 0]);
  });
});

test('what a person has asked for themselves waits for another one', async () => {
  const own = `(select id from operators where email = 'approver@example.com')`;
  const approvals = async (email: string): Promise<number> =>
    (await read(email)).kinds.find(({ kind }) => kind === 'REFUND_APPROVAL')?.count ?? -1;
  const before = [await approvals('approver@example.com'), await approvals('owner@example.com')];
  await world.api.sql(
    `update refunds set created_by_type = 'USER', created_by_operator_id = ${own}
     where id = (select min(id) from refunds where status = 'AWAITING_APPROVAL' and review_reason is null)`,
  );
  expect(await approvals('approver@example.com')).toBe((before[0] ?? 0) - 1);
  expect(await approvals('owner@example.com')).toBe(before[1]);
  await world.api.sql(
    `insert into pending_changes (kind, target_type, target_id, before, after, proposed_by_operator_id)
     select 'operator-roles', 'operator', '1', '{}', '{}', id from operators where email = 'owner@example.com'`,
  );
  expect(waiting(await read('owner@example.com')).PENDING_OPERATOR_CHANGE).toBeUndefined();
  await world.api.sql(`delete from pending_changes`);
});

test('ages add up, and the oldest is named', async () => {
  await world.api.sql(
    `update refunds set created_at = created_at - interval '3 days' where status = 'AWAITING_APPROVAL' and application_id = ?`,
    [first.applicationId],
  );
  const approvals = (await read('owner@example.com')).kinds.find(({ kind }) => kind === 'REFUND_APPROVAL');
  expect(approvals?.ages).toEqual({ underHour: 1, underDay: 0, underWeek: 1, older: 0 });
  const days = (Date.now() - Date.parse(approvals?.oldestSince ?? '')) / 86_400_000;
  expect(Math.round(days)).toBe(3);
});

test.each<[InboxKind, string]>([
  [
    'PAYMENT_REVIEW',
    `update payments set review_reason = 'RISK_FLAGGED', review_since = now() where id in (select id from payments where status in ('CREATED', 'PENDING') limit 1)`,
  ],
  [
    'DISABLED_ENDPOINT',
    `update webhook_endpoints set disabled_at = now(), disabled_reason = 'GONE' where mode = 'TEST' and application_id = (select min(application_id) from webhook_endpoints)`,
  ],
  [
    'PARKED_EVENT',
    `update webhook_events set delivery_status = 'PARKED' where id = (select min(id) from webhook_events)`,
  ],
  [
    'PENDING_CHANGE',
    `insert into pending_changes (application_id, kind, target_type, target_id, before, after, proposed_by_operator_id)
     select (select min(id) from applications), 'application-settings', 'application', '1', '{}', '{}', (select max(id) from operators)`,
  ],
  [
    'PENDING_OPERATOR_CHANGE',
    `insert into pending_changes (kind, target_type, target_id, before, after, proposed_by_operator_id)
     select 'operator-roles', 'operator', '1', '{}', '{}', (select max(id) from operators)`,
  ],
  [
    'MANUAL_SUBMISSION',
    // The payer corrected the first submission, so one waits.
    `with open as (select * from payments where status in ('CREATED', 'PENDING') order by id limit 1),
       manual as (
         insert into payment_attempts (application_id, mode, payment_id, number, reference, gateway, store_id, status)
         select application_id, mode, id, 2, repeat('m', 20), 'manual', 'counter', 'OPEN' from open returning *)
     insert into manual_submissions (application_id, mode, payment_id, attempt_id, transaction, normalized, sender)
     select application_id, mode, payment_id, id, 'TX' || n || '00', 'TX' || n || '00', 'somebody' from manual, generate_series(1, 2) n`,
  ],
  [
    'OVERDUE_SWEEP',
    `update refunds set next_sweep_at = now() - interval '11 minutes' where id = (select min(id) from refunds where status = 'PENDING')`,
  ],
  [
    'PAYOUT_CASE',
    `insert into reconciliation_cases (reference, mode, gateway, kind, currency, reason, amount_minor)
     values ('case_' || repeat('1', 22), 'TEST', 'bkash', 'residual', 'BDT', 'RESIDUAL', 1)`,
  ],
])('%s is counted as soon as it waits', async (kind, statement) => {
  const before = await countOf(kind);
  await world.api.sql(statement);
  expect(await countOf(kind)).toBe(before + 1);
});

async function countOf(kind: InboxKind): Promise<number> {
  return (await read('owner@example.com')).kinds.find((entry) => entry.kind === kind)?.count ?? -1;
}
