import { z } from 'zod';
import { SHADHINPAY_INVOICE_STATUSES } from '../../domain/shadhinpay-invoice.ts';
import { Email, freeText, lines, text } from '../http/fields.ts';
import { PAGE_QUERY } from '../http/paging.ts';
import {
  Amount,
  AmountBound,
  At,
  CURRENCY,
  Decimal,
  good,
  Instant,
  Pagination,
  Phone,
  requiredLine,
  OptionalText,
  URL_LENGTH_MAX,
} from './schemas.ts';

const ITEMS_MAX = 200;
const QUANTITY_MAX = 1_000_000;

const Item = z.object({
  description: requiredLine(500),
  quantity: z
    .int({ error: ({ input }) => (input === undefined || input === null ? 'is required' : 'must be a plain integer') })
    .min(1, 'must be greater than 0')
    .max(QUANTITY_MAX, `must be at most ${QUANTITY_MAX}`),
  unitPrice: Amount.describe('Decimal string, 0 or more.'),
});

export const CreateInvoice = z
  .object({
    customerName: freeText(100).nullish(),
    customerEmail: Email.nullish().meta({ format: 'email' }),
    customerPhone: Phone.nullish().describe(
      'Pre-fills the checkout. With a test key, the sandbox’s test numbers determine the outcome.',
    ),
    items: z
      .array(Item, { error: ({ input }) => (input === undefined || input === null ? 'is required' : 'must be a list') })
      .min(1, 'must hold at least one item')
      .max(ITEMS_MAX, `must hold at most ${ITEMS_MAX} items`),
    discount: Amount.nullish().describe('Decimal string. At most the subtotal.'),
    tax: Amount.nullish().describe(
      'Decimal string. The total is the subtotal minus the discount plus the tax, and must be 10 to 200000.',
    ),
    currency: z.literal(CURRENCY, `must be ${CURRENCY}`).nullish(),
    note: lines(2_000).nullish().describe('Shown on the invoice.'),
    expiresAt: At.nullish().describe(
      'When the invoice stops being payable. Must be in the future and within five years. By default it never expires.',
    ),
    redirectUrl: text(URL_LENGTH_MAX)
      .nullish()
      .meta({ format: 'uri' })
      .describe(
        'Where the payer goes after the payment. Must be https in live mode. `paymentId` and `status` are appended.',
      ),
    draft: z
      .boolean('must be true or false')
      .nullish()
      .describe('If true, the invoice stays a draft, without a number and not payable, until it is sent.'),
  })
  .meta({ id: 'CreateInvoice' });
export type CreateInvoice = z.infer<typeof CreateInvoice>;

export const Invoice = z
  .object({
    invoiceId: z
      .string()
      .describe('`sp_inv_` followed by 22 letters and digits, or `pay_…` if it was created through another API.'),
    invoiceNumber: z
      .string()
      .nullable()
      .describe(
        'Such as `INV-HB_71c4-00042`. The format differs if it was created through another API. Null while the invoice is a draft.',
      ),
    status: z.enum(SHADHINPAY_INVOICE_STATUSES),
    currency: z.string(),
    items: z.array(z.object({ description: z.string(), quantity: z.int(), unitPrice: Decimal, amount: Decimal })),
    subtotal: Decimal,
    discount: Decimal,
    tax: Decimal,
    total: Decimal,
    amountPaid: Decimal,
    customerName: OptionalText,
    customerEmail: OptionalText,
    customerPhone: OptionalText,
    note: OptionalText,
    redirectUrl: OptionalText,
    publicUrl: z.url().nullable().describe('Send this URL to the customer. Null while the invoice is a draft.'),
    paymentId: z.string().nullable().describe('The most recent payment of the invoice.'),
    createdAt: Instant,
    sentAt: Instant.nullable(),
    paidAt: Instant.nullable(),
    expiresAt: Instant.nullable(),
  })
  .meta({ id: 'Invoice' });

export const OneInvoice = good(Invoice);
export const Invoices = good(z.array(Invoice)).extend({ pagination: Pagination });

export const InvoicesQuery = z.object({
  ...PAGE_QUERY,
  status: z.enum(SHADHINPAY_INVOICE_STATUSES, `must be one of ${SHADHINPAY_INVOICE_STATUSES.join(', ')}`).optional(),
  from: At.optional().describe('ISO 8601 date-time, inclusive.'),
  to: At.optional().describe('ISO 8601 date-time, inclusive.'),
  amountMin: AmountBound.optional().describe('Compared with the total.'),
  amountMax: AmountBound.optional().describe('Compared with the total.'),
  invoiceNumber: text(60).optional(),
});

export const InvoiceParams = z.object({ invoiceId: z.string() });
