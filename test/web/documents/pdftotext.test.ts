import { afterAll, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { toDecimalText } from '../../../domain/money.ts';
import { amountInWords } from '../../../domain/amount-in-words.ts';
import type { InvoiceDocument } from '../../../web/documents/document.ts';
import { closePress, renderInvoice } from '../../../web/documents/render.ts';
import { amountText } from '../../../web/money-text.ts';
import { dateText } from '../../../web/time-text.ts';
import { banglaInvoice, installmentsInvoice, shortInvoice } from './examples.ts';

afterAll(() => closePress());

/** Returns the text that poppler reads, without spaces, because readers place spaces differently. Needs Debian's poppler-utils. */
async function textOf(invoice: InvoiceDocument): Promise<string> {
  const text = execFileSync('pdftotext', ['-raw', '-', '-'], { input: await renderInvoice(invoice) }).toString();
  return bare(text);
}

const bare = (text: string): string => text.normalize('NFC').replaceAll(/[\s\u200b]/g, '');

describe('what another program reads from an invoice', () => {
  // A customer who searches, copies or listens to an invoice must get exactly what was billed.
  test.each([
    ['short', shortInvoice],
    ['with installments', installmentsInvoice],
    ['in Bangla', banglaInvoice],
  ])('%s is what its data say', async (_name, invoice) => {
    const { language, currency } = invoice;
    const text = await textOf(invoice);
    const amount = (amountMinor: bigint): string => amountText({ amountMinor, currency }, language);
    const wanted = [
      invoice.number,
      invoice.branding.companyName,
      ...(invoice.branding.companyAddress ?? '').split('\n'),
      invoice.customer.name ?? '',
      ...(invoice.customer.address ?? '').split('\n'),
      ...(invoice.notes ?? '').split('\n'),
      ...[invoice.issueDate, invoice.dueDate].map((date) => dateText(date ?? '', language)),
      ...[invoice.subtotalMinor, invoice.totalMinor, invoice.paidMinor].map(amount),
      ...(invoice.dueMinor === 0n ? [] : [amount(invoice.dueMinor)]),
      ...invoice.taxes.flatMap((tax) => [tax.name, amount(tax.amountMinor)]),
      ...invoice.lines.flatMap((line) => [line.description, amount(line.unitAmountMinor), amount(line.lineTotalMinor)]),
      ...invoice.installments.flatMap(({ dueDate, amountMinor }) => [dateText(dueDate, language), amount(amountMinor)]),
      amountInWords({ amountMinor: invoice.totalMinor, currency }, 'en'),
      amountInWords({ amountMinor: invoice.totalMinor, currency }, 'bn'),
    ];
    expect(wanted.filter((part) => !text.includes(bare(part)))).toEqual([]);
    expect(wanted.length).toBeGreaterThan(20);
  });

  // Shows that the check above can fail.
  test('is not what its data do not say', async () => {
    const text = await textOf(shortInvoice);
    const off = toDecimalText({ amountMinor: shortInvoice.totalMinor + 1n, currency: 'BDT' });
    expect(text).not.toContain(off);
    expect(text).not.toContain(bare('Desk lamp without dimmer'));
  });
});
