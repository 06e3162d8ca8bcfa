import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { amountInWords } from '../../../domain/amount-in-words.ts';
import { closePress } from '../../../web/documents/render.ts';
import { readPdf, type ReadPdf } from '../../web/documents/read-pdf.ts';
import type { Answer } from '../contract-client.ts';
import { httpCall } from '../http-call.ts';
import { day, openBilling, referenceOf, SAMPLE, type Billing } from './billing.ts';

let billing: Billing;
beforeAll(async () => {
  billing = await openBilling();
  await billing.send('/invoices/template', {
    method: 'PUT',
    body: { companyName: 'Rupali Books', companyAddress: '14/2 Nilkhet Road\nDhaka 1205', footerNote: 'Come again.' },
  });
});
afterAll(async () => {
  closePress();
  await billing.close();
});

const pdfOf = (id: unknown, sending: object = {}): Promise<Answer> =>
  billing.send(`/invoices/${String(id)}/pdf`, sending);

/** Joins wrapped lines: they may break between words and after a hyphen. */
function flat({ pages }: ReadPdf): string {
  return pages
    .join('\n')
    .replace(/\s+/g, ' ')
    .replace(/(?<=[a-z])- /g, '-');
}

async function textOf(answer: { readonly bytes: Buffer }): Promise<string> {
  return flat(await readPdf(answer.bytes));
}

describe('the PDF of an invoice', () => {
  test('says what the invoice says', async () => {
    // The customer must read the same invoice as the application got from the API.
    const made = await billing.create({
      customerName: 'Nusrat Jahan',
      customerAddress: 'House 7, Road 11\nDhaka 1209',
      notes: 'Questions: fees@shop.example',
      discount: { amountMinor: 10_000 },
      taxes: [{ name: 'VAT', basisPoints: 1_500 }],
      plan: { count: 3, every: 'MONTH', firstDueDate: '2031-01-31' },
    });
    await billing.payUp(made.data['id'], 40_000);
    const answer = await pdfOf(made.data['id']);
    expect([answer.status, answer.headers['content-type'], answer.headers['content-length']]).toEqual([
      200,
      'application/pdf',
      String(answer.bytes.length),
    ]);
    expect(answer.headers['content-disposition']).toBe(`inline; filename="${String(made.data['number'])}.pdf"`);
    expect(answer.headers['cache-control']).toBe('private, no-store');
    const pdf = await readPdf(answer.bytes);
    const text = flat(pdf);
    for (const part of [
      'Rupali Books 14/2 Nilkhet Road Dhaka 1205',
      `Invoice ${String(made.data['number'])} Partially paid`,
      'Billed to Nusrat Jahan House 7, Road 11 Dhaka 1209 Reference: cust_123',
      'Due 31 March 2031',
      '1 Setup fee 1 500.00 500.00',
      '2 Monthly plan 2 250.00 500.00',
      'Subtotal BDT 1,000.00 Discount −BDT 100.00 VAT 15% BDT 135.00 Total BDT 1,035.00 Paid BDT 400.00 Amount due BDT 635.00',
      '1 31 January 2031 345.00 345.00 Paid',
      '2 28 February 2031 345.00 55.00 Partially paid',
      '3 31 March 2031 345.00 0.00 Open',
      'Questions: fees@shop.example',
      'Come again.',
      'TEST',
      'Page 1 of 1',
      amountInWords({ amountMinor: 103_500n, currency: 'BDT' }, 'en'),
    ]) {
      expect(text).toContain(part);
    }
    expect(text).not.toContain('jane@example.com');
    expect(pdf.links).toEqual([made.data['payableUrl']]);
  });

  test('is the same bytes every time, by the API and by the page, until the invoice changes', async () => {
    // Otherwise the document could not be compared, cached or signed.
    const made = await billing.create();
    const [one, two] = [await pdfOf(made.data['id']), await pdfOf(made.data['id'])];
    const page = await billing.page(`/pay/${referenceOf(made)}/pdf`);
    expect(one.bytes.equals(two.bytes)).toBe(true);
    // The pages' listener has another origin, so its document contains another link.
    expect([page.status, page.bytes.length > 10_000]).toEqual([200, true]);
    expect((await billing.page(`/pay/${referenceOf(made)}/pdf`)).bytes.equals(page.bytes)).toBe(true);
    await billing.payUp(made.data['id'], 100_000);
    expect((await pdfOf(made.data['id'])).bytes.equals(one.bytes)).toBe(false);
  });

  test('of a draft has neither number, link nor date, and says that it is one', async () => {
    // Otherwise somebody could pay a draft by mistake.
    const { data } = await billing.draft();
    const answer = await pdfOf(data['id']);
    expect(answer.headers['content-disposition']).toBe(`inline; filename="draft-${String(data['id'])}.pdf"`);
    const pdf = await readPdf(answer.bytes);
    expect(pdf.links).toEqual([]);
    expect(flat(pdf)).toContain('DRAFT');
    expect(flat(pdf)).not.toMatch(/INV-|Scan|pay_/);
  });

  test('of a void one keeps its number, says VOID, and leads nowhere', async () => {
    // An assigned number must stay explainable, but a void invoice must not be payable.
    const { data } = await billing.create();
    await billing.act(data['id'], 'void');
    const pdf = await readPdf((await pdfOf(data['id'])).bytes);
    expect(flat(pdf)).toContain(String(data['number']));
    expect(flat(pdf)).toContain('VOID');
    expect([pdf.links, flat(pdf).includes('Scan')]).toEqual([[], false]);
  });

  test('of a paid and an overdue one say so; a LIVE one is not marked TEST', async () => {
    // The stamp shows today's status.
    const live = await billing.create({ dueDate: day(-2) }, { credentials: billing.shop.live });
    const text = await textOf(await pdfOf(live.data['id'], { credentials: billing.shop.live }));
    expect(text).toContain('Overdue');
    expect(text).not.toContain('TEST');
    const paid = await billing.create();
    await billing.payUp(paid.data['id'], 100_000);
    const stamped = await textOf(await pdfOf(paid.data['id']));
    expect(stamped).toContain('PAID');
    expect(stamped).not.toContain('Amount due');
  });

  test('in Bangla has Bangla figures', async () => {
    // A document uses the language of its invoice.
    const { data } = await billing.create({ language: 'bn' });
    const text = await textOf(await pdfOf(data['id']));
    expect(text).toContain('১,০০০.০০');
    expect(text).toContain(amountInWords({ amountMinor: 100_000n, currency: 'BDT' }, 'en'));
  });

  test('of 500 lines of hostile text has every one of them', async () => {
    // Typesetter markup must be printed as text, and a long invoice must not lose lines.
    const hostile = '#let x = 1 $x^2$ \\evil{} *b* _i_ `c` @ref <lbl> // /*';
    const lineItems = Array.from({ length: 500 }, (_, i) => ({
      description: i === 250 ? hostile : `Position ${i + 1}.`,
      qty: 1,
      unitAmountMinor: 100,
    }));
    const { data } = await billing.create({ lineItems, customerName: '\u202Eevil #panic()' });
    const answer = await pdfOf(data['id']);
    expect(answer.status).toBe(200);
    const text = await textOf(answer);
    expect(lineItems.filter(({ description }) => !text.includes(description.slice(0, 12)))).toEqual([]);
    expect(text).toContain('#let x = 1 $x^2$');
    expect(text).toContain('Total BDT 500.00');
  });
});

describe('the receipt of a payment', () => {
  async function paid(): Promise<{ id: unknown; reference: string; number: unknown }> {
    const made = await billing.create({ customerName: 'Nusrat Jahan' });
    const payment = await billing.payUp(made.data['id'], 60_000);
    return { id: payment.data['id'], reference: String(payment.data['reference']), number: made.data['number'] };
  }
  const receipt = (id: unknown, accept?: string, query = ''): Promise<Answer> =>
    billing.send(`/payments/${String(id)}/receipt${query}`, { headers: accept === undefined ? {} : { accept } });

  test.each([
    [undefined, 'json'],
    ['*/*', 'json'],
    ['application/json', 'json'],
    ['application/json, application/pdf', 'json'],
    ['application/pdf;q=0.9, application/json;q=0.8', 'pdf'],
    ['application/pdf;q=0.1, application/json;q=0.8', 'json'],
    ['text/html, application/pdf', 'pdf'],
    ['application/*', 'json'],
    ['image/png', 'json'],
    ['application/pdf;q=0', 'json'],
    ['application/pdf', 'pdf'],
    ['nonsense', 'json'],
  ])('with Accept %p is %s', async (accept, kind) => {
    // A client without a preference must keep getting JSON.
    const { id } = await paid();
    const answer = await receipt(id, accept);
    expect([answer.status, answer.headers['content-type']]).toEqual([
      200,
      kind === 'pdf' ? 'application/pdf' : 'application/json; charset=utf-8',
    ]);
    expect(answer.bytes.subarray(0, 5).toString()).toBe(kind === 'pdf' ? '%PDF-' : '{"dat');
  });

  test('as a PDF says who paid what for which invoice, and how that stands after it', async () => {
    // The payer's receipt must say the same as the JSON.
    const { id, reference, number } = await paid();
    const { data } = await receipt(id);
    const answer = await receipt(id, 'application/pdf');
    expect(answer.headers['content-disposition']).toBe(`inline; filename="R-${String(id)}.pdf"`);
    const text = await textOf(answer);
    for (const part of [
      `Receipt R-${String(id)}`,
      'Amount paid BDT 600.00',
      `Transaction ${String(data['gatewayTxnId'])}`,
      `Payment ${reference}`,
      `Invoice ${String(number)}`,
      'Invoice total BDT 1,000.00 Paid so far BDT 600.00 Amount due BDT 400.00',
      'Nusrat Jahan',
      'Rupali Books',
      'TEST',
    ]) {
      expect(text).toContain(part);
    }
    expect((await receipt(id, 'application/pdf')).bytes.equals(answer.bytes)).toBe(true);
  });

  test('in Bangla on demand, and refused in any other language', async () => {
    const { id } = await paid();
    expect(await textOf(await receipt(id, 'application/pdf', '?language=bn'))).toContain('৬০০.০০');
    expect((await receipt(id, 'application/pdf', '?language=fr')).status).toBe(400);
  });

  test('stands on the checkout page as a link that leads to the same document', async () => {
    // The payer has no credential, so the page's link has to lead to the receipt.
    const { reference } = await paid();
    const page = await billing.page(`/checkout/${reference}`);
    expect(page.text).toContain(`href="/checkout/${reference}/receipt`);
    const answer = await billing.page(`/checkout/${reference}/receipt`);
    expect([answer.status, answer.headers['content-type'], answer.headers['x-robots-tag']]).toEqual([
      200,
      'application/pdf',
      'noindex, nofollow',
    ]);
    expect(await textOf(answer)).toContain('Amount paid BDT 600.00');
  });

  test('is not there for what is not paid, nor where receipts are not enabled, in either form', async () => {
    // A receipt for an unpaid payment would be false proof.
    const made = await billing.create();
    const open = await billing.pay(made.data['id']);
    expect([
      (await receipt(open.data['id'])).status,
      (await receipt(open.data['id'], 'application/pdf')).status,
    ]).toEqual([409, 409]);
    const page = `/checkout/${String(open.data['reference'])}`;
    expect((await billing.page(`${page}/receipt`)).status).toBe(404);
    expect((await billing.page(page)).text).not.toContain('/receipt');
    const without = await billing.world.register({ receiptsEnabled: false });
    const payment = await billing.world.paidPayment(without);
    const path = `/payments/${payment.id}/receipt`;
    const headers = { accept: 'application/pdf' };
    expect((await billing.send(path, { credentials: without.test, headers })).status).toBe(404);
    expect((await billing.page(`/checkout/${payment.reference}/receipt`)).status).toBe(404);
    expect((await billing.page(`/checkout/${payment.reference}`)).text).not.toContain('/receipt');
  });

  test('documents are limited by address, and come back', async () => {
    // Each document runs a separate process for a moment, so unlimited requests could overload the server.
    const { reference } = await paid();
    const pages = await billing.world.listen({ pages: true });
    const path = `/checkout/${reference}/receipt`;
    const answers = await Promise.all(Array.from({ length: 80 }, () => httpCall({ origin: pages, path })));
    const limited = answers.filter(({ status }) => status === 429);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 429]));
    expect(answers.length - limited.length).toBeGreaterThanOrEqual(30);
    expect(limited.every(({ headers }) => Number(headers['retry-after']) > 0)).toBe(true);
    expect((await httpCall({ origin: pages, path: `/checkout/${reference}` })).status).toBe(200);
  });
});

test('no document of a stranger', async () => {
  // Otherwise another application could read an invoice by its id.
  const other = await billing.world.register({ receiptsEnabled: true });
  const made = await billing.create(SAMPLE);
  const answers = [
    await pdfOf(made.data['id'], { credentials: other.test }),
    await pdfOf(made.data['id'], { credentials: billing.shop.live }),
    await pdfOf(Number.MAX_SAFE_INTEGER),
  ];
  expect(answers.map(({ status, meta }) => [status, meta.errorCode])).toEqual(
    answers.map(() => [404, 'RESOURCE_NOT_FOUND']),
  );
});
