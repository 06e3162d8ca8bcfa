import type { Mode } from '../domain/mode.ts';
import type { PaymentStatus, ReviewReason } from '../domain/payment.ts';
import type { Scope } from './connection.ts';
import type { Payment } from './entities/payment.ts';
import { instant, optional } from './read-row.ts';
import type { Statements } from './statements.ts';

/** A payment's row as plain data, for the paths that every payment takes. */
export type PaymentRecord = Readonly<
  Pick<
    Payment,
    | 'id'
    | 'applicationId'
    | 'mode'
    | 'reference'
    | 'status'
    | 'amountMinor'
    | 'currency'
    | 'customerReference'
    | 'customerEmail'
    | 'customerPhone'
    | 'customerName'
    | 'productName'
    | 'returnUrl'
    | 'gateway'
    | 'gatewayTxnId'
    | 'gatewayRedirectUrl'
    | 'invoiceId'
    | 'failureCode'
    | 'reviewReason'
    | 'reviewSince'
    | 'cancelRequestedAt'
    | 'expiresAt'
    | 'paidAt'
    | 'endedAt'
    | 'feeMinor'
    | 'eventSequence'
    | 'createdAt'
    | 'updatedAt'
  >
>;

/** What node-postgres answers for `payments.*`: 64-bit integers and instants are text. */
export interface PaymentRow {
  id: string;
  application_id: string;
  mode: Mode;
  reference: string;
  status: PaymentStatus;
  amount_minor: string;
  currency: string;
  customer_reference: string;
  customer_email: string | null;
  customer_phone: string | null;
  customer_name: string | null;
  product_name: string | null;
  return_url: string | null;
  gateway: string;
  gateway_txn_id: string | null;
  gateway_redirect_url: string | null;
  invoice_id: string | null;
  failure_code: string | null;
  review_reason: ReviewReason | null;
  review_since: string | null;
  cancel_requested_at: string | null;
  expires_at: string;
  paid_at: string | null;
  ended_at: string | null;
  fee_minor: string | null;
  event_sequence: number;
  created_at: string;
  updated_at: string;
}

export function paymentOf(row: PaymentRow): PaymentRecord {
  return {
    id: BigInt(row.id),
    applicationId: BigInt(row.application_id),
    mode: row.mode,
    reference: row.reference,
    status: row.status,
    amountMinor: BigInt(row.amount_minor),
    currency: row.currency,
    customerReference: row.customer_reference,
    customerEmail: row.customer_email,
    customerPhone: row.customer_phone,
    customerName: row.customer_name,
    productName: row.product_name,
    returnUrl: row.return_url,
    gateway: row.gateway,
    gatewayTxnId: row.gateway_txn_id,
    gatewayRedirectUrl: row.gateway_redirect_url,
    invoiceId: optional(row.invoice_id, BigInt),
    failureCode: row.failure_code,
    reviewReason: row.review_reason,
    reviewSince: optional(row.review_since, instant),
    cancelRequestedAt: optional(row.cancel_requested_at, instant),
    expiresAt: instant(row.expires_at),
    paidAt: optional(row.paid_at, instant),
    endedAt: optional(row.ended_at, instant),
    feeMinor: optional(row.fee_minor, BigInt),
    eventSequence: row.event_sequence,
    createdAt: instant(row.created_at),
    updatedAt: instant(row.updated_at),
  };
}

/** Null when the scope has no such payment. */
export async function readPayment(
  statements: Statements,
  { applicationId, mode }: Scope,
  paymentId: bigint,
): Promise<PaymentRecord | null> {
  const [row] = await statements.execute<PaymentRow[]>(
    'select * from payments where id = ? and application_id = ? and mode = ?',
    [paymentId, applicationId, mode],
  );
  return row === undefined ? null : paymentOf(row);
}

/** The newest payments of a customer, newest first. */
export async function listPayments(
  statements: Statements,
  { applicationId, mode }: Scope,
  { customerReference, limit }: { customerReference: string; limit: number },
): Promise<PaymentRecord[]> {
  const rows = await statements.execute<PaymentRow[]>(
    `select * from payments where application_id = ? and mode = ? and customer_reference = ? order by id desc limit ?`,
    [applicationId, mode, customerReference, limit],
  );
  return rows.map(paymentOf);
}
