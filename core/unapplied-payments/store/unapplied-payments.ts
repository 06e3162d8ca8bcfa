import { now } from '../../../database/expressions.ts';
import { MissingRow } from '../../../database/missing-row.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import { PAID_STATUSES } from '../../../domain/payment.ts';
import {
  unappliedStatusesBefore,
  WAITING_UNAPPLIED_STATUSES,
  type UnappliedFacts,
  type UnappliedStatus,
} from '../../../domain/unapplied-payment.ts';
import { PAYMENT, type PaymentRecord } from '../../payments/store/payments.ts';

/** More charges for one payment are unlikely. Operators see all of them. */
const SHOWN_MAX = 20;

/** Columns of `unapplied_payments l`. */
const UNAPPLIED = [
  'l.id',
  'l.kind',
  'l.status',
  'l.grossMinor as amountMinor',
  'l.currency',
  'l.gateway',
  'l.gatewayTxnId',
  'l.createdAt',
  'l.updatedAt',
] as const;

const BY_ID = statement((db, $: Given<{ id: bigint }>) =>
  db.selectFrom('unapplied_payments as l').select(UNAPPLIED).where('l.id', '=', $('id')),
);

/** Returns null if the scope has no such money. */
export async function findUnapplied(
  statements: Statements,
  unappliedPaymentId: bigint,
): Promise<UnappliedFacts | null> {
  return (await BY_ID.first(statements, { id: unappliedPaymentId })) ?? null;
}

/** Throws if the scope has no such money. */
export async function readUnapplied(statements: Statements, unappliedPaymentId: bigint): Promise<UnappliedFacts> {
  const unapplied = await findUnapplied(statements, unappliedPaymentId);
  if (unapplied === null) {
    throw new Error('the unapplied payment does not exist in this scope');
  }
  return unapplied;
}

const OF_PAYMENT = statement((db, $: Given<{ paymentId: bigint }>) =>
  db
    .selectFrom('unapplied_payments as l')
    .select(UNAPPLIED)
    .where('l.paymentId', '=', $('paymentId'))
    .orderBy('l.id')
    .limit(SHOWN_MAX),
);

/** Returns the unapplied money of a payment, oldest first. */
export function listUnapplied(statements: Statements, paymentId: bigint): Promise<UnappliedFacts[]> {
  return OF_PAYMENT.all(statements, { paymentId });
}

const OF_INVOICE = statement((db, $: Given<{ invoiceId: bigint }>) =>
  db
    .selectFrom('unapplied_payments as l')
    .innerJoin('payments as p', 'p.id', 'l.paymentId')
    .select(UNAPPLIED)
    .select((eb) => eb('p.status', 'not in', PAID_STATUSES).$castTo<boolean>().as('unpaid'))
    .where('p.invoiceId', '=', $('invoiceId'))
    .where((eb) => eb.or([eb('p.status', 'in', PAID_STATUSES), eb('l.status', 'in', WAITING_UNAPPLIED_STATUSES)]))
    .orderBy('l.id')
    .limit(SHOWN_MAX),
);

export interface UnappliedOfInvoice extends UnappliedFacts {
  /** Whether its payment ended unpaid, so that the payer believes the money pays the invoice. */
  readonly unpaid: boolean;
}

/** Returns the unapplied money of an invoice's payments. For payments that ended unpaid, only what is still held or being refunded. */
export function listUnappliedOfInvoice(statements: Statements, invoiceId: bigint): Promise<UnappliedOfInvoice[]> {
  return OF_INVOICE.all(statements, { invoiceId });
}

const READ_WATCHED = statement((db, $: Given<{ id: bigint }>) =>
  db
    .selectFrom('unapplied_payments as l')
    .innerJoin('payments as p', 'p.id', 'l.paymentId')
    .innerJoin('payment_attempts as t', 't.id', 'l.attemptId')
    .innerJoin('applications as a', 'a.id', 'p.applicationId')
    .select(PAYMENT)
    .select(['t.reference as attemptReference', 'a.name as applicationName'])
    .where('l.id', '=', $('id')),
);

/** The attempt whose workflow handles the money, with what starting that workflow needs to know about the payment. */
export interface WatchedMoney {
  readonly attemptReference: string;
  readonly applicationName: string;
  readonly payment: PaymentRecord;
}

/** Throws if the scope has no such money. */
export async function readWatched(statements: Statements, unappliedPaymentId: bigint): Promise<WatchedMoney> {
  const row = await READ_WATCHED.first(statements, { id: unappliedPaymentId });
  if (row === undefined) {
    throw new Error('the unapplied payment does not exist in this scope');
  }
  const { attemptReference, applicationName, ...payment } = row;
  return { attemptReference, applicationName, payment };
}

/** An attempt of a payment, by their public references. */
interface NamedAttempt {
  readonly reference: string;
  readonly attemptReference: string;
}

const RECORD_WATCHED = statement((db, $: Given<NamedAttempt>) =>
  db
    .updateTable('unapplied_payments as l')
    .from(['payment_attempts as t', 'payments as p'])
    .set({ nextSweepAt: null })
    .whereRef('t.id', '=', 'l.attemptId')
    .whereRef('p.id', '=', 't.paymentId')
    .where('t.reference', '=', $('attemptReference'))
    .where('p.reference', '=', $('reference'))
    .where('l.nextSweepAt', 'is not', null),
);

/** Records that the attempt's workflow is running, so that the sweeper does not start it. */
export async function recordWatched(
  statements: Statements,
  { reference, attemptReference }: NamedAttempt,
): Promise<void> {
  await RECORD_WATCHED.all(statements, { reference, attemptReference });
}

const OF_ATTEMPT = statement((db, $: Given<NamedAttempt>) =>
  db
    .selectFrom('payment_attempts as t')
    .innerJoin('payments as p', 'p.id', 't.paymentId')
    .leftJoin('unapplied_payments as l', 'l.attemptId', 't.id')
    .select(['l.status', 'l.currency', 'l.grossMinor'])
    .where('t.reference', '=', $('attemptReference'))
    .where('p.reference', '=', $('reference'))
    .orderBy('l.id'),
);

/** The state of an attempt's money as its workflow shows it. Money that still needs a decision or refund comes before other money. */
export interface AttemptMoney {
  readonly status: UnappliedStatus;
  readonly amountMinor: bigint;
  readonly currency: string;
}

const FIRST: readonly UnappliedStatus[] = ['HELD', 'REFUNDING', 'REFUNDED', 'KEPT'];

/**
 * Returns null if no money was posted for the attempt.
 * @throws MissingRow if the scope has no such attempt of that payment
 */
export async function moneyOfAttempt(
  statements: Statements,
  { reference, attemptReference }: NamedAttempt,
): Promise<AttemptMoney | null> {
  const rows = await OF_ATTEMPT.all(statements, { reference, attemptReference });
  if (rows.length === 0) {
    throw new MissingRow('attempt', attemptReference);
  }
  const status = FIRST.find((known) => rows.some((row) => row.status === known));
  const same = rows.filter(isPosted).filter((row) => row.status === status);
  const [first] = same;
  return status === undefined || first === undefined
    ? null
    : { status, amountMinor: same.reduce((sum, { grossMinor }) => sum + grossMinor, 0n), currency: first.currency };
}

type AttemptMoneyRow = RowOf<typeof OF_ATTEMPT>;
type PostedMoney = { readonly [Name in keyof AttemptMoneyRow]: NonNullable<AttemptMoneyRow[Name]> };

/** Without posted money, an attempt has one row without values. */
function isPosted(row: AttemptMoneyRow): row is PostedMoney {
  return row.status !== null && row.currency !== null && row.grossMinor !== null;
}

const TO_DECIDE = statement((db, $: Given<NamedAttempt>) =>
  db
    .selectFrom('payment_attempts as t')
    .innerJoin('payments as p', 'p.id', 't.paymentId')
    .innerJoin('applications as a', 'a.id', 't.applicationId')
    .select(['t.id', 't.paymentId', 'a.name as applicationName'])
    .where('t.reference', '=', $('attemptReference'))
    .where('p.reference', '=', $('reference')),
);

/** The attempt of a payment, with what deciding about its money needs. */
export type AttemptToDecide = RowOf<typeof TO_DECIDE>;

/** Returns null if the scope has no such attempt of the payment. */
export async function findAttemptOfPayment(
  statements: Statements,
  { attemptReference, reference }: NamedAttempt,
): Promise<AttemptToDecide | null> {
  return (await TO_DECIDE.first(statements, { attemptReference, reference })) ?? null;
}

const KEEP_HELD = statement((db, $: Given<{ id: bigint }>) =>
  db
    .updateTable('unapplied_payments as l')
    .from('payment_attempts as t')
    .set({ status: 'KEPT', updatedAt: now })
    .where('l.id', '=', $('id'))
    .where('l.status', 'in', unappliedStatusesBefore('KEPT'))
    .whereRef('t.id', '=', 'l.attemptId')
    .returning([
      'l.applicationId',
      'l.mode',
      'l.currency',
      'l.grossMinor',
      't.reference as attemptReference',
      'l.validationId',
    ]),
);

/** Lets the application keep money that is held. Returns what its posting needs, or null if the money is no longer held. */
export async function keepHeld(
  statements: Statements,
  unappliedPaymentId: bigint,
): Promise<RowOf<typeof KEEP_HELD> | null> {
  return (await KEEP_HELD.first(statements, { id: unappliedPaymentId })) ?? null;
}
