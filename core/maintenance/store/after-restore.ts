import type { Mode } from '../../../domain/mode.ts';
import type { PaymentStatus } from '../../../domain/payment.ts';
import type { RefundStatus } from '../../../domain/refund.ts';
import type { Statements } from '../../../database/statements.ts';

/** Queries and updates with which `npm run restore` reconciles a database that was restored from an older dump. */

/** Returns when the newest row was created. The dump is at least that recent. Null if there are no rows. */
export async function newestRowAt(statements: Statements): Promise<Date | null> {
  const [row] = await statements.execute<{ at: string | null }[]>(
    `select greatest(
       (select created_at from applications order by id desc limit 1), (select created_at from payments order by id desc limit 1),
       (select created_at from invoices order by id desc limit 1), (select created_at from gateway_callbacks order by id desc limit 1),
       (select created_at from webhook_events order by id desc limit 1),
       (select created_at from ledger_transactions order by id desc limit 1))::text as at`,
  );
  const at = row?.at ?? null;
  return at === null ? null : new Date(at);
}

/** Returns the number of connected sessions of the api, workers and other Lenden commands. Call it before opening one. */
export async function connectedSessions(statements: Statements): Promise<number> {
  const [row] = await statements.execute<{ sessions: number }[]>(
    `select count(*)::integer as sessions from pg_stat_activity
     where datname = current_database() and application_name like 'lenden lenden%'`,
  );
  return row?.sessions ?? 0;
}

/** The row that a workflow is about. */
export interface NamedRow {
  readonly reference: string;
  readonly applicationId: bigint;
  readonly mode: Mode;
  /** Whether the payment or refund is open. For an attempt: whether its payment is. */
  readonly open: boolean;
}

const NAMED = {
  payment: `select reference, application_id, mode, status in ('CREATED', 'PENDING') as open from payments where reference = any(string_to_array(?, ','))`,
  refund: `select reference, application_id, mode, status in ('AWAITING_APPROVAL', 'PENDING') as open from refunds
    where reference = any(string_to_array(?, ','))`,
  invoice: `select reference, application_id, mode, status in ('ISSUED', 'PARTIALLY_PAID') as open from invoices
    where reference = any(string_to_array(?, ',')) and status <> 'DRAFT'`,
  unapplied: `select t.reference, t.application_id, t.mode, p.status in ('CREATED', 'PENDING') as open from payment_attempts t
    join payments p on p.id = t.payment_id where t.reference = any(string_to_array(?, ','))`,
  webhook: `select event_id as reference, application_id, mode, delivery_status in ('PENDING', 'RETRYING') as open from webhook_events
    where event_id = any(string_to_array(?, ','))`,
} as const;

export type NamedKind = keyof typeof NAMED;

/** Returns the rows with these references, of every application. */
export async function rowsNamed(
  statements: Statements,
  kind: NamedKind,
  references: readonly string[],
): Promise<NamedRow[]> {
  const rows = await statements.execute<{ reference: string; application_id: string; mode: Mode; open: boolean }[]>(
    NAMED[kind],
    [references.join(',')],
  );
  return rows.map(({ application_id: applicationId, ...row }) => ({ ...row, applicationId: BigInt(applicationId) }));
}

interface OpenRow {
  readonly id: bigint;
  readonly reference: string;
  readonly applicationId: bigint;
  readonly applicationName: string;
  readonly mode: Mode;
  readonly amountMinor: bigint;
  readonly currency: string;
}

export interface OpenPayment extends OpenRow {
  readonly status: PaymentStatus;
  readonly gateway: string | null;
  readonly invoiceId: bigint | null;
}

export interface OpenRefund extends OpenRow {
  readonly status: RefundStatus;
  readonly gateway: string;
}

interface StoredRow {
  id: string;
  reference: string;
  application_id: string;
  application_name: string;
  mode: Mode;
  amount_minor: string;
  currency: string;
}

function openRowOf(row: StoredRow): OpenRow {
  return {
    id: BigInt(row.id),
    reference: row.reference,
    applicationId: BigInt(row.application_id),
    applicationName: row.application_name,
    mode: row.mode,
    amountMinor: BigInt(row.amount_minor),
    currency: row.currency,
  };
}

const PAGE_MAX = 500;
const MONEY = `m.id, m.reference, m.application_id, a.name as application_name, m.mode, m.amount_minor, m.currency, m.status, m.gateway`;

type PaymentRow = StoredRow & { status: PaymentStatus; gateway: string | null; invoice_id: string | null };

function paymentOf({ status, gateway, invoice_id: invoiceId, ...row }: PaymentRow): OpenPayment {
  return { ...openRowOf(row), status, gateway, invoiceId: invoiceId === null ? null : BigInt(invoiceId) };
}

/** Returns the next page of open payments by id; empty after the last one. */
export async function openPaymentsAfter(statements: Statements, id: bigint): Promise<OpenPayment[]> {
  const rows = await statements.execute<PaymentRow[]>(
    `select ${MONEY}, m.invoice_id from payments m join applications a on a.id = m.application_id
     where m.status in ('CREATED', 'PENDING') and m.id > ? order by m.id limit ?`,
    [id, PAGE_MAX],
  );
  return rows.map(paymentOf);
}

/** Returns the payment of an attempt, or null if there is no such attempt. */
export async function paymentOfAttempt(statements: Statements, attemptReference: string): Promise<OpenPayment | null> {
  const [row] = await statements.execute<PaymentRow[]>(
    `select ${MONEY}, m.invoice_id from payment_attempts t join payments m on m.id = t.payment_id
       join applications a on a.id = m.application_id where t.reference = ?`,
    [attemptReference],
  );
  return row === undefined ? null : paymentOf(row);
}

/** Returns the next page of refunds that are open or in doubt after success. */
export async function openRefundsAfter(statements: Statements, id: bigint): Promise<OpenRefund[]> {
  const rows = await statements.execute<(StoredRow & { status: RefundStatus; gateway: string })[]>(
    `select ${MONEY} from refunds m join applications a on a.id = m.application_id
     where (m.status in ('AWAITING_APPROVAL', 'PENDING') or m.review_reason is not null) and m.id > ? order by m.id limit ?`,
    [id, PAGE_MAX],
  );
  return rows.map(({ status, gateway, ...row }) => ({ ...openRowOf(row), status, gateway }));
}

/**
 * Marks every open refund as requested. After a restore no row shows whether a refund was requested after the dump was taken. The gateway is
 * therefore queried for it before it is requested, and an operator must confirm a refusal.
 */
export async function doubtOpenRefunds(statements: Statements): Promise<number> {
  const rows = await statements.execute<object[]>(
    `update refunds set doubtful = true, queried_at = coalesce(queried_at, now())
     where status in ('AWAITING_APPROVAL', 'PENDING') and gateway_refund_id is null returning 1`,
  );
  return rows.length;
}

/** Puts refunds back under review that had failed after success since the dump was taken. The gateway does not notify of the failure twice. */
export async function doubtRefundsAgain(statements: Statements, references: readonly string[]): Promise<void> {
  await statements.execute(
    `update refunds set review_reason = 'FAILED_AFTER_SUCCESS', review_since = now(), updated_at = now()
     where reference = any(string_to_array(?, ',')) and status = 'SUCCEEDED' and review_reason is null`,
    [references.join(',')],
  );
}

/**
 * Records that an older state was restored now. Seals after the dump's last one and before now belong to the lost state, so `npm run verify` does not
 * compare them with heads remembered elsewhere.
 */
export async function noteRestore(statements: Statements): Promise<void> {
  await statements.execute('insert into restores (last_seal_id) select coalesce(max(id), 0) from ledger_seals');
}

/** Returns when older states were restored, newest first. */
export async function readRestores(
  statements: Statements,
): Promise<readonly { readonly at: Date; readonly lastSealId: bigint }[]> {
  const rows = await statements.execute<{ at: string; last: string }[]>(
    'select restored_at::text as at, last_seal_id::text as last from restores order by id desc limit 10',
  );
  return rows.map(({ at, last }) => ({ at: new Date(at), lastSealId: BigInt(last) }));
}

/** Makes the sweeper's next run notify every open invoice that its row may have changed. */
export async function sweepOpenInvoices(statements: Statements): Promise<number> {
  const rows = await statements.execute<object[]>(
    `update invoices set next_sweep_at = now() where status in ('ISSUED', 'PARTIALLY_PAID') returning 1`,
  );
  return rows.length;
}

export interface InvoiceCounter {
  readonly applicationId: bigint;
  readonly mode: Mode;
  /** The highest number that a customer has received. */
  readonly number: bigint;
}

/** Numbers that were assigned after the dump was taken. */
export interface SkippedNumbers extends InvoiceCounter {
  readonly from: bigint;
}

/** Returns the applications of counters that are missing in the database. */
export async function applicationsMissing(
  statements: Statements,
  counters: readonly InvoiceCounter[],
): Promise<bigint[]> {
  const wanted = [...new Set(counters.map(({ applicationId }) => applicationId))];
  const rows = await statements.execute<{ id: string }[]>(
    `select id::text from applications where id = any(string_to_array(?, ',')::bigint[])`,
    [wanted.join(',')],
  );
  return wanted.filter((id) => !rows.some((row) => BigInt(row.id) === id));
}

/** Returns the invoice counters of every application. */
export async function invoiceCounters(statements: Statements): Promise<InvoiceCounter[]> {
  const rows = await statements.execute<{ id: string; mode: Mode; last: string }[]>(
    `select a.id::text, m.mode, coalesce(c.last_number, 0)::text as last from applications a cross join (values ('TEST'), ('LIVE')) as m(mode)
       left join invoice_counters c on c.application_id = a.id and c.mode = m.mode order by a.id, m.mode`,
  );
  return rows.map(({ id, mode, last }) => ({ applicationId: BigInt(id), mode, number: BigInt(last) }));
}

/** Returns the counters below a number that was already assigned, with the numbers in between. Applications that are lost are left out. */
export async function countersBehind(
  statements: Statements,
  counters: readonly InvoiceCounter[],
): Promise<SkippedNumbers[]> {
  const behind: SkippedNumbers[] = [];
  for (const { applicationId, mode, number } of counters) {
    const [row] = await statements.execute<{ last: string }[]>(
      `select coalesce((select last_number from invoice_counters where application_id = a.id and mode = ?), 0)::text as last
       from applications a where a.id = ?`,
      [mode, applicationId],
    );
    if (row !== undefined && BigInt(row.last) < number) {
      behind.push({ applicationId, mode, number, from: BigInt(row.last) + 1n });
    }
  }
  return behind;
}

/**
 * Moves a counter past the lost numbers and records them, so that the ledger's verification knows why no invoice has them. Call it in a transaction.
 */
export async function skipNumbers(
  statements: Statements,
  { applicationId, mode, from, number }: SkippedNumbers,
): Promise<void> {
  await statements.execute(
    'insert into lost_invoice_numbers (application_id, mode, first_number, last_number) values (?, ?, ?, ?)',
    [applicationId, mode, from, number],
  );
  await statements.execute(
    `insert into invoice_counters as c (application_id, mode, last_number) values (?, ?, ?)
     on conflict (application_id, mode) do update set last_number = greatest(c.last_number, excluded.last_number)`,
    [applicationId, mode, number],
  );
}

export interface MovedSequence {
  readonly name: string;
  readonly from: bigint;
  readonly to: bigint;
}

/** Returns where each id sequence would be moved: `gap` further. The applications' sequence starts at `application` or above. */
export async function sequencesMoved(
  statements: Statements,
  { gap, application }: { readonly gap: bigint; readonly application: bigint },
): Promise<MovedSequence[]> {
  const rows = await statements.execute<{ name: string; last: string }[]>(
    `select sequencename::text as name, coalesce(last_value, 0)::text as last from pg_sequences
     where schemaname = 'public' and data_type = 'bigint'::regtype order by sequencename`,
  );
  return rows.map(({ name, last }) => {
    const from = BigInt(last);
    const base = name === APPLICATIONS && application > from ? application : from;
    return { name, from, to: base + gap };
  });
}

const APPLICATIONS = 'applications_id_seq';

/** Moves a sequence forward, never back. Must run as the owner. */
export async function moveSequence(statements: Statements, { name, to }: MovedSequence): Promise<void> {
  await statements.execute(
    `select setval(format('public.%I', ?::text)::regclass, greatest(?::bigint, (select coalesce(last_value, 0) from pg_sequences
       where schemaname = 'public' and sequencename = ?)))`,
    [name, to, name],
  );
}
