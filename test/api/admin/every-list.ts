import { z } from 'zod';
import type { CredentialPair } from '../../../core/applications/store/applications.ts';
import { postTransaction } from '../../../core/ledger/store.ts';
import { paymentPosting } from '../../../domain/ledger.ts';
import { attemptReference } from '../../../domain/references.ts';
import { call } from '../contract-client.ts';
import { bearer, type OperatorWorld } from './operator-world.ts';

/** A world with two rows in every list that an operator can read. */
export interface Filled {
  readonly applicationId: string;
  readonly credentials: CredentialPair;
  /** Paths below the prefix on which an application reads the same rows. */
  readonly nativePaths: readonly string[];
  /** Returns a route's path with existing ids, or null if it takes other parameters. */
  path(template: string): string | null;
  /** Returns the same path with a query that shows every row, ready for more parameters. */
  paged(template: string): string;
  /** Returns the nullable columns of each table. */
  nullable(): Promise<{ table: string; columns: string[] }[]>;
  /**
   * Runs `work` while the columns are null in each row where the database allows it, and restores them. Returns false if it allows it nowhere.
   */
  withNulls(
    table: string,
    columns: readonly string[],
    work: (nulls: { readonly inEveryRow: boolean }) => Promise<void>,
  ): Promise<boolean>;
}

const Id = z.object({ id: z.int() });
const TABLES = [
  'applications',
  'webhook_endpoints',
  'credentials',
  'payments',
  'payment_attempts',
  'refunds',
  'unapplied_payments',
  'manual_submissions',
  'gateway_callbacks',
  'webhook_events',
  'webhook_attempts',
  'decisions',
  'invoices',
  'operators',
  'audit_logs',
  'pending_changes',
  'ledger_transactions',
  'reconciliation_runs',
  'reconciliation_results',
  'reconciliation_cases',
  'payout_files',
  'payouts',
  'bank_entries',
  'disputes',
] as const;

/** Where rows have no id of their own: an endpoint is identified by its application, an attempt by its event and number. */
const KEYS: Readonly<Record<string, string>> = {
  webhook_endpoints: 'application_id',
  webhook_attempts: 'webhook_event_id',
};

const CALLBACK = `insert into gateway_callbacks (application_id, mode, payment_id, attempt_id, gateway, reference, kind, signature_valid, note, raw_payload, digest)
  select application_id, mode, payment_id, id, gateway, reference, 'ipn', false, 'note', 'raw', decode(md5(id::text), 'hex') from payment_attempts`;
const LATE = `insert into unapplied_payments (application_id, mode, payment_id, attempt_id, gateway, validation_id, gateway_txn_id, evidence, gross_minor, fee_minor, currency)
  select application_id, mode, payment_id, id, gateway, 'late ' || id, 'late ' || id, '{}', 10000, 250, 'BDT' from payment_attempts where status = 'CONFIRMED'`;
const SUBMITTED = `with manual as (
    insert into payment_attempts (application_id, mode, payment_id, number, reference, gateway, store_id, status)
    select application_id, mode, payment_id, 2, ?, 'manual', 'counter', 'CLOSED' from payment_attempts where id = ?::bigint returning *)
  insert into manual_submissions (application_id, mode, payment_id, attempt_id, transaction, normalized, sender)
  select application_id, mode, payment_id, id, 'TX' || id || '00', 'TX' || id || '00', 'somebody' from manual`;
/** The payer has not chosen yet, so the payment has no gateway. */
const CHOOSING = `update payments set gateway_choices = array['sslcommerz', 'bkash'] where status in ('CREATED', 'PENDING')`;
const TOLD = `with event as (
    insert into webhook_events (event_id, application_id, mode, payment_id, type, schema_version, sequence, payload, contract,
      last_response_status, last_error, next_attempt_at, last_attempt_at, delivered_at)
    select 'evt_' || id, application_id, mode, id, 'payment.succeeded', 1, 900, '{}', 'native', 500, 'an error', now(), now(), now() from payments
    returning *)
  insert into webhook_attempts (webhook_event_id, application_id, mode, number, response_status, error, response_excerpt, duration_ms)
  select id, application_id, mode, 1, 500, 'an error', 'excerpt', 1 from event`;

/** Two pending changes of each family: of applications, of operators, and of how payout lines are judged. */
const WAITING = `insert into pending_changes (application_id, kind, target_type, target_id, before, after, proposed_by_operator_id)
  select case when kind = 'application-settings' then app.id end, kind, case kind when 'application-settings' then 'application' when 'match-settings' then 'gateway' else 'operator' end, app.id::text, '{}', '{}', o.id
  from (select min(id) as id from applications) app, (select min(id) as id from operators) o,
    (values ('application-settings'), ('operator-roles'), ('match-settings')) k (kind), generate_series(1, 2)`;

const RUNS = `insert into reconciliation_runs (reference, mode, gateway, period, state, ended_at)
  select 'rec_' || lpad(n::text, 22, '0'), 'LIVE', 'bkash', '2026-07-01', 'COMPLETED', now() from generate_series(1, 2) n`;
const RESULTS = `insert into reconciliation_results (mode, gateway, store_id, application_id, currency, movement_key, movement_kind, payment_id, refund_id,
    gateway_txn_id, period, status, reason, detail, expected_minor, settled_minor, fee_expected_minor, fee_settled_minor, accepted_at)
  select 'LIVE', 'bkash', 's', application_id, 'BDT', 'refund:' || reference, 'REFUND', payment_id, id, 't', '2026-07-01', 'FLAGGED', 'AMOUNT', 'AMOUNT_DIFFERS',
    1, 2, 3, 4, now() from refunds`;

const MAPPINGS = `insert into payout_mappings (gateway, version, mapping) select 'bkash', n, '{"version":1,"format":"csv"}' from generate_series(1, 2) n`;
const FILES = `with file as (
    insert into payout_files (reference, mode, gateway, store_id, kind, format, name, mapping_id, operator_id, digest, byte_count, state, problem, problem_text,
      problem_line, problem_byte, finished_at)
    select 'pof_' || lpad(n::text, 22, '0'), 'LIVE', 'bkash', 's', 'lines', 'csv', 'name', (select min(id) from payout_mappings), (select min(id) from operators),
      decode(repeat(lpad(n::text, 2, '0'), 32), 'hex'), 1, 'REFUSED', 'BAD_ENCODING', 'text', 1, 1, now() from generate_series(1, 2) n returning *)
  insert into payout_file_rejections (file_id, line_number, code, column_name, reason)
  select id, n, 'BAD_AMOUNT', 'column', 'reason' from file, generate_series(1, 2) n`;
const PAYOUTS = `with payout as (
    insert into payouts (reference, mode, gateway, store_id, gateway_reference, currency, arrives_on, stated_minor, bank_minor, bank_reference)
    select 'po_' || lpad(n::text, 22, '0'), 'LIVE', 'bkash', 's', 'p' || n, 'BDT', '2026-07-01', 1, 1, 'bank' from generate_series(1, 2) n returning *)
  insert into payout_lines (mode, gateway, store_id, payout_id, file_id, file_line, fingerprint, ordinal, period, kind, payout_reference, line_reference,
    gateway_txn_id, attempt_reference, currency, gross_minor, fee_minor, tax_minor, net_minor, original_currency, exchange_rate, occurred_at, paid_out_on, description)
  select mode, gateway, store_id, id, (select min(id) from payout_files), n, decode(md5(id::text || n), 'hex'), 1, '2026-07-01', 'CHARGE', 'p', 'l', 't', 'a', 'BDT', 3, 1, 1, 1,
    'USD', '1.5', now(), '2026-07-01', 'd' from payout, generate_series(1, 2) n`;
const ENTRIES = `insert into bank_entries (mode, file_id, file_line, fingerprint, ordinal, account, currency, amount_minor, booked_on, value_on, bank_reference,
    remittance, payout_id)
  select 'LIVE', f.id, n, decode(md5(n::text), 'hex'), 1, 'account', 'BDT', 1, '2026-07-01', '2026-07-01', 'b', 'r', (select min(id) from payouts)
  from (select min(id) as id from payout_files) f, generate_series(1, 2) n`;
const DISPUTES = `insert into disputes (application_id, mode, payment_id, attempt_id, gateway, store_id, gateway_txn_id, gateway_dispute_id, status, gateway_status,
    reason, amount_minor, currency, respond_by, evidence, queried_at)
  select application_id, mode, payment_id, id, gateway, store_id, 't', 'dp_' || id, 'OPEN', 'needs_response', 'fraudulent', 1, 'BDT', now(), '{}', now()
  from payment_attempts where status = 'CONFIRMED'`;
const CASES = `insert into reconciliation_cases (reference, mode, gateway, application_id, kind, result_id, currency, reason, amount_minor, state, owner_operator_id)
  select 'case_' || lpad(r.id::text, 22, '0'), r.mode, r.gateway, r.application_id, 'result', r.id, r.currency, r.reason, 1, 'ASSIGNED', (select min(id) from operators)
  from reconciliation_results r`;

export async function fillEveryList(world: OperatorWorld, token: string): Promise<Filled> {
  const { api, origin } = world;
  const shop = await api.register({ name: 'Shop', rateLimitPerMinute: 1_000_000 });
  await api.register({ name: 'Other' });
  await world.addOperator({ email: 'second@example.com', role: 'Finance' });
  const credentials = shop.test;
  const invoices: number[] = [];
  for (const number of [1, 2]) {
    const { id } = await api.paidPayment(shop);
    const refund = { path: `/admin/payments/${id}/refunds`, body: { amountMinor: number } };
    await world.send({ method: 'POST', headers: bearer(token), ...refund });
    const body = { amountMinor: 10_000, customerReference: 'c' };
    await call({ origin, method: 'POST', path: '/payments', credentials, body });
    const lineItems = [{ description: 'Fee', qty: 1, unitAmountMinor: 10_000 }];
    const bill = { customerReference: 'c', lineItems };
    const invoice = await call({ origin, method: 'POST', path: '/invoices', credentials, body: bill });
    invoices.push(Id.parse(invoice.data).id);
  }
  for (const reference of ['pay_one', 'pay_two']) {
    const owner = { applicationId: shop.applicationId, mode: 'LIVE', currency: 'BDT' } as const;
    const charge = { ...owner, reference, gateway: 'bkash', grossMinor: 100n, feeMinor: 0n };
    await world.database.withScope(owner, (statements) => postTransaction(statements, paymentPosting(charge)));
  }
  const ids = async (table: string, key = 'id'): Promise<string[]> =>
    (await api.sql<{ id: string }>(`select ${key}::text as id from ${table} order by ${key}`)).map(({ id }) => id);
  for (const statement of [
    CALLBACK,
    DISPUTES,
    LATE,
    TOLD,
    CHOOSING,
    WAITING,
    RUNS,
    RESULTS,
    CASES,
    MAPPINGS,
    FILES,
    PAYOUTS,
    ENTRIES,
  ]) {
    await api.sql(statement);
  }
  for (const attempt of (await ids('payment_attempts')).slice(-2)) {
    await api.sql(SUBMITTED, [attemptReference(), attempt]);
  }
  const [payment = ''] = await ids('payments');
  const [refund = ''] = await ids('refunds');
  const [user = ''] = await ids('operators');
  const [role = ''] = await ids('roles');
  const [webhook = ''] = await ids('webhook_events');
  const [account = ''] = await ids('ledger_accounts');
  const named: Readonly<Record<string, string>> = {
    payments: payment,
    refunds: refund,
    apps: String(shop.applicationId),
    users: user,
    roles: role,
    webhooks: webhook,
    accounts: account,
    'payout-files': `pof_${'1'.padStart(22, '0')}`,
    payouts: `po_${'1'.padStart(22, '0')}`,
  };
  const path = (template: string): string | null => {
    const filled = template.replace(/\/([\w-]+)\/\{(?:id|reference)\}/, (all, kind: string) =>
      named[kind] === undefined ? all : `/${kind}/${named[kind]}`,
    );
    // A search has to be for something: here, the payments and invoices of this customer.
    const asked = filled === '/admin/search' ? `${filled}?q=c` : filled;
    return asked.includes('{') ? null : asked;
  };
  return {
    applicationId: String(shop.applicationId),
    credentials,
    nativePaths: [
      '/payments?customerReference=c',
      '/invoices?customerReference=c',
      `/payments/${payment}`,
      `/payments/${payment}/explain`,
      ...invoices.map((id) => `/invoices/${id}`),
    ],
    path,
    paged: (template) => `${path(template) ?? template}?`,
    nullable: async () => {
      const rows = await api.sql<{ table_name: string; column_name: string }>(
        `select table_name::text, column_name::text from information_schema.columns
         where table_schema = 'public' and is_nullable = 'YES' and is_updatable = 'YES' order by ordinal_position`,
      );
      return TABLES.map((table) => ({
        table,
        columns: rows.filter((row) => row.table_name === table).map((row) => row.column_name),
      })).filter(({ columns }) => columns.length > 0);
    },
    async withNulls(table, columns, work) {
      const key = KEYS[table] ?? 'id';
      await api.sql(`create table kept as table ${table}`);
      try {
        const nulls = columns.map((column) => `${column} = null`).join(', ');
        let changed = 0;
        // Rows are changed one by one, because a column can be required in some rows only.
        const rows = await ids(table, key);
        for (const id of rows) {
          changed += await api.sql(`update ${table} set ${nulls} where ${key} = ?::bigint`, [id]).then(
            () => 1,
            () => 0,
          );
        }
        if (changed > 0) {
          await work({ inEveryRow: changed === rows.length });
        }
        return changed > 0;
      } finally {
        const back = columns.map((column) => `${column} = kept.${column}`).join(', ');
        // This fails for tables whose rows must not change, and then no row has changed.
        await api.sql(`update ${table} set ${back} from kept where kept.${key} = ${table}.${key}`).catch(() => []);
        await api.sql('drop table kept');
      }
    },
  };
}
