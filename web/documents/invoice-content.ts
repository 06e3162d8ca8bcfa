import { amountInWords } from '../../domain/amount-in-words.ts';
import { amountText, countText, currencySign, inDigits, moneyText, taxLabel } from '../money-text.ts';
import { dateText } from '../time-text.ts';
import type { Language } from '../language.ts';
import { commonContent, type CommonContent, type Field, type Row } from './content.ts';
import type { DocumentLine, InvoiceDocument } from './document.ts';
import type { Printable } from './printable.ts';
import { documentWordsIn } from './words.ts';

const NOTE_LINES_MAX = 40;

export interface InvoiceContent extends CommonContent {
  readonly heading: string;
  readonly number: string;
  readonly status: { readonly text: string; readonly tone: Tone };
  readonly facts: readonly Field[];
  readonly due: Row | null;
  readonly lines: Table;
  readonly sums: readonly Row[];
  readonly inWords: { readonly label: string; readonly texts: readonly string[] };
  readonly stamp: { readonly text: string; readonly tone: Tone } | null;
  readonly installments: {
    readonly title: string;
    readonly columns: readonly string[];
    readonly rows: readonly InstallmentRow[];
  } | null;
  readonly notes: Field | null;
}

/** The colour of a state, which the text also names. */
type Tone = 'calm' | 'good' | 'bad';

/** The first column is the row's number, the second is text, the others are numbers. */
interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

interface InstallmentRow {
  readonly cells: readonly string[];
  readonly status: { readonly text: string; readonly tone: Tone };
}

const TONES = {
  DRAFT: 'calm',
  ISSUED: 'calm',
  OPEN: 'calm',
  PARTIALLY_PAID: 'calm',
  PAID: 'good',
  VOID: 'bad',
  OVERDUE: 'bad',
} as const satisfies Record<InvoiceDocument['status'] | InvoiceDocument['installments'][number]['status'], Tone>;

/** Stamped across the invoice, so that the recipient cannot miss it. */
const STAMPED: readonly InvoiceDocument['status'][] = ['DRAFT', 'PAID', 'VOID'];

export function invoiceContent(invoice: InvoiceDocument, print: Printable): InvoiceContent {
  const { language, currency, status, totalMinor, dueMinor } = invoice;
  const words = documentWordsIn(language);
  const shown = (amountMinor: bigint): string => moneyText({ amountMinor, currency }, language);
  const number = print.text(invoice.number);
  const state = { text: words.statuses[status], tone: TONES[status] };
  return {
    ...commonContent(
      {
        ...invoice,
        title: `${words.invoice} ${invoice.number}`,
        date: invoice.issueDate,
        url: invoice.payableUrl,
        linkLabel: dueMinor > 0n ? words.scanToPay : words.scanToView,
      },
      print,
    ),
    heading: words.invoice,
    number,
    status: state,
    facts: [
      ...dateField(words.issueDate, invoice.issueDate, language),
      ...dateField(words.dueDate, invoice.dueDate, language),
    ],
    due: dueMinor > 0n ? { label: words.amountDue, value: shown(dueMinor), strong: true } : null,
    lines: linesTable(invoice, print),
    sums: [
      { label: words.subtotal, value: shown(invoice.subtotalMinor), strong: false },
      ...(invoice.discountMinor > 0n
        ? [{ label: words.discount, value: `−${shown(invoice.discountMinor)}`, strong: false }]
        : []),
      ...invoice.taxes.map((tax) => ({
        label: taxLabel(print.text(tax.name), tax.basisPoints, language),
        value: shown(tax.amountMinor),
        strong: false,
      })),
      { label: words.total, value: shown(totalMinor), strong: true },
      ...(invoice.paidMinor > 0n ? [{ label: words.paid, value: shown(invoice.paidMinor), strong: false }] : []),
      ...(invoice.paidMinor > 0n && dueMinor > 0n
        ? [{ label: words.amountDue, value: shown(dueMinor), strong: true }]
        : []),
    ],
    inWords: { label: words.inWords, texts: wordsOf(totalMinor, { currency, language }) },
    stamp: STAMPED.includes(status) ? state : null,
    installments: installmentsTable(invoice),
    notes: invoice.notes === null ? null : { label: words.notes, lines: print.lines(invoice.notes, NOTE_LINES_MAX) },
  };
}

function dateField(label: string, date: string | null, language: Language): Field[] {
  return date === null ? [] : [{ label, lines: [dateText(date, language)] }];
}

/** Returns the table of lines. Columns for discounts and taxes appear only if a line has one. */
function linesTable({ lines, language, currency }: InvoiceDocument, print: Printable): Table {
  const words = documentWordsIn(language);
  const amount = (amountMinor: bigint): string => amountText({ amountMinor, currency }, language);
  const count = (value: bigint): string => countText(value, language);
  const optional: { readonly label: string; readonly cell: (line: DocumentLine) => string; readonly used: boolean }[] =
    [
      {
        label: words.discount,
        cell: ({ discountMinor }) => (discountMinor === 0n ? '' : `−${amount(discountMinor)}`),
        used: lines.some(({ discountMinor }) => discountMinor > 0n),
      },
      {
        label: words.tax,
        cell: ({ taxMinor }) => (taxMinor === 0n ? '' : amount(taxMinor)),
        used: lines.some(({ taxMinor }) => taxMinor > 0n),
      },
    ];
  const used = optional.filter((column) => column.used);
  return {
    columns: [
      '#',
      words.description,
      words.quantity,
      words.unitPrice,
      ...used.map(({ label }) => label),
      `${words.amount} (${currencySign(currency, language)})`,
    ],
    rows: lines.map((line, index) => [
      inDigits(String(index + 1), language),
      print.text(line.description),
      count(line.qty),
      amount(line.unitAmountMinor),
      ...used.map(({ cell }) => cell(line)),
      amount(line.lineTotalMinor),
    ]),
  };
}

function installmentsTable({ installments, language, currency }: InvoiceDocument): InvoiceContent['installments'] {
  if (installments.length === 0) {
    return null;
  }
  const words = documentWordsIn(language);
  const amount = (amountMinor: bigint): string => amountText({ amountMinor, currency }, language);
  return {
    title: words.installments,
    columns: ['#', words.dueDate, words.amount, words.paid, words.status],
    rows: installments.map(({ dueDate, amountMinor, paidMinor, status }, index) => ({
      cells: [
        inDigits(String(index + 1), language),
        dateText(dueDate, language),
        amount(amountMinor),
        amount(paidMinor),
      ],
      status: { text: words.installmentStatuses[status], tone: TONES[status] },
    })),
  };
}

/**
 * Returns the amount in words. Taka amounts appear in the document's language and then in the other one, because both are read in Bangladesh; other
 * currencies in one.
 */
export function wordsOf(
  amountMinor: bigint,
  { currency, language }: { readonly currency: string; readonly language: Language },
): string[] {
  const own = amountInWords({ amountMinor, currency }, language);
  return currency === 'BDT' ? [own, amountInWords({ amountMinor, currency }, language === 'en' ? 'bn' : 'en')] : [own];
}
