import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openDatabase, openOrm, type Database } from '../../database/connection.ts';
import {
  createApplication,
  openLedger,
  payPayment,
  receiveLate,
  type LedgerFixture,
} from '../core/ledger/ledger-fixture.ts';

let ledger: LedgerFixture;
let firstApp: bigint;
let secondApp: bigint;
beforeAll(async () => {
  ledger = await openLedger();
  firstApp = await createApplication(ledger.database);
  secondApp = await createApplication(ledger.database);
  for (const applicationId of [firstApp, secondApp]) {
    for (const mode of ['TEST', 'LIVE'] as const) {
      const paid = await payPayment(ledger.database, { applicationId, mode });
      await receiveLate(ledger.database, { ...paid, applicationId, mode });
      await fillOtherTables({ applicationId, mode, paymentId: paid.paymentId, attemptId: paid.attemptId });
    }
  }
});
afterAll(() => ledger.close());

interface TableRow {
  readonly name: string;
  readonly enabled: boolean;
  readonly forced: boolean;
  readonly appPolicies: number;
  readonly appReads: boolean;
  readonly appTouches: boolean;
}

/** Lists the tables from the database's own catalog, so a new table is always included. */
function tables(): Promise<TableRow[]> {
  return ledger.asOwner((em) =>
    em.execute<TableRow[]>(
      `select c.relname as name, c.relrowsecurity as enabled, c.relforcerowsecurity as forced,
         (select count(*)::integer from pg_policy p where p.polrelid = c.oid and 'lenden_app'::regrole = any(p.polroles)) as "appPolicies",
         has_any_column_privilege('lenden_app', c.oid, 'select') as "appReads",
         (has_any_column_privilege('lenden_app', c.oid, 'select, insert, update')
           or has_table_privilege('lenden_app', c.oid, 'delete, truncate')) as "appTouches"
       from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f') order by 1`,
    ),
  );
}

describe('row-level security', () => {
  // If a new table had no policy, every application could read all of its rows.
  test('every table that the app role touches forces it with a policy', async () => {
    const touched = (await tables()).filter(({ appTouches }) => appTouches);
    expect(touched.length).toBeGreaterThanOrEqual(14);
    expect(touched.filter(({ enabled, forced, appPolicies }) => !enabled || !forced || appPolicies === 0)).toEqual([]);
  });

  // Shows that the previous test can fail.
  test('a new table without a policy is seen', async () => {
    const unprotected = await ledger.asOwner(async (em) => {
      await em.execute('create table forgotten (id bigint)');
      await em.execute('grant select on forgotten to lenden_app');
      return em.execute<{ name: string }[]>(
        `select relname as name from pg_class where relname = 'forgotten' and not relrowsecurity
           and has_any_column_privilege('lenden_app', oid, 'select')`,
      );
    });
    expect(unprotected).toEqual([{ name: 'forgotten' }]);
    expect((await tables()).some(({ name, enabled }) => name === 'forgotten' && !enabled)).toBe(true);
    await ledger.asOwner((em) => em.execute('drop table forgotten'));
  });

  // A table with an application's rows is protected even if no application may read it yet.
  test('every table with an application_id forces it', async () => {
    const owned = await ledger.asOwner((em) =>
      em.execute<{ name: string; forced: boolean }[]>(
        `select c.relname as name, c.relrowsecurity and c.relforcerowsecurity as forced
         from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'application_id' and not a.attisdropped
         where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')`,
      ),
    );
    expect(owned.length).toBeGreaterThanOrEqual(12);
    expect(owned.filter(({ forced }) => !forced)).toEqual([]);
  });

  // Owners, superusers and roles with BYPASSRLS bypass the policies.
  test('no runtime role is superuser, owner, or exempt', async () => {
    const roles = await ledger.asOwner((em) =>
      em.execute<Record<string, unknown>[]>(
        `select rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolcanlogin,
           (select count(*)::integer from pg_class where relowner = r.oid and relkind in ('r', 'p')) as owned
         from pg_roles r where rolname in ('lenden_app', 'lenden_operator', 'lenden_system') order by 1`,
      ),
    );
    const none = { rolsuper: false, rolbypassrls: false, rolcreaterole: false, rolcreatedb: false, owned: 0 };
    expect(roles).toEqual(
      ['lenden_app', 'lenden_operator', 'lenden_system'].map((rolname) => ({ rolname, rolcanlogin: true, ...none })),
    );
  });

  // A forgotten scope must show nothing, not everything.
  test('without a scope every table reads no row', async () => {
    const readable = (await tables()).filter(({ appReads }) => appReads).map(({ name }) => name);
    const unscoped = await openOrm({ url: ledger.url, role: 'lenden_app', poolSize: 1 });
    try {
      for (const name of readable) {
        const total = await ledger.asOwner((em) => em.execute(`select from ${name} limit 1`));
        expect({ name, filled: total.length }).toEqual({ name, filled: 1 });
        expect({ name, seen: (await unscoped.em.fork().execute(`select from ${name}`)).length }).toEqual({
          name,
          seen: 0,
        });
      }
    } finally {
      await unscoped.close();
    }
  });

  test('a scope reads only its own app and mode in every table', async () => {
    const readable = (await tables()).filter(({ appReads }) => appReads).map(({ name }) => name);
    const scope = { applicationId: firstApp, mode: 'TEST' } as const;
    for (const name of readable) {
      const rows = await ledger.database.withScope(scope, (em) =>
        em.execute<Record<string, unknown>[]>(`select to_jsonb(t) as row from ${name} t`),
      );
      expect({ name, rows: rows.length > 0 }).toEqual({ name, rows: true });
      expect({ name, foreign: rows.filter(({ row }) => isForeign(row)) }).toEqual({ name, foreign: [] });
    }
  });

  // The next request on a pooled connection belongs to another application.
  test('alternating tenants on one connection never see each other', async () => {
    const database = await openDatabase({ url: ledger.url, poolSize: 1 });
    try {
      const sessions = new Set<unknown>();
      for (let turn = 0; turn < 20; turn += 1) {
        const applicationId = turn % 2 === 0 ? firstApp : secondApp;
        const mode = turn % 4 < 2 ? 'TEST' : 'LIVE';
        const rows = await owners(database, { applicationId, mode });
        rows.forEach(({ pid }) => sessions.add(pid));
        expect(rows.map(({ owner, mode }) => `${owner} ${mode}`)).toEqual([`${applicationId} ${mode}`]);
        if (turn % 5 === 0) {
          await expect(owners(database, { applicationId, mode }, 'fail')).rejects.toThrow();
          expect(await database.lookup('select id from payments', [])).toEqual([]);
        }
      }
      expect(sessions.size).toBe(1);
    } finally {
      await database.close();
    }
  });

  // A write into another scope must be refused, not moved to the caller's scope.
  test.each([
    ['another app', () => ({ owner: secondApp, mode: 'TEST' })],
    ['the other mode', () => ({ owner: firstApp, mode: 'LIVE' })],
  ])('a scope cannot write a row of %s', async (_name, target) => {
    const { owner, mode } = target();
    const attempt = ledger.database.withScope({ applicationId: firstApp, mode: 'TEST' }, (em) =>
      em.execute(
        `insert into ledger_accounts (application_id, mode, currency, name, normal_side) values (${owner}, '${mode}', 'USD', 'bank', 'debit')`,
      ),
    );
    await expect(attempt).rejects.toMatchObject({ code: '42501' });
  });
});

/** Returns the tables whose rows belong to an application, and the operators' own tables. */
async function operatorTables(): Promise<{ name: string; owned: boolean; readable: boolean; guarded: boolean }[]> {
  return ledger.asOwner((em) =>
    em.execute(
      `select c.relname as name,
         c.relname = 'applications' or exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'application_id'
           and not a.attisdropped) and c.relname <> 'operator_grants' as owned,
         has_table_privilege('lenden_operator', c.oid, 'select') as readable,
         c.relrowsecurity and c.relforcerowsecurity
           and exists (select from pg_policy p where p.polrelid = c.oid and 'lenden_operator'::regrole = any(p.polroles)) as guarded
       from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
         and has_any_column_privilege('lenden_operator', c.oid, 'select, insert, update') order by 1`,
    ),
  );
}

function applicationsOf(rows: readonly { row: unknown }[], name: string): string[] {
  const key = name === 'applications' ? 'id' : 'application_id';
  const owners = rows.map(({ row }) =>
    String(Object.entries({ ...(row as object) }).find(([column]) => column === key)?.[1]),
  );
  return [...new Set(owners)].sort();
}

describe("an operator's view", () => {
  // If a table that operators touch had no policy, every operator could read the rows of every tenant.
  test('every table that the operator role touches forces row-level security with a policy', async () => {
    const touched = await operatorTables();
    expect(touched.length).toBeGreaterThanOrEqual(20);
    expect(touched.filter(({ guarded }) => !guarded)).toEqual([]);
  });

  test('of one application shows its rows in both modes and no others', async () => {
    for (const { name } of (await operatorTables()).filter(({ owned, readable }) => owned && readable)) {
      const seen = await ledger.database.withOperator([firstApp], (em) =>
        em.execute<{ row: unknown }[]>(`select to_jsonb(t) as row from ${name} t`),
      );
      expect({ name, applications: applicationsOf(seen, name) }).toEqual({ name, applications: [String(firstApp)] });
    }
  });

  test('of no application, and none at all, show no row of any', async () => {
    const unset = await openOrm({ url: ledger.url, role: 'lenden_operator', poolSize: 1 });
    try {
      for (const { name } of (await operatorTables()).filter(({ owned, readable }) => owned && readable)) {
        const text = `select to_jsonb(t) as row from ${name} t`;
        const none = await ledger.database.withOperator([], (em) => em.execute<object[]>(text));
        expect({ name, none, unset: await unset.em.fork().execute(text) }).toEqual({ name, none: [], unset: [] });
      }
    } finally {
      await unset.close();
    }
  });

  test('of every application shows them all', async () => {
    for (const { name } of (await operatorTables()).filter(({ owned, readable }) => owned && readable)) {
      const seen = await ledger.database.withOperator('every-app', (em) =>
        em.execute<{ row: unknown }[]>(`select to_jsonb(t) as row from ${name} t`),
      );
      expect({ name, applications: applicationsOf(seen, name) }).toEqual({
        name,
        applications: [String(firstApp), String(secondApp)].sort(),
      });
    }
  });

  // An operator records a decision. Other roles write what follows from it.
  test.each([
    `update payments set status = 'SUCCEEDED'`,
    'delete from payments',
    `update refunds set status = 'SUCCEEDED'`,
    'delete from ledger_postings',
    `update ledger_postings set amount_minor = 1`,
    `delete from decisions`,
    'delete from audit_logs',
    'delete from applications',
  ])('lets nobody run: %s', async (sql) => {
    await expect(ledger.database.withOperator('every-app', (em) => em.execute(sql))).rejects.toMatchObject({
      code: '42501',
    });
  });

  // An application's request must not read data about operators.
  test.each([
    'operators',
    'operator_sessions',
    'operator_recovery_codes',
    'login_throttles',
    'roles',
    'operator_grants',
    'saved_views',
    'settings',
    'audit_logs',
  ])('an application cannot read %s', async (name) => {
    const scope = { applicationId: firstApp, mode: 'TEST' } as const;
    await expect(ledger.database.withScope(scope, (em) => em.execute(`select from ${name}`))).rejects.toMatchObject({
      code: '42501',
    });
  });

  // An audit log is worthless if entries can be written in another's name.
  test('an application writes its own entries into the audit log, and no others', async () => {
    const write = (applicationId: bigint) =>
      ledger.database.withScope({ applicationId: firstApp, mode: 'TEST' }, (em) =>
        em.execute(
          `insert into audit_logs (actor_type, actor, action, target_type, target_id, application_id) values ('APP', 'x', 'test.written', 't', '1', ${applicationId})`,
        ),
      );
    await expect(write(secondApp)).rejects.toMatchObject({ code: '42501' });
    await expect(write(firstApp)).resolves.toBeDefined();
  });
});

async function owners(
  database: Database,
  scope: { applicationId: bigint; mode: 'TEST' | 'LIVE' },
  end: 'commit' | 'fail' = 'commit',
): Promise<{ owner: string; mode: string; pid: number }[]> {
  return database.withScope(scope, async (em) => {
    const rows = await em.execute<{ owner: string; mode: string; pid: number }[]>(
      `select distinct application_id::text as owner, mode, pg_backend_pid() as pid from payments`,
    );
    if (end === 'fail') {
      await em.execute('select 1 / 0');
    }
    return rows;
  });
}

/** Returns true if a row belongs to an app or mode other than the first app's TEST. */
function isForeign(row: unknown): boolean {
  const columns: Record<string, unknown> = typeof row === 'object' && row !== null ? { ...row } : {};
  const { application_id: owner = firstApp, mode = 'TEST' } = columns;
  return String(owner) !== String(firstApp) || mode !== 'TEST';
}

/** Adds one row to each table that a payment does not fill, so that an empty result means something. */
async function fillOtherTables(owned: {
  applicationId: bigint;
  mode: 'TEST' | 'LIVE';
  paymentId: string;
  attemptId: string;
}): Promise<void> {
  const { applicationId, mode, paymentId, attemptId } = owned;
  const tag = `${applicationId}_${mode}`;
  const statements = [
    `insert into credentials (application_id, mode, key_hash, secret_hash) values (${applicationId}, '${mode}', sha256('${tag}'), 'x')`,
    `insert into webhook_endpoints (application_id, mode) values (${applicationId}, '${mode}')`,
    `insert into webhook_signing_secrets (application_id, mode, sealed, fingerprint) values (${applicationId}, '${mode}', 'x', sha256('${tag}'))`,
    `insert into gateway_callbacks (application_id, mode, payment_id, attempt_id, gateway, kind, signature_valid, raw_payload, digest)
       values (${applicationId}, '${mode}', ${paymentId}, ${attemptId}, 'sslcommerz', 'ipn', true, 'x', sha256('${tag}'))`,
    // Only TEST has a clock that moves.
    `insert into clock_skips (application_id, mode, payment_id, skip_id, workflow, reference, by_seconds, claimed_until)
       select ${applicationId}, '${mode}', ${paymentId}, '${tag}', 'payment', 'pay_1', 1, now() where '${mode}' = 'TEST'`,
    `insert into idempotency_keys (application_id, mode, operation, key, fingerprint, payment_id, lease_until, expires_at)
       values (${applicationId}, '${mode}', 'op', 'k', sha256('x'), ${paymentId}, now(), now())`,
    `with event as (insert into webhook_events (event_id, application_id, mode, payment_id, type, schema_version, sequence, payload)
         values ('evt_${tag}', ${applicationId}, '${mode}', ${paymentId}, 'payment.succeeded', 1, 1, '{}') returning id)
       insert into webhook_attempts (webhook_event_id, application_id, mode, number, duration_ms) select id, ${applicationId}, '${mode}', 1, 1 from event`,
    `insert into operators (email, name, password_hash) values ('asha@example.com', 'Asha', 'x') on conflict do nothing`,
    `insert into acting_operators (application_id, mode, operator_id) select ${applicationId}, '${mode}', id from operators limit 1`,
    `with refund as (insert into refunds (application_id, mode, payment_id, reference, status, amount_minor, currency, gateway, store_id, gateway_txn_id,
           created_by_type)
         values (${applicationId}, '${mode}', ${paymentId}, 'ref_' || lpad('${applicationId}${mode}', 22, '0'), 'PENDING', 1, 'BDT', 'sslcommerz', 's', 't', 'APP')
         returning id)
       insert into decisions (application_id, mode, kind, payment_id, refund_id, decision, operator_id)
         select ${applicationId}, '${mode}', 'refund', ${paymentId}, refund.id, 'approve', operators.id from refund, operators limit 1`,
    `with submission as (insert into manual_submissions (application_id, mode, payment_id, attempt_id, transaction, normalized)
         values (${applicationId}, '${mode}', ${paymentId}, ${attemptId}, 'TRX-${tag}', 'TRX${applicationId}${mode}') returning id)
       insert into manual_confirmations (application_id, mode, store_id, normalized, submission_id, decision_id)
         select ${applicationId}, '${mode}', 's', 'TRX${applicationId}${mode}', submission.id, (select max(id) from decisions) from submission`,
    `insert into gateway_configurations (application_id, mode, gateway, store_id, key, store_secret) values (${applicationId}, '${mode}', 'sslcommerz', 's', gen_random_uuid(), 'x')`,
    `insert into invoice_counters (application_id, mode, last_number) values (${applicationId}, '${mode}', 1)`,
    `insert into invoice_templates (application_id, company_name) values (${applicationId}, 'Rupali') on conflict do nothing`,
    `with invoice as (insert into invoices (application_id, mode, reference, currency, customer_reference, language, rounding, taxes, tax_totals,
           subtotal_minor, discount_minor, tax_minor, total_minor, partial_payments, reminders)
         values (${applicationId}, '${mode}', 'pay_' || lpad('${applicationId}${mode}', 22, '0'), 'BDT', 'c', 'en', 'HALF_UP', '[]', '[]', 1, 0, 0, 1, false, '{}')
         returning id),
       item as (insert into invoice_items (application_id, mode, invoice_id, position, description, qty, unit_amount_minor, taxes, line_total_minor,
           discount_minor, tax_minor) select ${applicationId}, '${mode}', id, 1, 'Book', 1, 1, '[]', 1, 0, 0 from invoice),
       notice as (insert into invoice_notices (application_id, mode, invoice_id, kind, due_date, offset_days, skipped, email_status)
         select ${applicationId}, '${mode}', id, 'overdue', '2026-07-01', 1, false, 'NONE' from invoice)
       insert into invoice_installments (application_id, mode, invoice_id, position, due_date, amount_minor)
         select ${applicationId}, '${mode}', id, 1, '2026-07-01', 1 from invoice`,
    `insert into report_sums (span, mode, starts_at, application_id, currency, gateway, succeeded, failed, cancelled, expired, paid, gross_minor,
         fee_minor, refunds, refunded_minor) values ('day', '${mode}', '2026-07-01', ${applicationId}, 'BDT', '', 0, 1, 0, 0, 0, 0, 0, 0, 0)`,
    `insert into report_times (span, mode, starts_at, application_id, currency, gateway, seconds, payments)
       values ('day', '${mode}', '2026-07-01', ${applicationId}, 'BDT', '', 60, 1)`,
    `with result as (insert into reconciliation_results (mode, gateway, store_id, application_id, currency, movement_key, movement_kind, period, status, detail)
         values ('${mode}', 'sslcommerz', 's', ${applicationId}, 'BDT', 'charge:${tag}', 'CHARGE', '2026-07-01', 'DEFERRED', 'not-due') returning id),
       opened as (insert into reconciliation_cases (reference, mode, gateway, application_id, kind, result_id, currency, reason, amount_minor)
         select 'case_' || lpad('${applicationId}${mode}', 22, '0'), '${mode}', 'sslcommerz', ${applicationId}, 'result', id, 'BDT', 'AMOUNT', 1 from result returning id)
       insert into reconciliation_case_entries (case_id, application_id, mode, kind, action, text, operator_id)
         select opened.id, ${applicationId}, '${mode}', 'action', 'accept', 'x', operators.id from opened, operators limit 1`,
    `insert into disputes (application_id, mode, payment_id, attempt_id, gateway, store_id, gateway_txn_id, gateway_dispute_id)
       values (${applicationId}, '${mode}', ${paymentId}, ${attemptId}, 'stripe', 's', 't', 'dp_${tag}')`,
    `insert into payout_bookings (application_id, mode, gateway, currency, kind, lines, amounts) values (${applicationId}, '${mode}', 'sslcommerz', 'BDT', 'lines', 1, '{}')`,
    `insert into audit_logs (actor_type, actor, action, target_type, target_id, application_id, mode)
       values ('SYSTEM', 'test', 'test.written', 'test', '1', ${applicationId}, '${mode}')`,
  ];
  for (const sql of statements) {
    await ledger.asOwner((em) => em.execute(sql));
  }
}
