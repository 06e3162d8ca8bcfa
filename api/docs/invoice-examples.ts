import { planned } from '../../domain/installments.ts';
import type { InvoiceStatus } from '../../domain/invoice.ts';
import { NO_REMINDERS } from '../../domain/invoice-notices.ts';
import { totalsOf } from '../../domain/invoice-totals.ts';
import { invoiceEventView, invoiceView } from '../../domain/invoice-view.ts';
import type { Json } from '../http/openapi/schemas.ts';

const REFERENCE = 'pay_7kQm2VbXc4TzLw9RfNs3Hd';
const WEB_URL = 'http://localhost:3000';

const lines = [
  { description: 'Setup fee', qty: 1n, unitAmountMinor: 50_000n, discount: null, taxes: [] },
  { description: 'Monthly plan', qty: 2n, unitAmountMinor: 25_000n, discount: null, taxes: [] },
];
const totals = totalsOf({ lines, discount: null, taxes: [], rounding: 'HALF_UP' });
const installments = planned(totals.totalMinor, { count: 2, every: 'MONTH', firstDueDate: '2026-07-01' });

/** Returns the sample invoice with two installments. It uses the code that renders responses, so it cannot become outdated. */
function shown(status: InvoiceStatus, paidMinor: bigint) {
  const at = new Date('2026-06-04T10:00:01.000Z');
  return invoiceView(
    {
      id: 12n,
      applicationId: 42n,
      mode: 'TEST',
      reference: REFERENCE,
      status,
      number: 42n,
      numberLabel: null,
      currency: 'BDT',
      customerReference: 'cust_123',
      customerEmail: 'jane@example.com',
      customerName: null,
      customerAddress: null,
      language: 'en',
      notes: null,
      rounding: 'HALF_UP',
      taxTotals: totals.taxes,
      subtotalMinor: totals.subtotalMinor,
      discountMinor: totals.discountMinor,
      taxMinor: totals.taxMinor,
      totalMinor: totals.totalMinor,
      paidMinor,
      dueDate: '2026-08-01',
      nextDueDate: status === 'ISSUED' ? '2026-07-01' : null,
      installments,
      partialPayments: false,
      reminders: NO_REMINDERS,
      pausedAt: null,
      issuedAt: at,
      paidAt: status === 'PAID' ? new Date('2026-06-20T08:30:00.000Z') : null,
      voidedAt: status === 'VOID' ? new Date('2026-06-20T08:30:00.000Z') : null,
      createdAt: at,
      updatedAt: at,
      lines: lines.map((line, index) => ({
        id: BigInt(31 + index),
        ...line,
        ...(totals.lines[index] ?? { lineTotalMinor: 0n, discountMinor: 0n, taxMinor: 0n }),
      })),
    },
    { webUrl: WEB_URL, today: '2026-06-04', payments: [] },
  );
}

const invoice = shown('ISSUED', 0n);
/** As operators see it: without the customer's contact. */
const { customerEmail: _email, customerName: _name, customerAddress: _address, ...inView } = invoice;
const template = {
  logoUrl: 'https://shop.example/logo.png',
  companyName: 'Rupali Books',
  companyAddress: '14/2 Nilkhet Road\nDhaka 1205',
  contactDetails: 'accounts@shop.example',
  footerNote: 'Thank you.',
  accentColor: '#0b6b4f',
};
const times = { createdAt: '2026-06-01T09:00:00.000Z', updatedAt: '2026-06-01T09:00:00.000Z' };

/** Returns an invoice as one of its events shows it. */
export function invoiceEventExample(status: string): Json {
  switch (status) {
    case 'PAID':
      return invoiceEventView(shown('PAID', totals.totalMinor));
    case 'VOID':
      return invoiceEventView(shown('VOID', 0n));
    case 'OVERDUE':
    case 'REMINDER':
      return {
        ...invoiceEventView(invoice),
        status: status === 'OVERDUE' ? 'OVERDUE' : 'ISSUED',
        notice: { dueDate: '2026-07-01', offsetDays: status === 'OVERDUE' ? 1 : -3, amountMinor: 50_000 },
      };
    default:
      return invoiceEventView(invoice);
  }
}

const content = {
  customerReference: 'cust_123',
  customerEmail: 'jane@example.com',
  currency: 'BDT',
  lineItems: [
    { description: 'Setup fee', qty: 1, unitAmountMinor: 50_000 },
    { description: 'Monthly plan', qty: 2, unitAmountMinor: 25_000 },
  ],
};

/** Examples of the named invoice schemas. A test checks that each matches its schema. */
export const INVOICE_EXAMPLES: Readonly<Record<string, Json>> = {
  CreateInvoice: {
    ...content,
    plan: { count: 2, every: 'MONTH', firstDueDate: '2026-07-01' },
    reminders: { beforeDays: [3], overdueDays: [7] },
  },
  EditInvoice: { ...content, dueDate: '2026-07-01' },
  DueDates: { dueDate: '2026-08-15' },
  Invoice: invoice,
  OperatorsInvoice: inView,
  InvoiceDetail: {
    applicationId: 42,
    applicationName: 'Rupali Books',
    pdfUrl: `${WEB_URL}/pay/${REFERENCE}/pdf`,
    clockAheadSeconds: 0,
    invoice: inView,
  },
  InvoiceSummary: {
    id: invoice.id,
    applicationId: 42,
    applicationName: 'Rupali Books',
    mode: invoice.mode,
    number: invoice.number,
    status: invoice.status,
    customerReference: invoice.customerReference,
    totalMinor: invoice.totalMinor,
    amountPaidMinor: invoice.amountPaidMinor,
    currency: invoice.currency,
    nextDueDate: invoice.nextDueDate,
    issuedAt: invoice.issuedAt,
    createdAt: invoice.createdAt,
  },
  InvoiceOfEvent: invoiceEventExample('ISSUED'),
  NoticedInvoice: invoiceEventExample('REMINDER'),
  PayableLink: { reference: REFERENCE, checkoutUrl: `${WEB_URL}/pay/${REFERENCE}` },
  SetInvoiceTemplate: template,
  InvoiceTemplate: { ...template, ...times },
  PayableInvoice: {
    invoiceNumber: 'INV-000042',
    status: 'ISSUED',
    currency: 'BDT',
    totalMinor: 100_000,
    amountPaidMinor: 0,
    amountDueMinor: 100_000,
    amountDueDisplay: '1000.00',
    dueDate: '2026-08-01',
    lineItems: [
      {
        id: 31,
        description: 'Setup fee',
        qty: 1,
        unitAmountMinor: 50_000,
        lineTotalMinor: 50_000,
        discountMinor: 0,
        taxMinor: 0,
      },
    ],
    branding: { ...template, ...times },
    paymentStatus: null,
    checkoutUrl: `${WEB_URL}/pay/${REFERENCE}`,
    requestedMinor: 50_000,
    nextDueDate: '2026-07-01',
  },
};
