import { z } from 'zod';
import { SHOWN_INVOICE_STATUSES } from '../../domain/invoice.ts';
import { MODES } from '../../domain/mode.ts';
import { IdText, text } from '../http/fields.ts';
import { listQuery } from '../http/paging.ts';
import { Invoice } from '../native/invoices/schemas.ts';
import { ClockAhead } from './clock-ahead.ts';
import { ModeFilter } from './filters.ts';

export const InvoicesQuery = z.object({
  ...listQuery(['id']),
  applicationId: IdText.optional(),
  mode: ModeFilter.optional(),
  status: z.enum(SHOWN_INVOICE_STATUSES, 'is not a status of an invoice').optional(),
  customerReference: text(255).optional(),
});

export const InvoiceSummary = z
  .object({
    id: z.int(),
    applicationId: z.int(),
    applicationName: z.string(),
    mode: z.enum(MODES),
    number: z.string().nullable().describe('Null for a draft.'),
    status: z.enum(SHOWN_INVOICE_STATUSES),
    customerReference: z.string(),
    totalMinor: z.int(),
    amountPaidMinor: z.int(),
    currency: z.string(),
    nextDueDate: z.iso.date().nullable(),
    issuedAt: z.iso.datetime().nullable(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'InvoiceSummary' });

export const InvoiceDetail = z
  .object({
    applicationId: z.int(),
    applicationName: z.string(),
    pdfUrl: z.string().nullable().describe('The PDF that the payer may download. Null for a draft.'),
    clockAheadSeconds: ClockAhead,
    invoice: Invoice.omit({ customerEmail: true, customerName: true, customerAddress: true }).meta({
      id: 'OperatorsInvoice',
      description: 'Without the customer’s name, address and email.',
    }),
  })
  .meta({ id: 'InvoiceDetail' });
