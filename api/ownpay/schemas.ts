import { z } from 'zod';
import { isCurrency } from '../../domain/currency.ts';
import { SHOWN_REFUND_STATUSES } from './views.ts';
import { OWNPAY_STATUSES } from '../../domain/ownpay.ts';
import { writeJson, type ExactJson } from '../../domain/exact-json.ts';
import { Email, EMPTY_LIST, holdsCard, mayBeBlank, NO_CARD, oneLine, present, text } from '../http/fields.ts';

/** OwnPay's own code treats an absent member, null and an empty text alike. */
const REQUIRED = { error: ({ input }: { input?: unknown }) => (input === null ? 'is required' : 'must be a string') };
export const PAGE_MAX = 10_000;
export const PER_PAGE_MAX = 100;
const METADATA_LENGTH_MAX = 16_384;
/** Leaves room for the query parameters that are added on return. */
const URL_LENGTH_MAX = 1_900;

function required(lengthMax: number) {
  return present(text(lengthMax), REQUIRED);
}

/** The text of a JSON number, so that an amount never becomes a float. */
const AmountIn = z
  .unknown()
  .refine((given) => typeof given === 'number' || typeof given === 'symbol', {
    error: ({ input }) => (input === null ? 'is required' : 'must be a number'),
  })
  .transform((given) => (typeof given === 'symbol' ? (given.description ?? '') : String(given)))
  .meta({ type: 'number', exclusiveMinimum: 0 });

/** A number literal with all decimal places of the currency. */
const AmountOut = z
  .unknown()
  .refine((given) => typeof given === 'symbol')
  .meta({ type: 'number' });

const Metadata = z
  .record(z.string(), z.unknown(), 'must be an object')
  .refine(
    (given) => writeJson(given as ExactJson).length <= METADATA_LENGTH_MAX,
    'must be at most 16384 characters of JSON',
  )
  .refine((given) => !holdsCard(given), NO_CARD)
  .transform((given) => writeJson(given as ExactJson))
  .meta({ type: 'object' });

const Url = text(URL_LENGTH_MAX).meta({ format: 'uri' });

const NAME_LENGTH_MAX = 150;
const PHONE_LENGTH_MAX = 30;
/** The length limit of values that are truncated. */
const CUT_LENGTH_MAX = 1_000;

/** Truncates between characters, never within one. */
const CustomerName = oneLine(CUT_LENGTH_MAX).transform((given) => [...given.trim()].slice(0, NAME_LENGTH_MAX).join(''));

/** Keeps the characters that can be dialled; null if none are left. */
const CustomerPhone = z
  .string('must be a string')
  .max(CUT_LENGTH_MAX, `must be at most ${CUT_LENGTH_MAX} characters`)
  .transform((given) => given.replace(/[^0-9+() -]/g, '').slice(0, PHONE_LENGTH_MAX))
  .transform((kept) => (/[0-9]/.test(kept) ? kept : null));

export const CreateIntent = z
  .object({
    gateway: required(64).describe('Slug of the gateway, such as `sslcommerz`.'),
    amount: AmountIn.describe('Decimal, with at most the decimal places of the currency.'),
    currency: z
      .string(REQUIRED)
      .regex(/^[A-Za-z]{3}$/, { error: 'Invalid currency code.', abort: true })
      .refine((code) => isCurrency(code.toUpperCase()), 'Invalid currency code.')
      .describe('ISO 4217.'),
    order_id: required(255).describe('Your reference for the order. It does not have to be unique.'),
    customer_name: present(CustomerName, REQUIRED).describe(`Truncated to ${NAME_LENGTH_MAX} characters.`),
    customer_email: present(Email, REQUIRED),
    customer_phone: mayBeBlank(CustomerPhone).describe(
      `Only digits, +, -, spaces and parentheses are kept, at most ${PHONE_LENGTH_MAX} of them.`,
    ),
    description: mayBeBlank(oneLine(500)).describe('Shown on the checkout page.'),
    return_url: present(Url, REQUIRED).describe('Where the payer goes after the payment.'),
    cancel_url: mayBeBlank(Url).describe('Where the payer goes when nothing was paid. Defaults to `return_url`.'),
    metadata: mayBeBlank(Metadata, EMPTY_LIST).describe('Stored with the transaction.'),
  })
  .meta({ id: 'CreatePaymentIntent' });
export type CreateIntent = z.infer<typeof CreateIntent>;

const Success = { success: z.literal(true) };
const Instant = z.iso.datetime();
const TransactionId = z
  .string()
  .describe('`txn_` followed by 16 hexadecimal digits. The format differs if it was created through another API.');

export const CreatedIntent = z
  .object({
    ...Success,
    transaction_id: TransactionId,
    payment_url: z.url().describe('Send the payer to this URL.'),
    status: z.literal('pending'),
    expires_at: Instant,
  })
  .meta({ id: 'CreatedPaymentIntent' });

const Status = z.enum(OWNPAY_STATUSES);

export const Intent = z
  .object({
    ...Success,
    transaction_id: TransactionId,
    payment_url: z.url(),
    status: Status,
    expires_at: Instant,
    gateway: z.string().nullable(),
    gateway_trx_id: z.string().nullable(),
    amount: AmountOut,
    currency: z.string(),
    order_id: z.string().nullable(),
    customer_name: z.string().nullable(),
    customer_email: z.string().nullable(),
    customer_phone: z.string().nullable(),
    description: z.string().nullable(),
    return_url: z.string().nullable(),
    cancel_url: z.string().nullable(),
    metadata: z.unknown().meta({ type: ['object', 'null'] }),
    created_at: Instant,
    updated_at: Instant,
    paid_at: Instant.nullable(),
  })
  .meta({ id: 'PaymentIntent' });

const TRANSACTION = {
  transaction_id: TransactionId,
  gateway_trx_id: z.string().nullable(),
  order_id: z.string().nullable(),
  amount: AmountOut,
  currency: z.string(),
  fee: AmountOut.nullable().describe('Null until it is paid.'),
  net_amount: AmountOut.nullable(),
  refunded_amount: AmountOut,
  status: Status,
  gateway: z.string().nullable(),
  method: z.enum(['api', 'invoice']),
  created_at: Instant,
  updated_at: Instant,
  paid_at: Instant.nullable(),
} as const;

export const Transaction = z.object({ ...Success, ...TRANSACTION }).meta({ id: 'Transaction' });

const REFUND = {
  id: z.int(),
  refund_id: z.string(),
  transaction_id: TransactionId,
  gateway_trx_id: z.string().nullable(),
  amount: AmountOut,
  currency: z.string(),
  reason: z.string().nullable(),
  status: z.enum(SHOWN_REFUND_STATUSES),
  processed_at: Instant.nullable(),
  created_at: Instant,
} as const;

export const Refund = z.object({ ...Success, ...REFUND }).meta({ id: 'Refund' });

export const CreateRefund = z
  .object({
    transaction_id: mayBeBlank(text(64)).describe('The transaction to refund. Required unless `trx_id` is given.'),
    trx_id: mayBeBlank(text(64)),
    amount: AmountIn.nullish().describe('Defaults to everything that is left to refund.'),
    reason: mayBeBlank(oneLine(500)),
  })
  .meta({ id: 'CreateRefund' });
export type CreateRefund = z.infer<typeof CreateRefund>;

function whole(greatest: number) {
  return z
    .string()
    .regex(/^[1-9]\d{0,6}$/, 'must be a positive integer')
    .transform(Number)
    .refine((value) => value <= greatest, `must be at most ${greatest}`)
    .meta({ type: 'integer', minimum: 1, maximum: greatest });
}

const Day = z.iso.date('must be a date as YYYY-MM-DD');

const LIST_QUERY = {
  page: whole(PAGE_MAX).optional().describe('Starts at 1.'),
  per_page: whole(PER_PAGE_MAX).optional().describe('Defaults to 25.'),
  from: Day.optional().describe('First day, in Dhaka time.'),
  to: Day.optional().describe('Last day, in Dhaka time.'),
} as const;
export interface ListQuery {
  readonly page?: number | undefined;
  readonly per_page?: number | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

export const TransactionsQuery = z.object({
  ...LIST_QUERY,
  status: z.enum(OWNPAY_STATUSES, `must be one of ${OWNPAY_STATUSES.join(', ')}`).optional(),
  gateway: text(64).optional(),
});

export const RefundsQuery = z.object({
  ...LIST_QUERY,
  status: z.enum(SHOWN_REFUND_STATUSES, `must be one of ${SHOWN_REFUND_STATUSES.join(', ')}`).optional(),
  transaction_id: text(64).optional(),
  trx_id: text(64).optional(),
});

const Meta = z
  .object({ page: z.int(), per_page: z.int(), total: z.int(), total_pages: z.int() })
  .meta({ id: 'PageMeta' });

export const Transactions = z
  .object({ ...Success, data: z.array(z.object(TRANSACTION).meta({ id: 'ListedTransaction' })), meta: Meta })
  .meta({ id: 'Transactions' });

export const Refunds = z
  .object({ ...Success, data: z.array(z.object(REFUND).meta({ id: 'ListedRefund' })), meta: Meta })
  .meta({ id: 'Refunds' });

export const TransactionParams = z.object({ id: z.string() });
