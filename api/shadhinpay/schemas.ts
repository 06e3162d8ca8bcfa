import { z } from 'zod';
import { MAX_AMOUNT_MINOR, minorFromDecimalText } from '../../domain/money.ts';
import {
  CHECKOUT_MINUTES,
  SHADHINPAY_REFUND_STATUSES,
  SHADHINPAY_STATUSES,
  VALUE_NAMES,
  VENDORS,
} from '../../domain/shadhinpay.ts';
import { Email, holdsCard, mayBeBlank, NO_CARD, oneLine, present, storableInstant, text } from '../http/fields.ts';
import { PAGE_QUERY } from '../http/paging.ts';

export const CURRENCY = 'BDT';
const EXPIRES_IN_MINUTES_MAX = 1_440;
const VALUE_LENGTH_MAX = 500;
/** Leaves room for the query parameters that are added on return. */
export const URL_LENGTH_MAX = 1_900;

/** A required member with the value null counts as missing. */
const REQUIRED = { error: ({ input }: { input?: unknown }) => (input === null ? 'is required' : 'must be text') };

export function required(lengthMax: number) {
  return present(text(lengthMax), REQUIRED);
}

export function requiredLine(lengthMax: number) {
  return present(oneLine(lengthMax), REQUIRED);
}

/** Decimal text with at most two decimal places, never a JSON number. Amounts that are too large pass here and fail the bounds. */
export const Amount = z
  .string({ error: ({ input }) => (input === null ? 'is required' : 'must be a decimal string') })
  .regex(/^\d{1,40}(\.\d{1,2})?$/, 'must be a decimal string, with at most two decimal places')
  .transform(calculable);

/** Above every bound, with few enough digits to compute with. */
const BEYOND_ALL = '999999999999.99';

function calculable(amount: string): string {
  const plain = amount.replace(/^0+(?=\d)/, '');
  return /^\d{13}/.test(plain) ? BEYOND_ALL : plain;
}

export const Phone = z.string('must be text').regex(/^[0-9+() -]{4,30}$/, 'must be a phone number');

const Value = z
  .string('must be text')
  .max(VALUE_LENGTH_MAX, `must be at most ${VALUE_LENGTH_MAX} characters`)
  // Returned exactly as given, including line breaks and tabs: it may be formatted JSON.
  .refine((given) => !/(?![\t\n\r])[\p{Cc}\p{Cs}]/u.test(given), 'must not contain control characters')
  .refine((given) => !holdsCard(given), NO_CARD)
  .meta({ pattern: String.raw`^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*$` })
  .nullish()
  .describe('Your own data. Returned on reads and in webhooks.');

const VALUES = Object.fromEntries(VALUE_NAMES.map((name) => [name, Value])) as Record<
  (typeof VALUE_NAMES)[number],
  typeof Value
>;

const ONE_VENDOR = `must be ${VENDORS.join(' or ')}`;

export const CreatePayment = z
  .object({
    amount: Amount.describe('Decimal string, 10 to 200000.'),
    currency: z.literal(CURRENCY, { error: ({ input }) => (input === null ? 'is required' : `must be ${CURRENCY}`) }),
    merchantTxnId: required(255).describe('Your reference for the order. Must be unique within your business.'),
    callbackUrl: required(URL_LENGTH_MAX)
      .meta({ format: 'uri' })
      .describe(
        'Where the payer goes after the payment. Must be https in live mode. `paymentId`, `merchantTxnId` and `status` are appended.',
      ),
    preferredVendor: mayBeBlank(z.enum(VENDORS, ONE_VENDOR)).describe('Sends the payer directly to this vendor.'),
    customerPhone: mayBeBlank(Phone).describe('With a test key, the sandbox’s test numbers determine the outcome.'),
    customerEmail: mayBeBlank(Email.meta({ format: 'email' })),
    description: mayBeBlank(oneLine(500)).describe('Shown on the checkout page.'),
    ...VALUES,
    expiresInMinutes: z
      .int('must be a whole number')
      .min(1, 'must be at least 1')
      .max(EXPIRES_IN_MINUTES_MAX, `must be at most ${EXPIRES_IN_MINUTES_MAX}`)
      .nullish()
      .describe(`How many minutes the payer has to pay. Defaults to ${CHECKOUT_MINUTES}.`),
    isSandbox: z
      .boolean('must be true or false')
      .nullish()
      .describe('If given, must match the key: true for a test key, false for a live key.'),
  })
  .meta({ id: 'CreatePayment' });
export type CreatePayment = z.infer<typeof CreatePayment>;

export const CreateRefund = z
  .object({
    amount: Amount.refine((given) => !/^0*(\.0*)?$/.test(given), 'must be greater than 0')
      .nullish()
      .describe('Defaults to everything that is left to refund.'),
    reason: requiredLine(500),
    merchantRef: mayBeBlank(text(255)).describe('Your reference for the refund.'),
  })
  .meta({ id: 'CreateRefund' });
export type CreateRefund = z.infer<typeof CreateRefund>;

export const Instant = z.iso.datetime();
export const Decimal = z.string().meta({ pattern: String.raw`^\d+(\.\d+)?$` });
export const OptionalText = z.string().optional();

const PAYMENT_ID = z
  .string()
  .describe('`PAY_`, the date and six characters. The format differs if it was created through another API.');

export const Payment = z
  .object({
    paymentId: PAYMENT_ID,
    merchantTxnId: z.string().nullable(),
    amount: Decimal,
    currency: z.string(),
    status: z.enum(SHADHINPAY_STATUSES),
    vendor: z
      .string()
      .nullable()
      .describe(
        '`BKASH` or `NAGAD`. Null until the payer chooses. Another value if the payment was created through another API.',
      ),
    paymentUrl: z.url().describe('Send the payer to this URL.'),
    description: OptionalText,
    refundTotal: Decimal,
    initiatedAt: Instant,
    completedAt: Instant.nullable(),
    expiresAt: Instant,
    valueA: OptionalText,
    valueB: OptionalText,
    valueC: OptionalText,
    valueD: OptionalText,
  })
  .meta({ id: 'Payment' });

export const Refund = z
  .object({
    refundId: z
      .string()
      .describe('`REF_`, the date and six characters. The format differs if it was created through another API.'),
    paymentId: PAYMENT_ID,
    amount: Decimal,
    currency: z.string(),
    status: z.enum(SHADHINPAY_REFUND_STATUSES),
    reason: OptionalText,
    merchantRef: OptionalText,
    initiatedAt: Instant,
    completedAt: Instant.nullable(),
  })
  .meta({ id: 'Refund' });

/** Returns the schema of `{status, message, data}`. */
export function good<Data extends z.ZodType>(data: Data) {
  return z.object({ status: z.literal('success'), message: z.string().optional(), data });
}

export const Pagination = z
  .object({ page: z.int(), size: z.int(), totalElements: z.int(), totalPages: z.int() })
  .meta({ id: 'Pagination' });

const Summary = z
  .object({ successCount: z.int(), failedCount: z.int(), totalAmount: Decimal })
  .meta({ id: 'Summary' })
  .describe('Totals of all payments that match the filter. Omitted if there are very many.');

export const Payments = good(z.array(Payment)).extend({ pagination: Pagination, summary: Summary.optional() });
export const Refunds = good(z.array(Refund)).extend({ pagination: Pagination });

export const AmountBound = z
  .string()
  .regex(/^\d{1,12}(\.\d{1,2})?$/, 'must be a decimal number')
  .transform((given) => minorFromDecimalText(given, CURRENCY, 'exact') ?? MAX_AMOUNT_MINOR)
  .meta({ type: 'string', pattern: String.raw`^\d{1,12}(\.\d{1,2})?$` });

export const At = z.iso
  .datetime({ offset: true, error: 'must be an ISO 8601 date-time, such as 2026-05-17T10:00:00Z' })
  .transform((given) => storableInstant(Date.parse(given)));

export const PaymentsQuery = z.object({
  ...PAGE_QUERY,
  status: z.enum(SHADHINPAY_STATUSES, `must be one of ${SHADHINPAY_STATUSES.join(', ')}`).optional(),
  vendor: z.enum(VENDORS, ONE_VENDOR).optional(),
  from: At.optional().describe('ISO 8601 date-time, inclusive.'),
  to: At.optional().describe('ISO 8601 date-time, inclusive.'),
  amountMin: AmountBound.optional(),
  amountMax: AmountBound.optional(),
  merchantTxnId: text(255).optional(),
});

export const RefundsQuery = z.object(PAGE_QUERY);
export const PaymentParams = z.object({ paymentId: z.string() });
export const RefundParams = z.object({ refundId: z.string() });
