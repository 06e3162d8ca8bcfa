import { moneyText } from '../money-text.ts';
import { momentText } from '../time-text.ts';
import { commonContent, type CommonContent, type Field, type Row } from './content.ts';
import type { ReceiptDocument } from './document.ts';
import { wordsOf } from './invoice-content.ts';
import type { Printable } from './printable.ts';
import { documentWordsIn } from './words.ts';

export interface ReceiptContent extends CommonContent {
  readonly heading: string;
  readonly number: string;
  readonly amount: Row;
  readonly inWords: { readonly label: string; readonly texts: readonly string[] };
  readonly facts: readonly Field[];
  readonly sums: readonly Row[];
  readonly stamp: string;
}

export function receiptContent(receipt: ReceiptDocument, print: Printable): ReceiptContent {
  const { language, currency, amountMinor, refundedMinor, invoice } = receipt;
  const words = documentWordsIn(language);
  const shown = (minor: bigint): string => moneyText({ amountMinor: minor, currency }, language);
  const field = (label: string, text: string | null): Field[] =>
    text === null || print.text(text) === '' ? [] : [{ label, lines: [print.text(text)] }];
  const sum = (label: string, minor: bigint): Row => ({ label, value: shown(minor), strong: false });
  return {
    ...commonContent(
      {
        ...receipt,
        title: `${words.receipt} ${receipt.number}`,
        date: receipt.paidAt.toISOString().slice(0, 10),
        url: receipt.url,
        linkLabel: words.scanToView,
      },
      print,
    ),
    heading: words.receipt,
    number: print.text(receipt.number),
    amount: { label: words.amountPaid, value: shown(amountMinor), strong: true },
    inWords: { label: words.inWords, texts: wordsOf(amountMinor, { currency, language }) },
    facts: [
      ...field(words.paidAt, momentText(receipt.paidAt, language, receipt.timeZone)),
      ...field(words.paidThrough, receipt.gatewayName),
      ...field(words.transaction, receipt.gatewayTransactionId),
      ...field(words.payment, receipt.paymentReference),
      ...field(words.invoice, invoice?.number ?? null),
      ...field(words.paidFor, receipt.description),
    ],
    sums: [
      ...(refundedMinor > 0n ? [sum(words.refunded, refundedMinor), sum(words.kept, amountMinor - refundedMinor)] : []),
      ...(invoice === null
        ? []
        : [
            sum(words.invoiceTotal, invoice.totalMinor),
            sum(words.paidOfInvoice, invoice.paidMinor),
            sum(words.amountDue, invoice.dueMinor),
          ]),
    ],
    stamp: refundedMinor >= amountMinor ? words.refunded : words.statuses.PAID,
  };
}
