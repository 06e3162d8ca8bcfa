import {
  unappliedStatusesBefore,
  WAITING_UNAPPLIED_STATUSES,
  type UnappliedFacts,
  type UnappliedStatus,
} from '../../../domain/unapplied-payment.ts';
import type { Mode } from '../../../domain/mode.ts';
import { MissingRow } from '../../../database/missing-row.ts';
import { PAYMENT_COLUMNS, paymentOf, type PaymentRecord, type PaymentRow } from '../../payments/store/payments.ts';
import { instant } from '../../../database/read-row.ts';
import type { Statements } from '../../../database/statements.ts';
import { sqlList } from '../../../database/sql-list.ts';
import { PAID_STATUSES } from '../../../domain/payment.ts';

/** More charges for one payment are unlikely. Operators see all of them. */
const SHOWN_MAX = 20;

interface UnappliedRow {
  id: string;
  kind: 'late' | 'overpayment';
  status: UnappliedStatus;
  gross_minor: string;
  currency: string;
  gateway: string;
  gateway_txn_id: string;
  created_at: string;
  updated_at: string;
}

const COLUMNS = 'id, kind, status, gross_minor, currency, gateway, gateway_txn_id, created_at, updated_at';

/** Returns null if the scope has no such money. */
export async function findUnapplied(
  statements: Statements,
  unappliedPaymentId: bigint,
): Promise<UnappliedFacts | null> {
  const [row] = await statements.execute<UnappliedRow[]>(`select ${COLUMNS} from unapplied_payments where id = ?`, [
    unappliedPaymentId,
  ]);
  return row === undefined ? null : unappliedOf(row);
}

/** Throws if the scope has no such money. */
export async function readUnapplied(statements: Statements, unappliedPaymentId: bigint): Promise<UnappliedFacts> {
  const unapplied = await findUnapplied(statements, unappliedPaymentId);
  if (unapplied === null) {
    throw new Error('the unapplied payment does not exist in this scope');
  }
  return unapplied;
}

/** Returns the unapplied money of a payment, oldest first. */
export async function listUnapplied(statements: Statements, paymentId: bigint): Promise<UnappliedFacts[]> {
  const rows = await statements.execute<UnappliedRow[]>(
    `select ${COLUMNS} from unapplied_payments where payment_id = ? order by id limit ${SHOWN_MAX}`,
    [paymentId],
  );
  return rows.map(unappliedOf);
}

export interface UnappliedOfInvoice extends UnappliedFacts {
  /** Whether its payment ended unpaid, so that the payer believes the money pays the invoice. */
  readonly unpaid: boolean;
}

/** Returns the unapplied money of an invoice's payments. For payments that ended unpaid, only what is still held or being refunded. */
export async function listUnappliedOfInvoice(statements: Statements, invoiceId: bigint): Promise<UnappliedOfInvoice[]> {
  const rows = await statements.execute<(UnappliedRow & { unpaid: boolean })[]>(
    `select * from (select ${COLUMNS}, (select status not in (${sqlList(PAID_STATUSES)}) from payments where id = payment_id) as unpaid
       from unapplied_payments where payment_id in (select id from payments where invoice_id = ?)) l
     where not unpaid or status in (${sqlList(WAITING_UNAPPLIED_STATUSES)}) order by id limit ${SHOWN_MAX}`,
    [invoiceId],
  );
  return rows.map((row) => ({ ...unappliedOf(row), unpaid: row.unpaid }));
}

function unappliedOf({ gross_minor: gross, gateway_txn_id: gatewayTxnId, ...row }: UnappliedRow): UnappliedFacts {
  const { id, kind, status, currency, gateway } = row;
  return {
    id: BigInt(id),
    kind,
    status,
    amountMinor: BigInt(gross),
    currency,
    gateway,
    gatewayTxnId,
    createdAt: instant(row.created_at),
    updatedAt: instant(row.updated_at),
  };
}

/** Takes the next sequence of a payment's events, which also locks the payment. */
export async function numberEvent(statements: Statements, paymentId: bigint): Promise<PaymentRecord> {
  const [row] = await statements.execute<PaymentRow[]>(
    `update payments p set event_sequence = event_sequence + 1, updated_at = now() where id = ? returning ${PAYMENT_COLUMNS}`,
    [paymentId],
  );
  if (row === undefined) {
    throw new Error('the payment does not exist in this scope');
  }
  return paymentOf(row);
}

/** The attempt whose workflow handles the money, with what starting that workflow needs to know about the payment. */
export interface WatchedMoney {
  readonly attemptReference: string;
  readonly applicationName: string;
  readonly payment: PaymentRecord;
}

/** Throws if the scope has no such money. */
export async function readWatched(statements: Statements, unappliedPaymentId: bigint): Promise<WatchedMoney> {
  const [row] = await statements.execute<(PaymentRow & { attempt_reference: string; application_name: string })[]>(
    `select ${PAYMENT_COLUMNS}, t.reference as attempt_reference, a.name as application_name
     from unapplied_payments l join payments p on p.id = l.payment_id join payment_attempts t on t.id = l.attempt_id
       join applications a on a.id = p.application_id where l.id = ?`,
    [unappliedPaymentId],
  );
  if (row === undefined) {
    throw new Error('the unapplied payment does not exist in this scope');
  }
  return {
    attemptReference: row.attempt_reference,
    applicationName: row.application_name,
    payment: paymentOf(row),
  };
}

/** Records that the attempt's workflow is running, so that the sweeper does not start it. */
export async function noteTakenUp(
  statements: Statements,
  { reference, attemptReference }: { readonly reference: string; readonly attemptReference: string },
): Promise<void> {
  await statements.execute(
    `update unapplied_payments l set next_sweep_at = null from payment_attempts t, payments p
     where t.id = l.attempt_id and p.id = t.payment_id and t.reference = ? and p.reference = ? and l.next_sweep_at is not null`,
    [attemptReference, reference],
  );
}

/** The state of an attempt's money as its workflow shows it. Money that still needs a decision or refund comes before settled money. */
export interface AttemptMoney {
  readonly status: UnappliedStatus;
  readonly amountMinor: bigint;
  readonly currency: string;
}

type AttemptMoneyRow =
  | { readonly status: UnappliedStatus; readonly currency: string; readonly gross_minor: string }
  /** An attempt for which nothing was posted. */
  | { readonly status: null };

const FIRST: readonly UnappliedStatus[] = ['HELD', 'REFUNDING', 'REFUNDED', 'KEPT'];

/**
 * Returns null if no money was posted for the attempt.
 * @throws MissingRow if the scope has no such attempt of that payment
 */
export async function moneyOfAttempt(
  statements: Statements,
  { reference, attemptReference }: { readonly reference: string; readonly attemptReference: string },
): Promise<AttemptMoney | null> {
  const rows = await statements.execute<AttemptMoneyRow[]>(
    `select l.status, l.currency, l.gross_minor from payment_attempts t join payments p on p.id = t.payment_id
       left join unapplied_payments l on l.attempt_id = t.id where t.reference = ? and p.reference = ? order by l.id`,
    [attemptReference, reference],
  );
  if (rows.length === 0) {
    throw new MissingRow('attempt', attemptReference);
  }
  const status = FIRST.find((known) => rows.some((row) => row.status === known));
  const same = rows.flatMap((row) => (row.status !== null && row.status === status ? [row] : []));
  const [first] = same;
  return status === undefined || first === undefined
    ? null
    : {
        status,
        amountMinor: same.reduce((sum, { gross_minor: gross }) => sum + BigInt(gross), 0n),
        currency: first.currency,
      };
}

/** The attempt of a payment, with what deciding about its money needs. */
export interface AttemptToDecide {
  readonly id: bigint;
  readonly paymentId: bigint;
  readonly applicationName: string;
}

/** Returns null if the scope has no such attempt of the payment. */
export async function findAttemptOfPayment(
  statements: Statements,
  { attemptReference, reference }: { readonly attemptReference: string; readonly reference: string },
): Promise<AttemptToDecide | null> {
  const [row] = await statements.execute<{ id: string; payment_id: string; name: string }[]>(
    `select t.id, t.payment_id, a.name from payment_attempts t join payments p on p.id = t.payment_id
       join applications a on a.id = t.application_id where t.reference = ? and p.reference = ?`,
    [attemptReference, reference],
  );
  return row === undefined
    ? null
    : { id: BigInt(row.id), paymentId: BigInt(row.payment_id), applicationName: row.name };
}

interface KeptRow {
  application_id: string;
  mode: Mode;
  currency: string;
  gross_minor: string;
  validation_id: string;
  reference: string;
}

/** Lets the application keep money that is held. Returns what its posting needs, or null if the money is no longer held. */
export async function keepHeld(statements: Statements, unappliedPaymentId: bigint) {
  const [row] = await statements.execute<KeptRow[]>(
    `update unapplied_payments l set status = 'KEPT', updated_at = now() from payment_attempts t
     where l.id = ? and l.status in (${sqlList(unappliedStatusesBefore('KEPT'))}) and t.id = l.attempt_id
     returning l.application_id, l.mode, l.currency, l.gross_minor, l.validation_id, t.reference`,
    [unappliedPaymentId],
  );
  return row === undefined
    ? null
    : {
        applicationId: BigInt(row.application_id),
        mode: row.mode,
        currency: row.currency,
        grossMinor: BigInt(row.gross_minor),
        attemptReference: row.reference,
        validationId: row.validation_id,
      };
}
