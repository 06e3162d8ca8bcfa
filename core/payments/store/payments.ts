import { sql } from 'kysely';
import type { Contract } from '../../../domain/contract.ts';
import type { Mode } from '../../../domain/mode.ts';
import type { PaymentStatus, ReviewReason } from '../../../domain/payment.ts';
import type { Scope } from '../../../database/connection.ts';
import { now, timeOf } from '../../../database/expressions.ts';
import { instant, optional } from '../../../database/read-row.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';

/** Columns of `payments p` that the code of every payment needs. Its time by the database decides what has expired, never a process's clock. */
export const PAYMENT = [
  'p.id',
  'p.applicationId',
  'p.mode',
  'p.reference',
  'p.contract',
  'p.status',
  'p.amountMinor',
  'p.currency',
  'p.customerReference',
  'p.customerEmail',
  'p.customerPhone',
  'p.customerName',
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

const BY_ID = statement((db, $: Given<Scope & { id: bigint }>) =>
  db
    .selectFrom('payments as p')
    .select(PAYMENT)
    .where('p.id', '=', $('id'))
    .where('p.applicationId', '=', $('applicationId'))
    .where('p.mode', '=', $('mode')),
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

/** A row of `payments` for statements in SQL text, which return 64-bit integers and times as text. It goes when the last of them is typed. */
export interface PaymentRow {
  id: string;
  application_id: string;
  mode: Mode;
  reference: string;
  contract: Contract;
  status: PaymentStatus;
  amount_minor: string;
  currency: string;
  customer_reference: string;
  customer_email: string | null;
  customer_phone: string | null;
  customer_name: string | null;
  product_name: string | null;
  return_url: string | null;
  merchant_reference: string | null;
  cancel_url: string | null;
  metadata: string | null;
  gateway: string | null;
  gateway_choices: string[] | null;
  gateway_txn_id: string | null;
  gateway_redirect_url: string | null;
  invoice_id: string | null;
  overpayment_minor: string;
  failure_code: string | null;
  review_reason: ReviewReason | null;
  review_since: string | null;
  cancel_requested_at: string | null;
  expires_at: string;
  paid_at: string | null;
  ended_at: string | null;
  fee_minor: string | null;
  event_sequence: number;
  last_unsigned_signalled_at: string | null;
  led_on_at: string | null;
  created_at: string;
  updated_at: string;
  read_at: string;
}

/** Columns of `payments p` that `paymentOf` reads. */
export const PAYMENT_COLUMNS = 'p.*, lenden_now(p.clock_offset) as read_at';

export function paymentOf(row: PaymentRow): PaymentRecord {
  return {
    id: BigInt(row.id),
    applicationId: BigInt(row.application_id),
    mode: row.mode,
    reference: row.reference,
    contract: row.contract,
    status: row.status,
    amountMinor: BigInt(row.amount_minor),
    currency: row.currency,
    customerReference: row.customer_reference,
    customerEmail: row.customer_email,
    customerPhone: row.customer_phone,
    customerName: row.customer_name,
    productName: row.product_name,
    returnUrl: row.return_url,
    merchantReference: row.merchant_reference,
    cancelUrl: row.cancel_url,
    metadata: row.metadata,
    gateway: row.gateway,
    gatewayChoices: row.gateway_choices,
    gatewayTxnId: row.gateway_txn_id,
    gatewayRedirectUrl: row.gateway_redirect_url,
    invoiceId: optional(row.invoice_id, BigInt),
    overpaymentMinor: BigInt(row.overpayment_minor),
    failureCode: row.failure_code,
    reviewReason: row.review_reason,
    reviewSince: optional(row.review_since, instant),
    cancelRequestedAt: optional(row.cancel_requested_at, instant),
    expiresAt: instant(row.expires_at),
    paidAt: optional(row.paid_at, instant),
    endedAt: optional(row.ended_at, instant),
    feeMinor: optional(row.fee_minor, BigInt),
    eventSequence: row.event_sequence,
    lastUnsignedSignalledAt: optional(row.last_unsigned_signalled_at, instant),
    ledOnAt: optional(row.led_on_at, instant),
    createdAt: instant(row.created_at),
    updatedAt: instant(row.updated_at),
    readAt: instant(row.read_at),
  };
}
