import { sql, type RawBuilder } from 'kysely';
import type { Mode } from '../../../domain/mode.ts';
import { DUE_INVOICE_STATUSES } from '../../../domain/invoice.ts';
import { OPEN_STATUSES } from '../../../domain/payment.ts';
import { OPEN_REFUND_STATUSES } from '../../../domain/refund.ts';
import { now } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import type { Tables } from '../../../database/tables.ts';
import { statement, type Given, type RowOf, type TypedStatement } from '../../../database/typed-statements.ts';

/** Queries and updates with which `npm run restore` reconciles a database that was restored from an older dump. */

/** When the newest row of a table was created. */
function newestIn(table: keyof Tables): RawBuilder<Date | null> {
  return sql`(select created_at from ${sql.table(table)} order by id desc limit 1)`;
}

const NEWEST_ROW = statement((db) =>
  db.selectNoFrom(
    sql<Date | null>`greatest(${sql.join([
      newestIn('applications'),
      newestIn('payments'),
      newestIn('invoices'),
      newestIn('gateway_callbacks'),
      newestIn('webhook_events'),
      newestIn('ledger_transactions'),
    ])})`.as('at'),
  ),
);

/** Returns when the newest row was created. The dump is at least that recent. Null if there are no rows. */
export async function newestRowAt(statements: Statements): Promise<Date | null> {
  return (await NEWEST_ROW.first(statements, {}))?.at ?? null;
}

/** Returns the number of connected sessions of the api, workers and other Lenden commands. Call it before opening one. */
export async function connectedSessions(statements: Statements): Promise<number> {
  // SQL text, because a system view has no entity.
  const [row] = await statements.execute<{ sessions: number }[]>(
    `select count(*)::integer as sessions from pg_stat_activity
     where datname = current_database() and application_name like 'lenden lenden%'`,
  );
  return row?.sessions ?? 0;
}

/** The row that a workflow is about. */
export interface NamedRow {
  readonly reference: string;
  /** Null for a payout file. */
  readonly applicationId: bigint | null;
  readonly mode: Mode;
  /** Whether the payment or refund is open. For an attempt: whether its payment is. For a payout file: whether its import has not ended. */
  readonly open: boolean;
}

type Named = TypedStatement<{ references: readonly string[] }, NamedRow>;

const PAYMENTS: Named = statement((db, $: Given<{ references: readonly string[] }>) =>
  db
    .selectFrom('payments')
    .select((eb) => [
      'reference',
      'applicationId',
      'mode',
      eb('status', 'in', OPEN_STATUSES).$castTo<boolean>().as('open'),
    ])
    .where('reference', '=', (eb) => eb.fn.any($('references'))),
);

const REFUNDS: Named = statement((db, $: Given<{ references: readonly string[] }>) =>
  db
    .selectFrom('refunds')
    .select((eb) => [
      'reference',
      'applicationId',
      'mode',
      eb('status', 'in', OPEN_REFUND_STATUSES).$castTo<boolean>().as('open'),
    ])
    .where('reference', '=', (eb) => eb.fn.any($('references'))),
);

const INVOICES: Named = statement((db, $: Given<{ references: readonly string[] }>) =>
  db
    .selectFrom('invoices')
    .select((eb) => [
      'reference',
      'applicationId',
      'mode',
      eb('status', 'in', DUE_INVOICE_STATUSES).$castTo<boolean>().as('open'),
    ])
    .where('reference', '=', (eb) => eb.fn.any($('references')))
    .where('status', '<>', 'DRAFT'),
);

const ATTEMPTS: Named = statement((db, $: Given<{ references: readonly string[] }>) =>
  db
    .selectFrom('payment_attempts as t')
    .innerJoin('payments as p', 'p.id', 't.paymentId')
    .select((eb) => [
      't.reference',
      't.applicationId',
      't.mode',
      eb('p.status', 'in', OPEN_STATUSES).$castTo<boolean>().as('open'),
    ])
    .where('t.reference', '=', (eb) => eb.fn.any($('references'))),
);

const EVENTS: Named = statement((db, $: Given<{ references: readonly string[] }>) =>
  db
    .selectFrom('webhook_events')
    .select((eb) => [
      'eventId as reference',
      'applicationId',
      'mode',
      eb('deliveryStatus', 'in', ['PENDING', 'RETRYING']).$castTo<boolean>().as('open'),
    ])
    .where('eventId', '=', (eb) => eb.fn.any($('references'))),
);

const PAYOUT_FILES: Named = statement((db, $: Given<{ references: readonly string[] }>) =>
  db
    .selectFrom('payout_files')
    .select((eb) => [
      'reference',
      eb.cast<bigint | null>(eb.val(null), 'bigint').as('applicationId'),
      'mode',
      eb('state', 'in', ['UPLOADED', 'IMPORTING']).$castTo<boolean>().as('open'),
    ])
    .where('reference', '=', (eb) => eb.fn.any($('references')))
    .where('state', '<>', 'UPLOADING'),
);

const NAMED = {
  payment: PAYMENTS,
  refund: REFUNDS,
  invoice: INVOICES,
  unapplied: ATTEMPTS,
  webhook: EVENTS,
  'payout-import': PAYOUT_FILES,
} as const;

export type NamedKind = keyof typeof NAMED;

/** Returns the rows with these references, of every application. */
export function rowsNamed(statements: Statements, kind: NamedKind, references: readonly string[]): Promise<NamedRow[]> {
  return NAMED[kind].all(statements, { references });
}

const RUNS_IN_PROGRESS = statement((db) =>
  db
    .selectFrom('reconciliation_runs')
    .select(['mode', 'gateway', 'period', 'startedByOperatorId as operatorId'])
    .where('state', '=', 'RUNNING')
    .orderBy('id'),
);

/** Returns the runs of reconciliation that have not ended. There is at most one for each mode, gateway and day. */
export function runsInProgress(statements: Statements): Promise<RowOf<typeof RUNS_IN_PROGRESS>[]> {
  return RUNS_IN_PROGRESS.all(statements, {});
}

const RUNS_NAMED = statement((db, $: Given<{ references: readonly string[] }>) =>
  db
    .selectFrom('reconciliation_runs')
    .select('reference')
    .where('reference', '=', (eb) => eb.fn.any($('references'))),
);

/** Returns the runs of reconciliation with these references that there are. */
export function runsNamed(statements: Statements, references: readonly string[]): Promise<RowOf<typeof RUNS_NAMED>[]> {
  return RUNS_NAMED.all(statements, { references });
}

const PAGE_MAX = 500;

const PAYMENT = [
  'p.id',
  'p.reference',
  'p.applicationId',
  'a.name as applicationName',
  'p.mode',
  'p.amountMinor',
  'p.currency',
  'p.status',
  'p.gateway',
  'p.invoiceId',
] as const;

const OPEN_PAYMENTS = statement((db, $: Given<{ after: bigint }>) =>
  db
    .selectFrom('payments as p')
    .innerJoin('applications as a', 'a.id', 'p.applicationId')
    .select(PAYMENT)
    .where('p.status', 'in', OPEN_STATUSES)
    .where('p.id', '>', $('after'))
    .orderBy('p.id')
    .limit(PAGE_MAX),
);

export type OpenPayment = RowOf<typeof OPEN_PAYMENTS>;

/** Returns the next page of open payments by id; empty after the last one. */
export function openPaymentsAfter(statements: Statements, id: bigint): Promise<OpenPayment[]> {
  return OPEN_PAYMENTS.all(statements, { after: id });
}

const PAYMENT_OF_ATTEMPT = statement((db, $: Given<{ reference: string }>) =>
  db
    .selectFrom('payment_attempts as t')
    .innerJoin('payments as p', 'p.id', 't.paymentId')
    .innerJoin('applications as a', 'a.id', 'p.applicationId')
    .select(PAYMENT)
    .where('t.reference', '=', $('reference')),
);

/** Returns the payment of an attempt, or null if there is no such attempt. */
export async function paymentOfAttempt(statements: Statements, reference: string): Promise<OpenPayment | null> {
  return (await PAYMENT_OF_ATTEMPT.first(statements, { reference })) ?? null;
}

const OPEN_REFUNDS = statement((db, $: Given<{ after: bigint }>) =>
  db
    .selectFrom('refunds as r')
    .innerJoin('applications as a', 'a.id', 'r.applicationId')
    .select([
      'r.id',
      'r.reference',
      'r.applicationId',
      'a.name as applicationName',
      'r.mode',
      'r.amountMinor',
      'r.currency',
      'r.status',
      'r.gateway',
    ])
    .where((eb) => eb.or([eb('r.status', 'in', OPEN_REFUND_STATUSES), eb('r.reviewReason', 'is not', null)]))
    .where('r.id', '>', $('after'))
    .orderBy('r.id')
    .limit(PAGE_MAX),
);

export type OpenRefund = RowOf<typeof OPEN_REFUNDS>;

/** Returns the next page of refunds that are open or in doubt after success. */
export function openRefundsAfter(statements: Statements, id: bigint): Promise<OpenRefund[]> {
  return OPEN_REFUNDS.all(statements, { after: id });
}

const DOUBT_OPEN_REFUNDS = statement((db) =>
  db
    .updateTable('refunds')
    .set((eb) => ({ doubtful: true, queriedAt: eb.fn.coalesce('queriedAt', now) }))
    .where('status', 'in', OPEN_REFUND_STATUSES)
    .where('gatewayRefundId', 'is', null)
    .returning('id'),
);

/**
 * Marks every open refund as requested. After a restore no row shows whether a refund was requested after the dump was taken. The gateway is
 * therefore queried for it before it is requested, and an operator must confirm a refusal.
 */
export async function doubtOpenRefunds(statements: Statements): Promise<number> {
  return (await DOUBT_OPEN_REFUNDS.all(statements, {})).length;
}

const DOUBT_AGAIN = statement((db, $: Given<{ references: readonly string[] }>) =>
  db
    .updateTable('refunds')
    .set({ reviewReason: 'FAILED_AFTER_SUCCESS', reviewSince: now, updatedAt: now })
    .where('reference', '=', (eb) => eb.fn.any($('references')))
    .where('status', '=', 'SUCCEEDED')
    .where('reviewReason', 'is', null),
);

/** Puts refunds back under review that had failed after success since the dump was taken. The gateway does not notify of the failure twice. */
export async function doubtRefundsAgain(statements: Statements, references: readonly string[]): Promise<void> {
  await DOUBT_AGAIN.all(statements, { references });
}

const NOTE_RESTORE = statement((db) =>
  db
    .insertInto('restores')
    .columns(['lastSealId'])
    .expression((eb) =>
      eb.selectFrom('ledger_seals').select((s) => s.fn.coalesce(s.fn.max('id'), sql.lit(0)).as('lastSealId')),
    ),
);

/**
 * Records that an older state was restored now. Seals after the dump's last one and before now belong to the lost state, so `npm run verify` does not
 * compare them with heads remembered elsewhere.
 */
export async function noteRestore(statements: Statements): Promise<void> {
  await NOTE_RESTORE.all(statements, {});
}

const RESTORES = statement((db) =>
  db.selectFrom('restores').select(['restoredAt as at', 'lastSealId']).orderBy('id', 'desc').limit(10),
);

/** Returns when older states were restored, newest first. */
export function readRestores(statements: Statements): Promise<readonly RowOf<typeof RESTORES>[]> {
  return RESTORES.all(statements, {});
}

const SWEEP_OPEN_INVOICES = statement((db) =>
  db.updateTable('invoices').set({ nextSweepAt: now }).where('status', 'in', DUE_INVOICE_STATUSES).returning('id'),
);

const SWEEP_OPEN_DISPUTES = statement((db) =>
  db.updateTable('disputes').set({ nextSweepAt: now }).where('status', 'in', ['NOTICED', 'OPEN']).returning('id'),
);

/** Makes the sweeper query every open dispute, which may have ended since. */
export async function sweepOpenDisputes(statements: Statements): Promise<number> {
  return (await SWEEP_OPEN_DISPUTES.all(statements, {})).length;
}

/** Makes the sweeper's next run notify every open invoice that its row may have changed. */
export async function sweepOpenInvoices(statements: Statements): Promise<number> {
  return (await SWEEP_OPEN_INVOICES.all(statements, {})).length;
}
