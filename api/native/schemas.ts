import { z } from 'zod';
import { MODES } from '../../domain/mode.ts';
import { PAYMENT_STATUSES, REVIEW_REASONS } from '../../domain/payment.ts';
import { REFUND_REVIEW_REASONS, REFUND_STATUSES } from '../../domain/refund.ts';
import { UNAPPLIED_REASONS, UNAPPLIED_STATUSES } from '../../domain/unapplied-payment.ts';
import { GATEWAY_NAMES } from '../../gateways/registry.ts';
import { Email, freeText, text } from '../http/fields.ts';

export const AmountMinor = z
  .int('must be a plain integer')
  .min(1, 'must be greater than 0')
  .max(Number.MAX_SAFE_INTEGER, 'is too large')
  .describe('Integer in the minor unit of the currency: 10000 is 100.00 BDT.');

export const Currency = z
  .string('must be text')
  .regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code in upper case')
  .default('BDT');

export const CreatePayment = z
  .object({
    amountMinor: AmountMinor,
    customerReference: text(255).describe('Your identifier for the customer. Stored and returned unchanged.'),
    currency: Currency,
    customerEmail: Email.optional(),
    customerPhone: z
      .string('must be text')
      .regex(/^[0-9+() -]{4,20}$/, 'must be 4 to 20 digits, spaces, +, - or parentheses')
      .optional(),
    customerName: freeText(100).optional(),
    productName: freeText(255).optional(),
    gateways: z
      .array(z.enum(GATEWAY_NAMES, `must be one of ${GATEWAY_NAMES.join(', ')}`))
      .min(1, 'must name at least one')
      .max(10, 'must name at most 10')
      .optional()
      .describe(
        'The gateways that the payer may use, in display order. If several support the currency and amount, the payer chooses one. Defaults to the application’s setting, or else to SSLCOMMERZ.',
      ),
    invoiceId: z
      .int('must be a plain integer')
      .min(1, 'must be greater than 0')
      .optional()
      .describe('An issued invoice in the same currency. The amount must not exceed what is still due.'),
    returnUrl: z
      .string('must be text')
      .max(2_048, 'must be at most 2048 characters')
      .optional()
      .meta({ format: 'uri' })
      .describe(
        'The URL to which the result page returns the payer. Its origin must be registered for the application, if any origins are.',
      ),
  })
  .meta({ id: 'CreatePayment' });
export type CreatePayment = z.infer<typeof CreatePayment>;

export const Payment = z
  .object({
    id: z.int(),
    reference: z.string(),
    status: z.enum(PAYMENT_STATUSES),
    applicationId: z.int(),
    mode: z.enum(MODES),
    amountMinor: z.int(),
    currency: z.string(),
    gateway: z.string().nullable().describe('Null until the payer chooses one.'),
    gatewayTxnId: z.string().nullable(),
    checkoutUrl: z.string().describe('Send the payer to this URL.'),
    redirectUrl: z.string().nullable().describe("The gateway's own page. Null until its session is open."),
    invoiceId: z.int().nullable(),
    overpaymentMinor: z
      .int()
      .describe('The part of the payment that exceeded what its invoice was still due. Held as an unapplied payment.'),
    returnUrl: z.string().nullable(),
    expiresAt: z.iso.datetime(),
    review: z
      .object({ reason: z.enum(REVIEW_REASONS), since: z.iso.datetime() })
      .nullable()
      .describe('Set while the payment waits for manual review. It stays PENDING until then.'),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Payment' });

export const CreateRefund = z
  .object({
    amountMinor: AmountMinor,
    reason: freeText(500).optional(),
  })
  .meta({ id: 'CreateRefund' });
export type CreateRefund = z.infer<typeof CreateRefund>;

export const Refund = z
  .object({
    id: z.int(),
    paymentId: z.int(),
    mode: z.enum(MODES),
    amountMinor: z.int(),
    currency: z.string(),
    reason: z.string().nullable(),
    status: z.enum(REFUND_STATUSES),
    gatewayRefundId: z.string().nullable(),
    failureCode: z.string().nullable().describe('Why the refund did not succeed. Null otherwise.'),
    review: z
      .object({ reason: z.enum(REFUND_REVIEW_REASONS), since: z.iso.datetime() })
      .nullable()
      .describe('Set while the refund waits for manual review. It stays PENDING until then.'),
    createdBy: z.string().describe('`app`, `system`, or `operator:` followed by an id.'),
    approvedBy: z.string().nullable(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Refund' });

export const UnappliedPayment = z
  .object({
    id: z.int(),
    paymentId: z.int().describe('The payment that the money was meant for.'),
    paymentReference: z.string(),
    mode: z.enum(MODES),
    reason: z
      .enum(UNAPPLIED_REASONS)
      .describe(
        '`PAYMENT_ENDED`: the payment had already failed, expired or been cancelled. `ALREADY_PAID`: the payment had already been paid. `OVERPAYMENT`: the amount exceeded what the invoice was still due.',
      ),
    status: z
      .enum(UNAPPLIED_STATUSES)
      .describe(
        '`HELD` until an operator decides. The money is then refunded (`REFUNDING`, `REFUNDED`) or kept by you (`KEPT`).',
      ),
    amountMinor: z.int(),
    currency: z.string(),
    gateway: z.string(),
    gatewayTxnId: z.string(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'UnappliedPayment' });

export const Dispute = z
  .object({
    id: z.int(),
    paymentId: z.int(),
    paymentReference: z.string(),
    mode: z.enum(MODES),
    status: z
      .enum(['OPEN', 'WON', 'LOST', 'CLOSED'])
      .describe('`CLOSED`: the dispute ended before money was taken, such as an inquiry that the bank did not pursue.'),
    reason: z.string().nullable().describe('Why the payer disputes the charge, in the gateway’s words.'),
    amountMinor: z.int(),
    currency: z.string(),
    gateway: z.string(),
    gatewayTxnId: z.string().describe('The charge in dispute.'),
    respondBy: z.iso.datetime().nullable().describe('Until when evidence may be submitted at the gateway.'),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Dispute' });

export const AppMe = z.object({ id: z.int(), name: z.string(), mode: z.enum(MODES) }).meta({ id: 'AppMe' });

export const ListPaymentsQuery = z.object({ customerReference: text(255) });

export const ReceiptQuery = z.object({
  language: z
    .enum(['en', 'bn'], 'must be en or bn')
    .optional()
    .describe('The language of the PDF. Defaults to the invoice’s language, or else to English.'),
});

export const Receipt = z
  .object({
    receiptNumber: z.string(),
    paymentId: z.int(),
    reference: z.string(),
    amountMinor: z.int(),
    amountDisplay: z.string(),
    currency: z.string(),
    customerReference: z.string(),
    appName: z.string(),
    gateway: z.string(),
    gatewayTxnId: z.string().nullable(),
    paidAt: z.iso.datetime(),
    refundedMinor: z.int(),
    mode: z.enum(MODES),
  })
  .meta({ id: 'Receipt' });

export const CheckoutParams = z.object({ reference: z.string() });

export const Checkout = z
  .object({
    reference: z.string(),
    status: z.enum(PAYMENT_STATUSES),
    amountMinor: z.int(),
    amountDisplay: z.string(),
    currency: z.string(),
    appName: z.string(),
    gateway: z.string().nullable(),
    gatewayRedirectUrl: z.string().nullable(),
    paidAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Checkout' });

export const Explanation = z
  .object({
    status: z.enum(PAYMENT_STATUSES),
    summary: z.string().describe('A description of the payment’s state.'),
    waitingFor: z
      .enum(['gateway-session', 'payer', 'gateway-answer', 'operator', 'nothing'])
      .describe('Whom the payment or its open refunds wait for. Undelivered events are in `next` only.'),
    until: z.iso.datetime().nullable(),
    next: z.string().describe('What happens next and what triggers it, also for open refunds and undelivered events.'),
    timeline: z.array(z.object({ at: z.iso.datetime(), event: z.string(), detail: z.string().nullable() })),
  })
  .meta({ id: 'Explanation' });
