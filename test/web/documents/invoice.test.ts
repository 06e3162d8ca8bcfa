import { afterAll, describe, expect, test } from '@jest/globals';
import { decodeQR } from 'qr/decode.js';
import { amountInWords } from '../../../domain/amount-in-words.ts';
import type { InvoiceDocument } from '../../../web/documents/document.ts';
import { closePress, renderInvoice, renderReceipt } from '../../../web/documents/render.ts';
import { banglaInvoice, installmentsInvoice, receipt, shortInvoice } from './examples.ts';
import { drawnPage, glyphCount, readPdf } from './read-pdf.ts';

afterAll(closePress);

const read = async (invoice: InvoiceDocument) => readPdf(await renderInvoice(invoice));
/** Undoes line breaks, which may be between words and after a hyphen. */
const flat = (text: string): string => text.replace(/\s+/g, ' ').replace(/(?<=[a-z])- /g, '-');

describe('a short invoice', () => {
  test('says what it was given, and nothing else in figures', async () => {
    // A customer must read exactly what the application billed.
    const { pages } = await read(shortInvoice);
    const text = flat(pages.join('\n'));
    for (const part of [
      'Rupali Books & Stationery',
      '14/2 Nilkhet Road Dhaka 1205, Bangladesh',
      'accounts@rupali.example · +880 1700 000000',
      'Invoice INV-000042 Paid',
      'Billed to Nusrat Jahan House 7, Road 11 Dhanmondi, Dhaka 1209 Reference: cust_8123',
      'Issued 21 November 2026 Due 5 December 2026',
      '# Description Qty Unit price Amount (BDT)',
      '1 Three novels, hard cover 3 1,250.00 3,750.00',
      '2 Desk lamp with dimmer 1 3,450.50 3,450.50',
      '3 Delivery within Dhaka 1 120.00 120.00',
      'Subtotal BDT 7,320.50 VAT 15% BDT 1,098.08 Total BDT 8,418.58 Paid BDT 8,418.58',
      'In words Eight thousand four hundred eighteen taka and fifty-eight paisa only',
      'PAID',
      'Thank you for buying from Rupali. Goods can be returned within 14 days.',
      'Page 1 of 1',
    ]) {
      expect(text).toContain(part);
    }
    expect(text).not.toContain('Amount due');
    expect(text).not.toContain('TEST');
  });

  test('is PDF/A-2b with its title, author, language and date', async () => {
    // Archives and screen readers depend on this metadata.
    const { info, xmp } = await read(shortInvoice);
    expect(info).toMatchObject({
      Title: 'Invoice INV-000042',
      Author: 'Rupali Books & Stationery',
      Language: 'en-BD',
      CreationDate: 'D:20261121000000Z',
      ModDate: 'D:20261121000000Z',
    });
    expect(xmp).toMatch(/<pdfaid:part>2<\/pdfaid:part>/);
    expect(xmp).toMatch(/<pdfaid:conformance>B<\/pdfaid:conformance>/);
  });

  test('leads to its page by a link and by a QR code that can be scanned', async () => {
    // Customers with a printed invoice must reach the same page.
    const pdf = await renderInvoice(shortInvoice);
    expect((await readPdf(pdf)).links).toEqual([shortInvoice.payableUrl]);
    const { data, width, height } = await drawnPage(pdf, 1, 2);
    expect(decodeQR({ data: Uint8ClampedArray.from(data), width, height })).toBe(shortInvoice.payableUrl);
  });

  test.each(['javascript:alert(1)', 'file:///etc/passwd', 'https://user@evil.example/', 'x'])(
    'has no link to %s',
    async (payableUrl) => {
      // Otherwise an address from old data could lead customers elsewhere.
      const { links, pages } = await read({ ...shortInvoice, payableUrl });
      expect(links).toEqual([]);
      expect(pages.join('')).not.toContain('Scan');
    },
  );

  test.each([
    ['DRAFT', 'DRAFT'],
    ['VOID', 'VOID'],
    ['ISSUED', null],
    ['OVERDUE', null],
  ] as const)('%s is stamped %s', async (status, stamp) => {
    // Customers must not pay a draft or a void invoice by mistake.
    const text = (await read({ ...shortInvoice, status, paidMinor: 0n, issueDate: null, dueDate: null })).pages.join(
      '',
    );
    expect(text.includes('PAID')).toBe(false);
    expect(/DRAFT|VOID/.exec(text)?.[0] ?? null).toBe(stamp);
  });

  test('a currency without minor units has none, and no Bangla words', async () => {
    // The number of decimals comes from the currency and is not always two.
    const text = flat((await read({ ...shortInvoice, currency: 'JPY' })).pages.join(''));
    expect(text).toContain('Total JPY 841,858');
    expect(text).toContain('JPY Eight hundred forty-one thousand eight hundred fifty-eight only');
  });
});

describe('an invoice of several pages', () => {
  test('says every line, discount, tax and installment with its state', async () => {
    // Nothing may be lost where pages break.
    const { pages } = await read(installmentsInvoice);
    const text = flat(pages.join('\n'));
    for (const [index, line] of installmentsInvoice.lines.entries()) {
      expect(text).toContain(`${index + 1} ${line.description} ${line.qty}`);
    }
    expect(text).toContain('1 Module 1: lessons and marked work 1 850.00 −85.00 57.38 850.00');
    expect(text).toContain(
      'Subtotal BDT 1,89,375.00 Discount −BDT 3,787.50 VAT 7.5% BDT 4,584.03 Total BDT 1,90,171.53 Paid BDT 50,042.87 Amount due BDT 1,40,128.66',
    );
    expect(text).toContain('1 15 August 2026 15,847.63 15,847.63 Paid');
    expect(text).toContain('4 15 November 2026 15,847.63 2,499.98 Overdue');
    expect(text).toContain('12 15 July 2027 15,847.62 0.00 Open');
    expect(text).toContain('Each installment is due on its day; an unpaid one keeps the next module closed.');
  });

  test('repeats the head of the table, counts its pages and is marked TEST on each', async () => {
    // A single page must still name its columns and say that it is a test.
    const { pages } = await read(installmentsInvoice);
    expect(pages).toHaveLength(3);
    for (const [index, page] of pages.entries()) {
      expect(page).toContain(`Page ${index + 1} of 3`);
      expect(page).toContain('TEST');
    }
    expect(
      pages.filter((page) => flat(page).includes('# Description Qty Unit price Discount Tax Amount')),
    ).toHaveLength(2);
  });
});

describe('an invoice in Bangla', () => {
  // PDF readers return the text of shaped clusters in pieces (pdf.js ignores ActualText), so words are compared by their glyphs.
  test('has its figures in Bangla digits and lakh', async () => {
    // No number may be in the wrong script or grouping.
    const { pages, info } = await read(banglaInvoice);
    const text = flat(pages.join('\n'));
    for (const part of [
      '৳২৫,৮৪৫.৬৭',
      '−৳৬৩০.০০',
      '৭.৫%',
      '৳১,৮৯১.১৮',
      '৳২৭,১০৬.৮৫',
      '৳১৭,১০৬.৮৫',
      '১২,৩৪৫.৬৭',
      '১ / ১',
      'INV-000043',
    ]) {
      expect(text).toContain(part);
    }
    expect(text).toContain(amountInWords({ amountMinor: banglaInvoice.totalMinor, currency: 'BDT' }, 'en'));
    expect(info).toMatchObject({
      Title: 'ইনভয়েস INV-000043'.normalize('NFC'),
      Author: 'রূপালী বই বিতান',
      Language: 'bn-BD',
    });
  });

  test.each([
    ['ক্ষ', 1],
    ['জ্ঞ', 1],
    // The non-joiner keeps the letters apart.
    ['ক্\u200cষ', 2],
  ])('draws %s with %d glyphs', async (cluster, glyphs) => {
    // Conjuncts must be joined, and must stay apart where a non-joiner says so.
    const count = async (name: string): Promise<number> =>
      glyphCount(await renderInvoice({ ...banglaInvoice, customer: { reference: null, name, address: null } }));
    expect((await count(`টট${cluster}`)) - (await count('টট'))).toBe(glyphs);
  });
});

describe('a receipt', () => {
  test('says who paid what, when, how and for which invoice', async () => {
    // The receipt is the payer's proof.
    const { pages, links, info } = await readPdf(await renderReceipt(receipt));
    const text = flat(pages.join('\n'));
    for (const part of [
      'Receipt RCP-000311',
      'Amount paid BDT 10,350.50',
      'Ten thousand three hundred fifty taka and fifty paisa only',
      'Paid at 21 November 2026 at 14:05 GMT+6',
      'Paid through SSLCOMMERZ',
      'Transaction c0ffee2026112114051234',
      'Payment pay_7Hq2mX9vKcT4nB8sLdR1wE',
      'Invoice INV-000107',
      'Paid for First installment of INV-000107',
      'Invoice total BDT 50,000.00 Paid so far BDT 10,350.50 Amount due BDT 39,649.50',
      'PAID',
      'Page 1 of 1',
    ]) {
      expect(text).toContain(part);
    }
    expect(links).toEqual([receipt.url]);
    expect(info['CreationDate']).toBe('D:20261121000000Z');
  });

  test('says what was refunded', async () => {
    // A receipt for refunded money is no proof of payment.
    const part = flat(
      (await readPdf(await renderReceipt({ ...receipt, invoice: null, refundedMinor: 35_050n }))).pages.join(''),
    );
    expect(part).toContain('Refunded BDT 350.50 Paid after refunds BDT 10,000.00');
    const whole = flat(
      (await readPdf(await renderReceipt({ ...receipt, refundedMinor: receipt.amountMinor }))).pages.join(''),
    );
    expect(whole).toContain('REFUNDED');
    expect(whole).not.toContain('PAID');
  });
});
