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
    customerReference: text(255).describe('Your identifier for the customer; stored and echoed, never interpreted.'),
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
        'Where it may be paid, in the order of the page. Of several that suit currency and amount the payer chooses one; left out, it is what the application’s operators have set, else SSLCOMMERZ.',
      ),
    invoiceId: z
      .int('must be a plain integer')
      .min(1, 'must be greater than 0')
      .optional()
      .describe('Of an issued invoice in the same currency; at most what it still asks for.'),
    returnUrl: z
      .string('must be text')
      .max(2_048, 'must be at most 2048 characters')
      .optional()
      .meta({ format: 'uri' })
      .describe(
        'Where the payer is led back to from the result page. Must be of an origin that is registered for the app, if any is.',
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
    gateway: z.string().nullable().describe('Null until the payer has chosen one.'),
    gatewayTxnId: z.string().nullable(),
    checkoutUrl: z.string().describe('Send the payer here.'),
    redirectUrl: z.string().nullable().describe("The gateway's own page, once its session is open."),
    invoiceId: z.int().nullable(),
    overpaymentMinor: z
      .int()
      .describe('What of a paid payment was more than its invoice still asked for; held apart as unapplied money.'),
    returnUrl: z.string().nullable(),
    expiresAt: z.iso.datetime(),
    review: z
      .object({ reason: z.enum(REVIEW_REASONS), since: z.iso.datetime() })
      .nullable()
      .describe('Set while a person must look at the payment; it stays PENDING meanwhile.'),
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
    failureCode: z.string().nullable().describe('Why it came to nothing; null otherwise.'),
    review: z
      .object({ reason: z.enum(REFUND_REVIEW_REASONS), since: z.iso.datetime() })
      .nullable()
      .describe('Set while a person must find out what became of it; it stays PENDING meanwhile.'),
    createdBy: z.string().describe('`app`, `system`, or `operator:` and a number.'),
    approvedBy: z.string().nullable(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Refund' });

export const UnappliedPayment = z
  .object({
    id: z.int(),
    paymentId: z.int().describe('The payment that the money came for.'),
    paymentReference: z.string(),
    mode: z.enum(MODES),
    reason: z
      .enum(UNAPPLIED_REASONS)
      .describe(
        '`PAYMENT_ENDED`: the payment had ended without it. `ALREADY_PAID`: other money had paid it. `OVERPAYMENT`: its invoice asked for less.',
      ),
    status: z
      .enum(UNAPPLIED_STATUSES)
      .describe('`HELD` until somebody decides; then it goes back (`REFUNDING`, `REFUNDED`) or is yours (`KEPT`).'),
    amountMinor: z.int(),
    currency: z.string(),
    gateway: z.string(),
    gatewayTxnId: z.string(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'UnappliedPayment' });

export const AppMe = z.object({ id: z.int(), name: z.string(), mode: z.enum(MODES) }).meta({ id: 'AppMe' });

export const ListPaymentsQuery = z.object({ customerReference: text(255) });

export const ReceiptQuery = z.object({
  language: z
    .enum(['en', 'bn'], 'must be en or bn')
    .optional()
    .describe('Of the PDF; that of the invoice, else English, unless told.'),
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
    summary: z.string().describe('Where the payment stands, in plain words.'),
    waitingFor: z.enum(['gateway-session', 'payer', 'gateway-answer', 'operator', 'nothing']),
    until: z.iso.datetime().nullable(),
    next: z.string().describe('What happens next, and what makes it happen.'),
    timeline: z.array(z.object({ at: z.iso.datetime(), event: z.string(), detail: z.string().nullable() })),
  })
  .meta({ id: 'Explanation' });
