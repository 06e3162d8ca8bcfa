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
  Told,
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
      'Pre-fills the checkout. With a test key the sandbox’s numbers decide the outcome.',
    ),
    items: z
      .array(Item, { error: ({ input }) => (input === undefined || input === null ? 'is required' : 'must be a list') })
      .min(1, 'must hold at least one item')
      .max(ITEMS_MAX, `must hold at most ${ITEMS_MAX} items`),
    discount: Amount.nullish().describe('Decimal string, at most the subtotal.'),
    tax: Amount.nullish().describe('Decimal string. Subtotal less discount plus tax is the total, 10 to 200000.'),
    currency: z.literal(CURRENCY, `must be ${CURRENCY}`).nullish(),
    note: lines(2_000).nullish().describe('Shown on the invoice.'),
    expiresAt: At.nullish().describe('In the future, within five years; until then it can be paid. Never unless told.'),
    redirectUrl: text(URL_LENGTH_MAX)
      .nullish()
      .meta({ format: 'uri' })
      .describe('Where the payer goes after the payment; https in live. `paymentId` and `status` are added.'),
    draft: z
      .boolean('must be true or false')
      .nullish()
      .describe('True keeps it as a draft, without a number and not payable, until it is sent.'),
  })
  .meta({ id: 'CreateInvoice' });
export type CreateInvoice = z.infer<typeof CreateInvoice>;

export const Invoice = z
  .object({
    invoiceId: z.string().describe('`sp_inv_` and 22 letters and digits; `pay_` where it was made in another API.'),
    invoiceNumber: z
      .string()
      .nullable()
      .describe('`INV-HB_71c4-00042`; of another form where it was made in another API. Null while it is a draft.'),
    status: z.enum(SHADHINPAY_INVOICE_STATUSES),
    currency: z.string(),
    items: z.array(z.object({ description: z.string(), quantity: z.int(), unitPrice: Decimal, amount: Decimal })),
    subtotal: Decimal,
    discount: Decimal,
    tax: Decimal,
    total: Decimal,
    amountPaid: Decimal,
    customerName: Told,
    customerEmail: Told,
    customerPhone: Told,
    note: Told,
    redirectUrl: Told,
    publicUrl: z.url().nullable().describe('Send it to the customer. Null while it is a draft.'),
    paymentId: z.string().nullable().describe('The last payment that was made for it.'),
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
  from: At.optional().describe('ISO 8601 date-time; what was made then belongs to it.'),
  to: At.optional().describe('ISO 8601 date-time; what was made then belongs to it.'),
  amountMin: AmountBound.optional().describe('Of the total.'),
  amountMax: AmountBound.optional().describe('Of the total.'),
  invoiceNumber: text(60).optional(),
});

export const InvoiceParams = z.object({ invoiceId: z.string() });
