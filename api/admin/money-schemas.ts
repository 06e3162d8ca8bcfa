import { z } from 'zod';
import { SUBMISSION_STATUSES } from '../../domain/manual-payment.ts';
import { MODES } from '../../domain/mode.ts';
import { PAYMENT_STATUSES, REVIEW_REASONS } from '../../domain/payment.ts';
import { REFUND_STATUSES } from '../../domain/refund.ts';
import { UNAPPLIED_STATUSES } from '../../domain/unapplied-payment.ts';
import { AmountText, freeText, IdText, text } from '../http/fields.ts';
import { listQuery } from '../http/paging.ts';
import { AmountMinor, Payment, Refund } from '../native/schemas.ts';
import { ModeFilter, Moment, UnderReview } from './filters.ts';
import { GatewayName } from './gateway-schemas.ts';
import { languages } from '../../web/language.ts';

export const PaymentFilter = {
  applicationId: IdText.optional(),
  mode: ModeFilter.optional(),
  status: z.enum(PAYMENT_STATUSES, 'is not a status of a payment').optional(),
  reference: z
    .string()
    .regex(/^[0-9A-Za-z_]{1,64}$/, 'is not a valid reference')
    .optional(),
  customerRefId: text(255).optional(),
  gateway: GatewayName.optional(),
  minAmountMinor: AmountText.optional(),
  maxAmountMinor: AmountText.optional(),
  underReview: UnderReview.optional(),
  from: Moment.optional().describe('Only rows created at or after this time. A date starts at midnight UTC.'),
  to: Moment.optional().describe('Only rows created at or before this time. A date includes the whole day.'),
};
export const PaymentsQuery = z.object({ ...listQuery(['createdAt', 'amountMinor']), ...PaymentFilter });
export const PaymentsExportQuery = z.object(PaymentFilter);

export const PaymentQuery = z.object({
  language: z.enum(languages).optional().describe('Of the explanation. English unless it is `bn`.'),
});

export const PaymentSummary = z
  .object({
    id: z.int(),
    reference: z.string(),
    applicationId: z.int(),
    applicationName: z.string(),
    mode: z.enum(MODES),
    status: z.enum(PAYMENT_STATUSES),
    amountMinor: z.int(),
    refundedMinor: z.int(),
    currency: z.string(),
    customerReference: z.string(),
    gateway: z.string().nullable().describe('Null until the payer chooses one.'),
    gatewayTxnId: z.string().nullable(),
    review: z.enum(REVIEW_REASONS).nullable(),
    createdAt: z.iso.datetime(),
    endedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'PaymentSummary' });

export const CustomerContact = z
  .object({ name: z.string().nullable(), email: z.string().nullable(), phone: z.string().nullable() })
  .describe('As the application gave it when it created the payment.')
  .meta({ id: 'CustomerContact' });

export const RefundsQuery = z.object({
  ...listQuery(['createdAt', 'amountMinor']),
  applicationId: IdText.optional(),
  mode: ModeFilter.optional(),
  status: z.enum(REFUND_STATUSES, 'is not a status of a refund').optional(),
  paymentId: IdText.optional(),
  underReview: UnderReview.optional(),
  from: Moment.optional(),
  to: Moment.optional(),
});

export const CreateOperatorRefund = z
  .object({ amountMinor: AmountMinor, reason: freeText(500).optional() })
  .meta({ id: 'CreateOperatorRefund' });

export const Reason = z.object({ reason: freeText(500) }).meta({ id: 'Reason' });

export const RefundReviewBody = z
  .object({
    decision: z
      .enum(['retry', 'refunded', 'not-refunded'], 'must be retry, refunded or not-refunded')
      .describe(
        '`retry` queries the gateway again. `refunded` ends the refund as SUCCEEDED and `not-refunded` as FAILED; both need two operators who have checked the gateway’s panel.',
      ),
    reason: freeText(500),
  })
  .meta({ id: 'RefundReview' });

export const DecidedRefund = z
  .object({ refund: Refund, decision: z.enum(['executed', 'awaiting-second-approval', 'in-progress']) })
  .meta({ id: 'DecidedRefund' });

export const PaymentReviewBody = z
  .object({
    decision: z
      .enum(['accept', 'reject'], 'must be accept or reject')
      .describe(
        '`accept` accepts the risk that the gateway flagged; the gateway must confirm the charge once more. `reject` ends the payment.',
      ),
    reason: freeText(500),
  })
  .meta({ id: 'PaymentReview' });

export const ReviewedPayment = z
  .object({ payment: Payment, decision: z.enum(['executed', 'awaiting-second-approval', 'in-progress']) })
  .meta({ id: 'ReviewedPayment' });

export const UnappliedPaymentsQuery = z.object({
  ...listQuery(['createdAt', 'amountMinor']),
  applicationId: IdText.optional(),
  mode: ModeFilter.optional(),
  status: z.enum(UNAPPLIED_STATUSES, 'is not a status of an unapplied payment').optional(),
  paymentId: IdText.optional(),
});

export const UnappliedPaymentDetail = z
  .object({
    id: z.int(),
    paymentId: z.int(),
    paymentReference: z.string(),
    paymentStatus: z.enum(PAYMENT_STATUSES),
    applicationId: z.int(),
    applicationName: z.string(),
    mode: z.enum(MODES),
    status: z.enum(UNAPPLIED_STATUSES),
    kind: z
      .enum(['LATE', 'OVERPAYMENT'])
      .describe('`OVERPAYMENT` is the part of a payment that exceeds what its invoice was still due.'),
    amountMinor: z.int(),
    feeMinor: z.int(),
    currency: z.string(),
    gateway: z.string(),
    gatewayTxnId: z.string(),
    decision: z
      .object({ decision: z.enum(['refund', 'keep']), awaitsSecondPerson: z.boolean() })
      .nullable()
      .describe('A decision that has not been carried out yet.'),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'UnappliedPaymentDetail' });

export const ManualPaymentsQuery = z.object({
  ...listQuery(['createdAt', 'amountMinor']),
  applicationId: IdText.optional(),
  mode: ModeFilter.optional(),
  status: z.enum(SUBMISSION_STATUSES, 'is not a status of a manual payment').default('WAITING'),
  paymentId: IdText.optional(),
});

export const ManualPayment = z
  .object({
    id: z.int(),
    paymentId: z.int(),
    paymentReference: z.string(),
    paymentStatus: z.enum(PAYMENT_STATUSES),
    applicationId: z.int(),
    applicationName: z.string(),
    mode: z.enum(MODES),
    status: z
      .enum(SUBMISSION_STATUSES)
      .describe(
        '`CORRECTED` means that the payer has since submitted another transaction number. Decide on that one instead.',
      ),
    amountMinor: z.int(),
    currency: z.string(),
    storeId: z.string().describe('The account that the payer was asked to pay into.'),
    code: z.string().describe('The code that the payer was asked to write on the transfer.'),
    transaction: z.string().describe('The transaction number as the payer entered it. It is not proof of payment.'),
    comparedAs: z
      .string()
      .describe(
        'The transaction number reduced to the letters A to Z and digits. Compare this value with the account statement.',
      ),
    sender: z.string().nullable(),
    claimedByOthers: z.int().describe('How many other payments claim the same transaction into the same account.'),
    decision: z
      .object({ decision: z.enum(['confirm', 'reject']), awaitsSecondPerson: z.boolean() })
      .nullable()
      .describe('The decision made.'),
    expiresAt: z.iso.datetime(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'ManualPayment' });

export const ManualDecisionBody = z
  .object({
    decision: z
      .enum(['confirm', 'reject'], 'must be confirm or reject')
      .describe(
        '`confirm` means that exactly this amount has arrived in the account. After `reject` the payer can correct the transaction number.',
      ),
    reason: freeText(500).describe('Why it was rejected. Shown to the payer.'),
  })
  .meta({ id: 'ManualDecision' });

export const UnappliedDecisionBody = z
  .object({ decision: z.enum(['refund', 'keep'], 'must be refund or keep'), reason: freeText(500) })
  .meta({ id: 'UnappliedDecision' });
