import { AxeBuilder } from '@axe-core/playwright';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { z } from 'zod';
import { startReceiver, type ReceivedEvent, type Receiver } from '../../scripts/development/demo/receiver.ts';
import type { DevFile } from '../../scripts/development/dev-file.ts';
import { linkTemporal, type TemporalLink } from '../../temporal/client.ts';
import { workflowIds } from '../../workflows/messages/names.ts';
import { launchBrowser } from '../support/browser.ts';
import { readPdf } from '../web/documents/read-pdf.ts';
import { asOwner } from '../journeys/owner.ts';
import { payAndReturn } from '../journeys/payer.ts';
import { openTestShop, paymentIn, type TestShop } from '../journeys/shop.ts';
import { startStackToKill, type StackToKill } from '../journeys/stack-to-kill.ts';
import { verify } from '../journeys/verify.ts';
import { PATIENCE_MS, until } from '../support/until.ts';

const Invoice = z.object({
  id: z.int(),
  number: z.string(),
  status: z.string(),
  amountPaidMinor: z.int(),
  amountDueMinor: z.int(),
  totalMinor: z.int(),
  payableUrl: z.url(),
  payments: z.array(z.object({ id: z.int(), reference: z.string(), overpaymentMinor: z.int() })),
});
type Invoice = z.infer<typeof Invoice>;

let browser: Browser;
let stack: StackToKill;
let dev: DevFile;
let shop: TestShop;
let receiver: Receiver;
let temporal: TemporalLink;
let secret = '';
const events: ReceivedEvent[] = [];

beforeAll(async () => {
  [browser, stack, receiver] = await Promise.all([
    launchBrowser(),
    startStackToKill(),
    startReceiver(
      () => secret,
      (event) => void events.push(event),
    ),
  ]);
  dev = await stack.dev();
  shop = await openTestShop({ dev, directory: stack.directory }, { webhookUrl: receiver.url, receiptsEnabled: true });
  secret = shop.signingSecret;
  temporal = linkTemporal({ ...dev.temporal, uiUrl: null });
});

afterAll(async () => {
  await browser.close();
  await temporal.close();
  await receiver.close();
  await stack.remove();
});

/** Returns the date in Dhaka, `offset` days from today. */
const day = (offset: number): string =>
  new Intl.DateTimeFormat('en-CA', { timeZone: 'Asia/Dhaka' }).format(new Date(Date.now() + offset * 86_400_000));

async function bill(terms: object = {}): Promise<Invoice> {
  const body = {
    customerReference: 'cust_9',
    customerEmail: 'jane@example.com',
    lineItems: [
      { description: 'Setup fee', qty: 1, unitAmountMinor: 50_000 },
      { description: 'Monthly plan', qty: 2, unitAmountMinor: 25_000 },
    ],
    ...terms,
  };
  return Invoice.parse(await shop.call('POST', '/invoices', { body, status: 201 }));
}
const read = async ({ id }: Invoice): Promise<Invoice> => Invoice.parse(await shop.call('GET', `/invoices/${id}`));
const payFor = async ({ id }: Invoice, amountMinor: number) => shop.create({ invoiceId: id, amountMinor });
const eventsOf = ({ id }: Invoice): string[] =>
  events
    .filter(
      ({ type, body }) =>
        type.startsWith('invoice.') && z.object({ data: z.object({ id: z.int() }) }).parse(body).data.id === id,
    )
    .map(({ type }) => type);
const referenceOf = ({ payableUrl }: Invoice): string => new URL(payableUrl).pathname.split('/').at(-1) ?? '';
async function detailsOf(invoice: Invoice): Promise<string> {
  const handle = temporal.client.workflow.getHandle(workflowIds.invoice(referenceOf(invoice)));
  return (await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata')).currentDetails ?? '';
}

/** Opens a payer's browser that records the errors of our pages. */
async function payerAt(url: string, options: object = {}) {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.location().url.startsWith(dev.web)) {
      complaints.push(message.text());
    }
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(url);
  return { page, complaints, leave: () => context.close() };
}

async function payAtSimulator(page: Page): Promise<void> {
  await page.getByRole('button', { name: /^Continue/ }).click();
  await page.waitForURL(`${dev.simulators}/**`);
  await page.locator('button[value="pay"], button[name="pay"], button:has-text("Pay")').first().click();
  await page.waitForURL(`${dev.web}/**`, { timeout: PATIENCE_MS });
}

describe('an invoice in two installments', () => {
  // Covers the whole journey of a customer and a shop.
  test('is paid on its page, part by part, with a receipt for each, and ends', async () => {
    const invoice = await bill({
      installments: [
        { dueDate: day(0), basisPoints: 4_000 },
        { dueDate: day(30), basisPoints: 6_000 },
      ],
    });
    expect(invoice).toMatchObject({ status: 'ISSUED', totalMinor: 100_000, amountDueMinor: 100_000 });
    await until(async () => (await detailsOf(invoice)).startsWith('ISSUED: 1000.00 BDT of 1000.00 BDT is due'));
    const { page, complaints, leave } = await payerAt(invoice.payableUrl);
    expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
    await page.getByRole('button', { name: 'Pay BDT 400.00' }).click();
    await page.waitForURL(/\/checkout\/pay_/);
    await payAtSimulator(page);
    await until(async () => (await read(invoice)).amountPaidMinor === 40_000);
    await page.goto(invoice.payableUrl);
    expect(await page.getByText('BDT 400.00 of BDT 1,000.00 paid').count()).toBe(1);
    await until(async () => (await detailsOf(invoice)).includes('1 of 2 installments are paid.'));
    await page.getByRole('button', { name: 'Pay BDT 600.00' }).click();
    await page.waitForURL(/\/checkout\/pay_/);
    await payAtSimulator(page);
    await until(async () => (await read(invoice)).status === 'PAID');
    await page.goto(invoice.payableUrl);
    expect(await page.getByRole('button', { name: /^Pay/ }).count()).toBe(0);
    expect(complaints).toEqual([]);
    await leave();
    await until(() => eventsOf(invoice).length === 2);
    expect(eventsOf(invoice)).toEqual(['invoice.issued', 'invoice.paid']);
    expect(events.every(({ signatureValid }) => signatureValid)).toBe(true);
    await until(async () => (await detailsOf(invoice)) === 'Ended: PAID.');
    const { payments } = await read(invoice);
    expect(payments).toHaveLength(2);
    const receipt = await readPdf(await shop.pdf(`/payments/${payments[0]?.id ?? 0}/receipt`));
    expect(receipt.pages.join('\n')).toContain(`R-${payments[0]?.id ?? 0}`);
    expect(receipt.pages.join('\n')).toContain(invoice.number);
    const document = await readPdf(await shop.pdf(`/invoices/${invoice.id}/pdf`));
    expect(document.pages.join('\n')).toContain(invoice.number);
    expect(document.links).toContain(invoice.payableUrl);
  });

  test('works without script, in Bangla', async () => {
    const invoice = await bill({ partialPayments: true, language: 'bn' });
    const { page, leave } = await payerAt(`${invoice.payableUrl}?lang=bn`, { javaScriptEnabled: false });
    expect(await page.locator('html').getAttribute('lang')).toBe('bn');
    await page.locator('summary').first().click();
    await page.locator('input[name="amount"]').fill('২৫০.৫০');
    await page.locator('form:has(input[name="amount"]) button').click();
    await page.waitForURL(/\/checkout\/pay_/);
    const reference = new URL(page.url()).pathname.split('/').at(-1) ?? '';
    await leave();
    const [payment] = await asOwner<{ amount_minor: string }>(dev.databaseUrl, {
      sql: 'select amount_minor from payments where reference = ?',
      parameters: [reference],
    });
    expect(payment?.amount_minor).toBe('25050');
  });
});

describe('an email', () => {
  // The development mailbox must show the email that a customer would get.
  test('reminds of what is overdue, and its link asks for it', async () => {
    const to = `late-${Date.now()}@example.com`;
    const invoice = await bill({ customerEmail: to, dueDate: day(-3), reminders: { overdueDays: [2] } });
    await until(() => eventsOf(invoice).length === 3);
    expect(eventsOf(invoice).toSorted()).toEqual(['invoice.issued', 'invoice.overdue', 'invoice.reminder']);
    const mailbox = async (): Promise<{ subject: string; text: string }[]> => {
      const response = await fetch(`${dev.mailbox}/messages.json?to=${encodeURIComponent(to)}`);
      return z.array(z.object({ subject: z.string(), text: z.string() })).parse(await response.json());
    };
    await until(async () => (await mailbox()).length > 0);
    const emails = await mailbox();
    expect(emails).toHaveLength(1);
    expect(emails[0]?.subject).toContain(invoice.number);
    expect(emails[0]?.text).toContain(invoice.payableUrl);
    const { page, leave } = await payerAt(invoice.payableUrl);
    expect(await page.getByText('Overdue').count()).toBeGreaterThan(0);
    expect(await page.getByRole('button', { name: 'Pay BDT 1,000.00' }).count()).toBe(1);
    await leave();
  });
});

describe('money', () => {
  // The gateway charged both payers. Neither charge may be lost or counted twice.
  test('of two payers at once counts up to the total, and the overpayment is held', async () => {
    const invoice = await bill();
    const [first, second] = await Promise.all([payFor(invoice, 100_000), payFor(invoice, 70_000)]);
    await Promise.all([payAndReturn(first.checkoutUrl), payAndReturn(second.checkoutUrl)]);
    await until(async () => (await shop.read(first.id)).status === 'SUCCEEDED');
    await until(async () => (await shop.read(second.id)).status !== 'PENDING');
    const paid = await read(invoice);
    expect(paid).toMatchObject({ status: 'PAID', amountPaidMinor: 100_000, amountDueMinor: 0 });
    const held = await asOwner<{ held: string; charged: string }>(dev.databaseUrl, {
      sql: `select coalesce(sum(l.gross_minor), 0)::text as held, (select sum(t.gross_minor)::text from payment_attempts t
              join payments q on q.id = t.payment_id where q.invoice_id = ? and t.status = 'CONFIRMED') as charged
            from unapplied_payments l join payments p on p.id = l.payment_id where p.invoice_id = ?`,
      parameters: [invoice.id, invoice.id],
    });
    expect(Number(held[0]?.charged) - Number(held[0]?.held)).toBe(100_000);
    expect(await verify(stack.directory)).toMatchObject({ exitCode: 0 });
  });

  test('that is given back is due again, and can be paid again', async () => {
    const invoice = await bill();
    const payment = await payFor(invoice, 100_000);
    await payAndReturn(payment.checkoutUrl);
    await until(async () => (await read(invoice)).status === 'PAID');
    await shop.call('POST', `/payments/${payment.id}/refunds`, { body: { amountMinor: 30_000 }, status: 201 });
    await until(async () => (await read(invoice)).amountDueMinor === 30_000);
    expect(await read(invoice)).toMatchObject({ status: 'PARTIALLY_PAID' });
    await until(async () => (await detailsOf(invoice)).startsWith('PARTIALLY_PAID: 300.00 BDT'));
    const link = z
      .object({ checkoutUrl: z.url() })
      .parse(await shop.call('POST', `/invoices/${invoice.id}/payable-link`));
    expect(link.checkoutUrl).toBe(invoice.payableUrl);
    const again = await payFor(invoice, 30_000);
    await payAndReturn(again.checkoutUrl);
    await until(async () => (await read(invoice)).status === 'PAID');
  });
});

describe('kill -9 of everything', () => {
  // Killed between numbering and the first payment, and between charge and posting, the processes must continue from
  // the stored data alone.
  test('loses no invoice, no number, no notice and no money', async () => {
    const before = await bill({ dueDate: day(20) });
    const paying = await bill();
    const payment = await payFor(paying, 100_000);
    await payAndReturn(payment.checkoutUrl);
    await stack.killAll();
    await temporal.close();
    dev = await stack.startAgain();
    shop.moveTo(dev);
    temporal = linkTemporal({ ...dev.temporal, uiUrl: null });
    await until(async () => (await read(paying)).status === 'PAID');
    await until(async () => (await detailsOf(before)).startsWith('ISSUED: 1000.00 BDT'));
    const next = await bill();
    const number = (invoice: Invoice): number => Number(invoice.number.slice('INV-'.length));
    expect([number(paying), number(next)]).toEqual([number(before) + 1, number(before) + 2]);
    await until(() => eventsOf(paying).includes('invoice.paid'));
    expect(new Set(eventsOf(paying))).toEqual(new Set(['invoice.issued', 'invoice.paid']));
    expect(await shop.call('POST', `/invoices/${next.id}/void`)).toMatchObject({ status: 'VOID', number: next.number });
    expect(paymentIn({ data: await shop.call('GET', `/payments/${payment.id}`) }).status).toBe('SUCCEEDED');
    expect(await verify(stack.directory)).toMatchObject({ exitCode: 0 });
  }, 300_000);
});
