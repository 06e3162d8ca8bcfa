import { z } from 'zod';
import { PLAN_STEPS } from '../../../domain/installments.ts';
import { SHOWN_INVOICE_STATUSES } from '../../../domain/invoice.ts';
import { INVOICE_ROUNDINGS } from '../../../domain/invoice-totals.ts';
import { MODES } from '../../../domain/mode.ts';
import { PAYMENT_STATUSES } from '../../../domain/payment.ts';
import { isPlainDate } from '../../../domain/plain-date.ts';
import { Email, freeText, lines, text } from '../../http/fields.ts';
import { listQuery } from '../../http/paging.ts';
import { AmountMinor, Currency, Payment } from '../schemas.ts';

export const LINES_MAX = 500;
const TAXES_MAX = 10;
const INSTALLMENTS_MAX = 120;
const REMINDERS_MAX = 5;

const PlainDate = z
  .string('must be text')
  .refine(isPlainDate, 'must be a date, such as 2026-07-01')
  .meta({ format: 'date', pattern: String.raw`^(19[7-9]\d|[2-9]\d{3})-\d\d-\d\d$` });

const NotNegative = z
  .int('must be a plain integer')
  .min(0, 'must not be negative')
  .max(Number.MAX_SAFE_INTEGER, 'is too large');

const BasisPoints = z
  .int('must be a plain integer')
  .min(1, 'must be greater than 0')
  .max(10_000, 'must be at most 10000')
  .describe('In hundredths of a percent: 1500 is 15 %.');

const Discount = z
  .union(
    [z.strictObject({ amountMinor: AmountMinor }), z.strictObject({ basisPoints: BasisPoints })],
    'must have either amountMinor or basisPoints',
  )
  .describe('A fixed amount or a share in basis points.');

const Taxes = z
  .array(z.object({ name: freeText(60), basisPoints: BasisPoints }), 'must be a list')
  .max(TAXES_MAX, `must be at most ${TAXES_MAX}`);

const LineItem = z.object({
  description: freeText(500),
  qty: z.int('must be a plain integer').min(1, 'must be greater than 0').max(1_000_000_000, 'is too large'),
  unitAmountMinor: NotNegative,
  discount: Discount.optional().describe('Applies to this line.'),
  taxes: Taxes.optional().describe('Calculated on the line’s amount after its discount.'),
});

const Installments = z
  .union(
    [
      z
        .array(z.strictObject({ dueDate: PlainDate, amountMinor: AmountMinor }))
        .min(1)
        .max(INSTALLMENTS_MAX),
      z
        .array(z.strictObject({ dueDate: PlainDate, basisPoints: BasisPoints }))
        .min(1)
        .max(INSTALLMENTS_MAX),
    ],
    `must be a list of 1 to ${INSTALLMENTS_MAX} parts, each with a dueDate and either amountMinor or basisPoints, all alike`,
  )
  .describe('The installments in order of due date. They add up to the total.');

const Plan = z
  .strictObject(
    {
      count: z
        .int('must be a plain integer')
        .min(2, 'must be at least 2')
        .max(INSTALLMENTS_MAX, `must be at most ${INSTALLMENTS_MAX}`),
      every: z.enum(PLAN_STEPS, `must be one of ${PLAN_STEPS.join(', ')}`),
      firstDueDate: PlainDate,
    },
    'must be a plan',
  )
  .describe('Equal installments. A remainder is spread over the first ones.');

const days = (least: number, greatest: number) =>
  z
    .array(
      z
        .int('must be a plain integer')
        .min(least, `must be at least ${least}`)
        .max(greatest, `must be at most ${greatest}`),
    )
    .max(REMINDERS_MAX, `must be at most ${REMINDERS_MAX}`)
    .refine((values) => new Set(values).size === values.length, 'must not contain a day twice')
    .meta({ uniqueItems: true });

const Reminders = z.object({
  beforeDays: days(0, 90).optional().describe('Days before each due date. 0 is the due date itself.'),
  overdueDays: days(1, 365).optional().describe('Days after each due date that is still unpaid.'),
});

const CONTENT = {
  customerReference: text(255),
  customerEmail: Email.optional().describe('Reminders are sent to this address if email is configured.'),
  customerName: freeText(100).optional(),
  customerAddress: lines(300).optional(),
  currency: Currency,
  lineItems: z
    .array(LineItem, 'must be a list')
    .min(1, 'must hold at least one line')
    .max(LINES_MAX, `must hold at most ${LINES_MAX} lines`),
  discount: Discount.optional().describe('Applies to the sum of the lines after their own discounts.'),
  taxes: Taxes.optional().describe('Calculated after all discounts, in addition to the taxes of single lines.'),
  rounding: z
    .enum(INVOICE_ROUNDINGS, `must be one of ${INVOICE_ROUNDINGS.join(', ')}`)
    .default('HALF_UP')
    .describe('How shares are rounded to whole minor units.'),
  notes: lines(2_000).optional(),
  language: z.enum(['en', 'bn'], 'must be en or bn').default('en').describe('The language of the PDF and of emails.'),
  dueDate: PlainDate.optional(),
  installments: Installments.optional(),
  plan: Plan.optional(),
  partialPayments: z
    .boolean('must be true or false')
    .default(false)
    .describe('Whether the payer may pay a part of the amount due.'),
  reminders: Reminders.optional(),
};

export const CreateInvoice = z
  .object({
    ...CONTENT,
    issue: z.boolean('must be true or false').default(true).describe('If false, the invoice stays a draft.'),
  })
  .meta({ id: 'CreateInvoice' });
export type CreateInvoice = z.infer<typeof CreateInvoice>;

export const EditInvoice = z.object(CONTENT).meta({ id: 'EditInvoice' });
export type EditInvoice = z.infer<typeof EditInvoice>;

export const DueDates = z
  .object({ dueDate: PlainDate.optional(), installments: Installments.optional(), plan: Plan.optional() })
  .meta({ id: 'DueDates' });
export type DueDates = z.infer<typeof DueDates>;

export const ListInvoicesQuery = z.object({
  ...listQuery(['createdAt']),
  customerReference: text(255).optional(),
  status: z.enum(SHOWN_INVOICE_STATUSES, `must be one of ${SHOWN_INVOICE_STATUSES.join(', ')}`).optional(),
});

const InvoiceLine = z.object({
  id: z.int(),
  description: z.string(),
  qty: z.int(),
  unitAmountMinor: z.int(),
  lineTotalMinor: z.int().describe('qty × unitAmountMinor.'),
  discountMinor: z.int(),
  taxMinor: z.int(),
});

export const Invoice = z
  .object({
    id: z.int(),
    number: z
      .string()
      .nullable()
      .describe('Sequential without gaps within the application and mode. Null while the invoice is a draft.'),
    status: z.enum(SHOWN_INVOICE_STATUSES).describe('`OVERDUE` means that an amount due before today is unpaid.'),
    mode: z.enum(MODES),
    customerReference: z.string(),
    totalMinor: z.int(),
    amountPaidMinor: z.int(),
    amountDueMinor: z.int(),
    currency: z.string(),
    dueDate: z.iso.date().nullable().describe('The date by which the whole amount is due.'),
    issuedAt: z.iso.datetime().nullable(),
    lineItems: z.array(InvoiceLine),
    payments: z.array(Payment).describe('The payments of this invoice.'),
    payableUrl: z.string().nullable().describe('Send the customer to this URL. Null while the invoice is a draft.'),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
    customerEmail: z.string().nullable(),
    customerName: z.string().nullable(),
    customerAddress: z.string().nullable(),
    language: z.enum(['en', 'bn']),
    notes: z.string().nullable(),
    rounding: z.enum(INVOICE_ROUNDINGS),
    subtotalMinor: z.int(),
    discountMinor: z.int(),
    taxMinor: z.int(),
    taxes: z.array(
      z.object({
        name: z.string(),
        basisPoints: z.int().nullable().describe('Null for a fixed amount set through another API.'),
        amountMinor: z.int(),
      }),
    ),
    installments: z.array(
      z.object({
        dueDate: z.iso.date(),
        amountMinor: z.int(),
        amountPaidMinor: z.int(),
        status: z.enum(['OPEN', 'PARTIALLY_PAID', 'PAID', 'OVERDUE']),
      }),
    ),
    nextDueDate: z.iso.date().nullable().describe('The due date of the next unpaid installment.'),
    partialPayments: z.boolean(),
    reminders: z.object({ beforeDays: z.array(z.int()), overdueDays: z.array(z.int()) }),
    pausedAt: z.iso.datetime().nullable().describe('Set while notices are paused.'),
    paidAt: z.iso.datetime().nullable(),
    voidedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Invoice' });

/** An invoice in its events. */
export const InvoiceOfEvent = Invoice.omit({ customerEmail: true, customerName: true, customerAddress: true }).meta({
  id: 'InvoiceOfEvent',
});

/** An invoice with the due date that an event is about. */
export const NoticedInvoice = InvoiceOfEvent.extend({
  notice: z
    .object({ dueDate: z.iso.date(), offsetDays: z.int(), amountMinor: z.int() })
    .describe('The due date that the notice is about, the days before (negative) or after it, and the unpaid amount.'),
}).meta({ id: 'NoticedInvoice' });

export const PayableLink = z.object({ reference: z.string(), checkoutUrl: z.string() }).meta({ id: 'PayableLink' });

const Url = z.string('must be text').max(2_048, 'must be at most 2048 characters').meta({ format: 'uri' });

export const SetTemplate = z
  .object({
    logoUrl: Url.nullish().describe('A PNG or JPEG of at most 1 MB. Lenden fetches it once, now, and stores it.'),
    companyName: freeText(120).nullish(),
    companyAddress: lines(300).nullish(),
    contactDetails: lines(300).nullish(),
    footerNote: lines(500).nullish(),
    accentColor: z
      .string('must be text')
      .regex(/^#[0-9A-Fa-f]{6}$/, 'must be a colour, such as #0b6b4f')
      .nullish(),
  })
  .meta({ id: 'SetInvoiceTemplate' });
export type SetTemplate = z.infer<typeof SetTemplate>;

const BRANDING = {
  logoUrl: z.string().nullable(),
  companyName: z.string().nullable(),
  companyAddress: z.string().nullable(),
  contactDetails: z.string().nullable(),
  footerNote: z.string().nullable(),
  accentColor: z.string().nullable(),
  createdAt: z.iso.datetime().nullable().describe('Null if it was never set.'),
  updatedAt: z.iso.datetime().nullable(),
};

export const Template = z.object(BRANDING).meta({ id: 'InvoiceTemplate' });

export const PayableParams = z.object({ reference: z.string() });

export const PayableInvoice = z
  .object({
    invoiceNumber: z.string(),
    status: z.enum(SHOWN_INVOICE_STATUSES),
    currency: z.string(),
    totalMinor: z.int(),
    amountPaidMinor: z.int(),
    amountDueMinor: z.int(),
    amountDueDisplay: z.string(),
    dueDate: z.iso.date().nullable(),
    lineItems: z.array(InvoiceLine),
    branding: z.object(BRANDING),
    paymentStatus: z
      .enum(PAYMENT_STATUSES)
      .nullable()
      .describe('The status of the newest payment. Null if there is none.'),
    checkoutUrl: z
      .string()
      .nullable()
      .describe('Where to pay: the open checkout or the invoice’s payment page. Null when nothing is due.'),
    requestedMinor: z.int().describe('The amount suggested first: the installments due up to today, or the next one.'),
    nextDueDate: z.iso.date().nullable(),
  })
  .meta({ id: 'PayableInvoice' });
