import type pg from 'pg';

export const SEEDED_APPLICATIONS = 50;
export const PAYMENTS_OF_A_CUSTOMER = 20;

export interface SeedSize {
  /** Numbers of the first and the last payment to write. */
  readonly from: number;
  readonly to: number;
  readonly keys: number;
}

/**
 * Writes ended payments with all their records, as a service would leave them: nine of ten succeeded, each with its attempt, callback, event,
 * delivery and sealed ledger transaction. The rows are consistent by construction and are written without the triggers that would check each of them;
 * consistency is checked afterwards. The id of payment `n` is `SEEDED_FROM + n`.
 * @throws when a row refers to a missing row
 */
export async function seedPayments(database: pg.Pool, size: SeedSize): Promise<void> {
  const client = await database.connect();
  try {
    await client.query('begin');
    await client.query(`set local session_replication_role = replica`);
    await client.query(`set local synchronous_commit = off`);
    await client.query(`set local maintenance_work_mem = '512MB'`);
    for (const statement of OWNERS) {
      await client.query(statement);
    }
    // Building an index once by sorting takes a fraction of the time of a million insertions into it.
    await client.query(
      `update pg_index set indisready = false, indisvalid = false where indrelid = any ($1::text[]::regclass[])`,
      [TABLES],
    );
    for (const table of TABLES) {
      const rows = ROWS[table].replaceAll('$from', String(size.from)).replaceAll('$to', String(size.to));
      await client.query(rows.replaceAll('$keys', String(size.keys)));
      await client.query(`reindex table ${table}`);
    }
    await client.query(sealOf(size));
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
  await requireConsistent(database);
  await database.query('vacuum analyze');
  await database.query('checkpoint');
}

/** The first seeded id, far above the ids that the service assigns. */
export const SEEDED_FROM = 1_000_000_000;

/** The start of each statement: the numbers, their application in turn, the customer within it, and the payment's final status. */
const NUMBERS = `with apps as materialized (
    select array_agg(id order by id) as ids from (select id from applications where name like 'Seeded %') seeded),
  numbers as (
    select n, ${SEEDED_FROM} + n as id, (select ids[1 + n % ${SEEDED_APPLICATIONS}] from apps) as app, n / ${SEEDED_APPLICATIONS * PAYMENTS_OF_A_CUSTOMER} as customer,
      case when n % 100 < 90 then 'SUCCEEDED' when n % 100 < 95 then 'FAILED' when n % 100 < 98 then 'CANCELLED' else 'EXPIRED' end as status,
      now() - interval '181 days' + n % 15000000 * interval '1 second' as at, 1000 + n * 7919 % 500000 as amount
    from generate_series($from::bigint, $to::bigint) n)`;

const OWNERS = [
  `insert into applications (name) select 'Seeded ' || n from generate_series(1, ${SEEDED_APPLICATIONS}) n
   where not exists (select from applications where name = 'Seeded 1')`,
  `insert into ledger_accounts (application_id, mode, currency, name, normal_side)
   select a.id, 'TEST', 'BDT', w.name, w.side
   from applications a, (values ('app:payable', 'credit'), ('gateway:fees', 'debit'), ('gateway:sslcommerz:clearing', 'debit')) w (name, side)
   where a.name like 'Seeded %' on conflict do nothing`,
];

/** The statements by table, in an order in which all referenced rows exist. */
const ROWS = {
  payments: `${NUMBERS} insert into payments (id, application_id, mode, reference, status, amount_minor, currency, customer_reference, customer_email,
     customer_phone, customer_name, product_name, gateway, gateway_txn_id, gateway_redirect_url, failure_code, expires_at, paid_at, ended_at,
     fee_minor, event_sequence, last_signalled_at, next_sweep_at, created_at, updated_at)
   overriding system value
   select id, app, 'TEST', 'pay_' || md5('payment' || n), status, amount, 'BDT', 'customer-' || customer, 'payer' || n || '@example.com',
     '017' || lpad((n % 100000000)::text, 8, '0'), 'Payer ' || n, 'A thing', 'sslcommerz',
     case status when 'SUCCEEDED' then 'T' || n end, 'https://gateway.example/EasyCheckOut/testcde' || md5('session' || n),
     case status when 'FAILED' then 'DECLINED' end, at + interval '30 minutes', case status when 'SUCCEEDED' then at + interval '1 minute' end,
     at + interval '1 minute', case status when 'SUCCEEDED' then amount / 40 end, 1, at + interval '1 minute', at + interval '5 minutes', at,
     at + interval '1 minute' from numbers`,
  payment_attempts: `${NUMBERS} insert into payment_attempts (id, application_id, mode, payment_id, number, reference, gateway, store_id, status, session_key,
     gateway_url, validation_id, gateway_txn_id, gross_minor, fee_minor, net_text, evidence, opened_at, confirmed_at, created_at, updated_at)
   overriding system value
   select id, app, 'TEST', id, 1, left(md5('attempt' || n), 20), 'sslcommerz', 'lenden_test',
     case status when 'SUCCEEDED' then 'CONFIRMED' when 'EXPIRED' then 'CLOSED' else status end, upper(md5('session' || n)),
     'https://gateway.example/EasyCheckOut/testcde' || md5('session' || n),
     case status when 'SUCCEEDED' then 'V' || n end, case status when 'SUCCEEDED' then 'T' || n end,
     case status when 'SUCCEEDED' then amount end, case status when 'SUCCEEDED' then amount / 40 end,
     case status when 'SUCCEEDED' then (amount - amount / 40)::text end,
     case status when 'SUCCEEDED' then '{"status":"VALID","tran_id":"' || left(md5('attempt' || n), 20) || '","padding":"' || repeat(md5('evidence' || n), 20) || '"}' end,
     at, case status when 'SUCCEEDED' then at + interval '1 minute' end, at, at + interval '1 minute' from numbers`,
  gateway_callbacks: `${NUMBERS} insert into gateway_callbacks (id, application_id, mode, payment_id, attempt_id, gateway, reference, kind, signature_valid, outcome,
     raw_payload, digest, consumed_at, next_sweep_at, created_at)
   overriding system value
   select id, app, 'TEST', id, id, 'sslcommerz', left(md5('attempt' || n), 20), 'ipn', true, 'ACCEPTED',
     'tran_id=' || left(md5('attempt' || n), 20) || '&val_id=V' || n || '&padding=' || repeat(md5('callback' || n), 16),
     sha256(('callback' || n)::bytea), at + interval '1 minute', at + interval '1 minute', at + interval '1 minute'
   from numbers where status <> 'EXPIRED'`,
  webhook_events: `${NUMBERS} insert into webhook_events (id, event_id, application_id, mode, payment_id, type, schema_version, sequence, payload, delivery_status,
     attempts, last_response_status, last_attempt_at, delivered_at, created_at, updated_at)
   overriding system value
   select id, 'evt_' || md5('event' || n), app, 'TEST', id, 'payment.' || lower(status), 1, 1,
     '{"id":"evt_' || md5('event' || n) || '","padding":"' || repeat(md5('payload' || n), 16) || '"}', 'DELIVERED', 1, 204,
     at + interval '1 minute', at + interval '1 minute', at + interval '1 minute', at + interval '1 minute' from numbers`,
  webhook_attempts: `${NUMBERS} insert into webhook_attempts (webhook_event_id, application_id, mode, number, response_status, duration_ms, created_at)
   select id, app, 'TEST', 1, 204, 12, at + interval '1 minute' from numbers`,
  ledger_transactions: `${NUMBERS} insert into ledger_transactions (id, application_id, mode, currency, cause_type, cause_id, kind, created_at)
   overriding system value
   select id, app, 'TEST', 'BDT', 'payment', 'pay_' || md5('payment' || n), 'charge', at + interval '1 minute'
   from numbers where status = 'SUCCEEDED'`,
  ledger_postings: `${NUMBERS}, accounts as materialized (
     select application_id as app, min(id) filter (where name = 'app:payable') as payable, min(id) filter (where name = 'gateway:fees') as fees,
       min(id) filter (where name = 'gateway:sslcommerz:clearing') as clearing
     from ledger_accounts where mode = 'TEST' group by application_id)
   insert into ledger_postings (id, transaction_id, application_id, mode, currency, debit_account_id, credit_account_id, amount_minor, created_at)
   overriding system value
   select 2 * id + side, id, app, 'TEST', 'BDT', case side when 0 then clearing else fees end, case side when 0 then payable else clearing end,
     case side when 0 then amount else amount / 40 end, at + interval '1 minute'
   from numbers join accounts using (app), generate_series(0, 1) side where status = 'SUCCEEDED'`,
  ledger_sealed_rows: `${NUMBERS} insert into ledger_sealed_rows (seal_id, position, table_name, row_id, digest)
   select (select coalesce(max(id), 0) + 1 from ledger_seals), n - $from + 1, 'ledger_transactions', id, sha256(('digest' || n)::bytea)
   from numbers where status = 'SUCCEEDED'`,
  idempotency_keys: `insert into idempotency_keys (application_id, mode, operation, key, fingerprint, payment_id, lease_until, response_status, response_body, expires_at)
   select p.application_id, 'TEST', 'POST /payments', md5('key' || p.id), sha256(p.reference::bytea), p.id, now(), 201,
     '{"padding":"' || repeat(md5('answer' || p.id), 16) || '"}', now() + interval '29 days'
   from payments p where p.id between ${SEEDED_FROM} + $from and ${SEEDED_FROM} + $from + $keys - 1`,
} as const;
const TABLES = Object.keys(ROWS) as (keyof typeof ROWS)[];

/** Writes one seal for all seeded rows, after which sealing continues as it would after many seals. */
function sealOf({ from, to }: SeedSize): string {
  return `insert into ledger_seals (id, encoding, cluster, through_xid, through_id, transactions, total_transactions, row_count, previous_hash, hash)
   select coalesce(max(s.id), 0) + 1, 1, (select system_identifier::text from pg_control_system()), pg_current_xact_id(), ${SEEDED_FROM} + ${to},
     ${to} - ${from} + 1, coalesce(max(s.total_transactions), 0) + ${to} - ${from} + 1, 3 * (${to} - ${from} + 1),
     sha256(('previous' || ${to})::bytea), sha256(('seal' || ${to})::bytea) from ledger_seals s`;
}

const REFERENCES_NOTHING = `select
  (select count(*) from payment_attempts a left join payments p on (p.id, p.application_id, p.mode) = (a.payment_id, a.application_id, a.mode) where p.id is null) +
  (select count(*) from gateway_callbacks c left join payment_attempts a on (a.id, a.application_id, a.mode) = (c.attempt_id, c.application_id, c.mode)
     where c.attempt_id is not null and a.id is null) +
  (select count(*) from ledger_postings g left join ledger_accounts a on (a.id, a.application_id) = (g.debit_account_id, g.application_id) where a.id is null) as lost`;

async function requireConsistent(database: pg.Pool): Promise<void> {
  const { rows } = await database.query<{ lost: string }>(REFERENCES_NOTHING);
  if (Number(rows[0]?.lost) !== 0) {
    throw new Error(`${rows[0]?.lost} seeded rows refer to nothing`);
  }
}
