import type { Money } from '../../../domain/money.ts';
import type { Scope } from '../../../database/connection.ts';
import type { PaymentRecord } from '../../payments/store/payments.ts';
import type { Statements } from '../../../database/statements.ts';

export interface InvoiceRules {
  readonly applicationName: string;
  /** What happens to money that nothing asks for. */
  readonly unappliedPaymentPolicy: 'REVIEW' | 'REFUND';
  /** Whether a refunded amount of an invoice's payment is due again. */
  readonly refundedInvoices: 'REOPEN' | 'KEEP';
}

/** Returns an application's rules for unapplied money and refunded invoices. */
export async function invoiceRulesOf(statements: Statements, { applicationId }: Scope): Promise<InvoiceRules> {
  const [row] = await statements.execute<
    { name: string; unapplied_payment_policy: 'REVIEW' | 'REFUND'; refunded_invoices: 'REOPEN' | 'KEEP' }[]
  >('select name, unapplied_payment_policy, refunded_invoices from applications where id = ?', [applicationId]);
  if (row === undefined) {
    throw new Error('the application does not exist in this scope');
  }
  return {
    applicationName: row.name,
    unappliedPaymentPolicy: row.unapplied_payment_policy,
    refundedInvoices: row.refunded_invoices,
  };
}

export interface HeldOverpayment {
  readonly unappliedPaymentId: bigint;
  readonly attemptReference: string;
}

/**
 * Records the overpayment of a finalized payment as unapplied money of its charge. The charge's fee stays with the payment. No workflow is running
 * for it yet.
 */
export async function holdOverpayment(
  statements: Statements,
  { id, overpaymentMinor }: Pick<PaymentRecord, 'id' | 'overpaymentMinor'>,
): Promise<HeldOverpayment> {
  const [row] = await statements.execute<{ id: string; reference: string }[]>(
    `with settling as (select * from payment_attempts where payment_id = ? and status = 'CONFIRMED'),
     held as (
       insert into unapplied_payments (application_id, mode, payment_id, attempt_id, gateway, validation_id, gateway_txn_id, evidence, gross_minor,
         fee_minor, currency, status, kind, next_sweep_at)
       select s.application_id, s.mode, s.payment_id, s.id, s.gateway, s.validation_id, s.gateway_txn_id, s.evidence, ?::bigint, 0, p.currency,
         'HELD', 'overpayment', now() + interval '1 minute'
       from settling s join payments p on p.id = s.payment_id returning id)
     select held.id, settling.reference from held, settling`,
    [id, overpaymentMinor],
  );
  if (row === undefined) {
    throw new Error('a payment with an overpayment has no confirmed attempt');
  }
  return { unappliedPaymentId: BigInt(row.id), attemptReference: row.reference };
}

export async function grossOfLate(statements: Statements, unappliedPaymentId: bigint): Promise<Money> {
  const [row] = await statements.execute<{ gross_minor: string; currency: string }[]>(
    'select gross_minor, currency from unapplied_payments where id = ?',
    [unappliedPaymentId],
  );
  if (row === undefined) {
    throw new Error('the unapplied payment does not exist in this scope');
  }
  return { amountMinor: BigInt(row.gross_minor), currency: row.currency };
}

/** Records how much of kept money is applied to an invoice. */
export async function noteApplied(
  statements: Statements,
  { unappliedPaymentId, appliedMinor }: { readonly unappliedPaymentId: bigint; readonly appliedMinor: bigint },
): Promise<void> {
  await statements.execute(`update unapplied_payments set applied_minor = ? where id = ? and status = 'KEPT'`, [
    appliedMinor,
    unappliedPaymentId,
  ]);
}
