import { sql } from 'kysely';
import type { Scope } from '../../../database/connection.ts';
import { now, timeOf } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import type { Mode } from '../../../domain/mode.ts';

/** Columns of `payments p` that operators' transactions may read too. A payment's time by the database decides what has expired, never a process's clock. */
export const PAYMENT_WITHOUT_CONTACT = [
  'p.id',
  'p.applicationId',
  'p.mode',
  'p.reference',
  'p.contract',
  'p.status',
  'p.amountMinor',
  'p.currency',
  'p.customerReference',
  'p.productName',
  'p.returnUrl',
  'p.merchantReference',
  'p.cancelUrl',
  'p.metadata',
  'p.gateway',
  'p.gatewayChoices',
  'p.gatewayTxnId',
  'p.gatewayRedirectUrl',
  'p.invoiceId',
  'p.overpaymentMinor',
  'p.failureCode',
  'p.reviewReason',
  'p.reviewSince',
  'p.cancelRequestedAt',
  'p.expiresAt',
  'p.paidAt',
  'p.endedAt',
  'p.feeMinor',
  'p.eventSequence',
  'p.lastUnsignedSignalledAt',
  'p.ledOnAt',
  'p.createdAt',
  'p.updatedAt',
  timeOf(sql.ref('p.clockOffset')).as('readAt'),
] as const;

/** Columns of `payments p` that the code of every payment needs. */
export const PAYMENT = [...PAYMENT_WITHOUT_CONTACT, 'p.customerEmail', 'p.customerPhone', 'p.customerName'] as const;

const BY_ID = statement((db, $: Given<Scope & { id: bigint }>) =>
  db
    .selectFrom('payments as p')
    .select(PAYMENT)
    .where('p.id', '=', $('id'))
    .where('p.applicationId', '=', $('applicationId'))
    .where('p.mode', '=', $('mode')),
);

/** For a transaction whose scope the database has opened from the caller's credential. */
const BY_ID_IN_SCOPE = statement((db, $: Given<{ id: bigint }>) =>
  db
    .selectFrom('payments as p')
    .select(PAYMENT)
    .where('p.id', '=', $('id'))
    .where('p.applicationId', '=', sql<bigint>`lenden_scope_app()`)
    .where('p.mode', '=', sql<Mode>`lenden_scope_mode()`),
);

/** A payment's row. */
export type PaymentRecord = RowOf<typeof BY_ID>;

const BY_REFERENCE = statement((db, $: Given<Scope & { reference: string }>) =>
  db
    .selectFrom('payments as p')
    .select(PAYMENT)
    .where('p.reference', '=', $('reference'))
    .where('p.applicationId', '=', $('applicationId'))
    .where('p.mode', '=', $('mode')),
);

const OF_CUSTOMER = statement((db, $: Given<Scope & { customerReference: string; limit: number }>) =>
  db
    .selectFrom('payments as p')
    .select(PAYMENT)
    .where('p.applicationId', '=', $('applicationId'))
    .where('p.mode', '=', $('mode'))
    .where('p.customerReference', '=', $('customerReference'))
    .orderBy('p.id', 'desc')
    .limit($('limit')),
);

const NOTE_LED_ON = statement((db, $: Given<{ id: bigint }>) =>
  db.updateTable('payments').set({ ledOnAt: now }).where('id', '=', $('id')).where('ledOnAt', 'is', null),
);

/** Returns null if the scope has no such payment. */
export async function readPayment(
  statements: Statements,
  { applicationId, mode }: Scope,
  paymentId: bigint,
): Promise<PaymentRecord | null> {
  return (await BY_ID.first(statements, { applicationId, mode, id: paymentId })) ?? null;
}

/** Returns null if the transaction's scope has no such payment. */
export async function readPaymentInScope(statements: Statements, paymentId: bigint): Promise<PaymentRecord | null> {
  return (await BY_ID_IN_SCOPE.first(statements, { id: paymentId })) ?? null;
}

/** Records when the payer was first sent to a gateway. Later calls do not change it. */
export async function noteLedOn(statements: Statements, paymentId: bigint): Promise<void> {
  await NOTE_LED_ON.all(statements, { id: paymentId });
}

/** Returns a customer's newest payments, newest first. */
export function listPayments(
  statements: Statements,
  { applicationId, mode }: Scope,
  { customerReference, limit }: { customerReference: string; limit: number },
): Promise<PaymentRecord[]> {
  return OF_CUSTOMER.all(statements, { applicationId, mode, customerReference, limit });
}

/** Returns null if the scope has no payment with this public reference. */
export async function readPaymentByReference(
  statements: Statements,
  { applicationId, mode }: Scope,
  reference: string,
): Promise<PaymentRecord | null> {
  return (await BY_REFERENCE.first(statements, { applicationId, mode, reference })) ?? null;
}
