import { expressionBuilder, sql } from 'kysely';
import type { Money } from '../../../domain/money.ts';
import type { Scope } from '../../../database/connection.ts';
import { later, rowOf } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import type { PaymentRecord } from '../../payments/store/payments.ts';

const RULES = statement((db, $: Given<{ applicationId: bigint }>) =>
  db
    .selectFrom('applications')
    .select(['name as applicationName', 'unappliedPaymentPolicy', 'refundedInvoices'])
    .where('id', '=', $('applicationId')),
);

/** What happens to money that nothing asks for, and whether a refunded amount of an invoice's payment is due again. */
export type InvoiceRules = RowOf<typeof RULES>;

/** Returns an application's rules for unapplied money and refunded invoices. */
export async function invoiceRulesOf(statements: Statements, { applicationId }: Scope): Promise<InvoiceRules> {
  const rules = await RULES.first(statements, { applicationId });
  if (rules === undefined) {
    throw new Error('the application does not exist in this scope');
  }
  return rules;
}

const HOLD = statement((db, $: Given<{ id: bigint; overpaymentMinor: bigint }>) =>
  db
    .with('confirmed', (q) =>
      q.selectFrom('payment_attempts').selectAll().where('paymentId', '=', $('id')).where('status', '=', 'CONFIRMED'),
    )
    .with('held', (q) => {
      const source = q.selectFrom('confirmed as c').innerJoin('payments as p', 'p.id', 'c.paymentId');
      const eb = expressionBuilder(source);
      const row = rowOf('unapplied_payments', {
        applicationId: eb.ref('c.applicationId'),
        mode: eb.ref('c.mode'),
        paymentId: eb.ref('c.paymentId'),
        attemptId: eb.ref('c.id'),
        gateway: eb.ref('c.gateway'),
        validationId: eb.ref('c.validationId').$notNull(),
        gatewayTxnId: eb.ref('c.gatewayTxnId').$notNull(),
        evidence: eb.ref('c.evidence').$notNull(),
        grossMinor: eb.cast<bigint>($('overpaymentMinor'), 'bigint'),
        feeMinor: sql.lit(0n),
        currency: eb.ref('p.currency'),
        status: sql.lit('HELD'),
        kind: sql.lit('overpayment'),
        nextSweepAt: later('1 minute'),
      });
      return q
        .insertInto('unapplied_payments')
        .columns(row.columns)
        .expression(source.select(row.values))
        .returning('id');
    })
    .selectFrom(['held', 'confirmed'])
    .select(['held.id as unappliedPaymentId', 'confirmed.reference as attemptReference']),
);

export type HeldOverpayment = RowOf<typeof HOLD>;

/**
 * Records the overpayment of a finalized payment as unapplied money of its charge. The charge's fee stays with the payment. No workflow is running
 * for it yet.
 */
export async function holdOverpayment(
  statements: Statements,
  { id, overpaymentMinor }: Pick<PaymentRecord, 'id' | 'overpaymentMinor'>,
): Promise<HeldOverpayment> {
  const held = await HOLD.first(statements, { id, overpaymentMinor });
  if (held === undefined) {
    throw new Error('a payment with an overpayment has no confirmed attempt');
  }
  return held;
}

const GROSS = statement((db, $: Given<{ id: bigint }>) =>
  db.selectFrom('unapplied_payments').select(['grossMinor as amountMinor', 'currency']).where('id', '=', $('id')),
);

export async function grossOfUnapplied(statements: Statements, unappliedPaymentId: bigint): Promise<Money> {
  const gross = await GROSS.first(statements, { id: unappliedPaymentId });
  if (gross === undefined) {
    throw new Error('the unapplied payment does not exist in this scope');
  }
  return gross;
}

const NOTE_APPLIED = statement((db, $: Given<{ unappliedPaymentId: bigint; appliedMinor: bigint }>) =>
  db
    .updateTable('unapplied_payments')
    .set({ appliedMinor: $('appliedMinor') })
    .where('id', '=', $('unappliedPaymentId'))
    .where('status', '=', 'KEPT'),
);

/** Records how much of kept money is applied to an invoice. */
export async function noteApplied(
  statements: Statements,
  applied: { readonly unappliedPaymentId: bigint; readonly appliedMinor: bigint },
): Promise<void> {
  await NOTE_APPLIED.all(statements, applied);
}
