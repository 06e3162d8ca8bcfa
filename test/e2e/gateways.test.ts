import { AxeBuilder } from '@axe-core/playwright';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Browser, Page } from 'playwright-core';
import { z } from 'zod';
import { launchBrowser } from '../support/browser.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';
import { signInOperators, type AsOperator } from '../journeys/operators.ts';
import { asOwner } from '../journeys/owner.ts';
import { openTestShop, type ShopPayment, type TestShop } from '../journeys/shop.ts';
import { verify } from '../journeys/verify.ts';
import { PATIENCE_MS, until } from '../support/until.ts';

const PHONE = { width: 390, height: 844 };
/** More steps than the longest gateway page has. */
const STEPS_MAX = 6;
const GATEWAYS = ['sslcommerz', 'bkash', 'nagad', 'stripe', 'manual'];
const BANK = { label: { en: 'Bank', bn: 'ব্যাংক' }, instructions: { en: 'Account 0123 456', bn: 'হিসাব ০১২৩' } };
/** Matches the URL of a payment's page in either contract. */
const OUR_PAGES = /\/(checkout|pay)\//;

let browser: Browser;
let stack: TestStack;
let shop: TestShop;
let asOperator: AsOperator;

beforeAll(async () => {
  [browser, stack] = await Promise.all([launchBrowser(), startTestStack()]);
  shop = await openTestShop(stack);
  asOperator = await signInOperators(() => stack.dev);
  const store = { storeId: 'bank', storePassword: JSON.stringify(BANK) };
  expect(await asOperator('Super Admin', 'PUT', '/admin/gateways/manual/TEST', store)).toMatchObject({ status: 200 });
});

afterAll(async () => {
  await browser.close();
  await stack.stop();
});

async function payerOf(checkoutUrl: string): Promise<{ page: Page; complaints: string[]; leave: () => Promise<void> }> {
  const context = await browser.newContext({ viewport: PHONE });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.location().url.startsWith(stack.dev.web)) {
      complaints.push(message.text());
    }
  });
  await page.goto(checkoutUrl);
  return { page, complaints, leave: () => context.close() };
}

async function choose(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name, exact: true }).click();
  await page.waitForURL(`${stack.dev.simulators}/**`);
}

/** Fills in a gateway's page step by step, until it leads back to our page. */
async function payThere(page: Page): Promise<void> {
  for (let step = 0; step < STEPS_MAX && page.url().startsWith(stack.dev.simulators); step += 1) {
    const next = page.locator('button[name=outcome][value=next], button[name=outcome][value=pay]').first();
    await next.click();
    await page.waitForLoadState();
  }
  await page.waitForURL((url) => url.href.startsWith(stack.dev.web) && OUR_PAGES.test(url.pathname));
}

async function succeeded(page: Page, payment?: ShopPayment): Promise<void> {
  try {
    await page.getByRole('heading', { name: 'Payment successful' }).waitFor({ timeout: PATIENCE_MS });
  } catch {
    const { summary = '', timeline = [] } = payment === undefined ? {} : await shop.explain(payment.id);
    const told = timeline.map((event) => JSON.stringify(event)).join('\n');
    const shown = (await page.locator('body').innerText()).slice(0, 400);
    throw new Error(`not paid at ${page.url()}. ${summary}\n${told}\n${shown}`);
  }
}

function attemptsOf({ id }: ShopPayment): Promise<object[]> {
  return asOwner(stack.dev.databaseUrl, {
    sql: `select gateway, status, superseded_at is not null as left, gross_minor from payment_attempts where payment_id = ? order by number`,
    parameters: [id],
  });
}

async function shadhinpayCall(method: string, path: string, body?: object): Promise<unknown> {
  const { clientId, businessId, testKey } = stack.dev.apps.shadhinpay;
  const answer = await fetch(stack.dev.api + path, {
    method,
    headers: {
      'Client-Id': clientId,
      'Business-Id': businessId,
      'X-Api-Key': testKey,
      ...(body === undefined ? {} : { 'Content-Type': 'application/json', 'X-Idempotency-Key': randomUUID() }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return z.object({ data: z.unknown() }).parse(await answer.json()).data;
}

async function shadhinpayPayment(): Promise<{ paymentId: string; paymentUrl: string }> {
  const body = {
    amount: '1500.50',
    currency: 'BDT',
    merchantTxnId: randomUUID(),
    callbackUrl: 'https://shop.example.com/return',
    isSandbox: true,
  };
  const data = await shadhinpayCall('POST', '/payments', body);
  return z.object({ paymentId: z.string(), paymentUrl: z.url() }).parse(data);
}

describe('a payer who has paid and did not come back', () => {
  test('goes on from our page and is led through our callback to the outcome', async () => {
    // The gateway sends the payer straight to our callback. If the content security policy does not name it, the button does nothing and the payer
    // may pay twice.
    const payment = await shop.create({ gateways: ['nagad'], currency: 'BDT', amountMinor: 20_000 });
    const { page, complaints, leave } = await payerOf(payment.checkoutUrl);
    const paid = await fetch(payment.redirectUrl ?? '', {
      method: 'POST',
      body: new URLSearchParams({ outcome: 'pay', mobile: '01700000000' }),
      redirect: 'manual',
    });
    expect(paid.status).toBe(303);
    const called = page.waitForRequest('**/gateway/nagad/**', { timeout: 10_000 });
    await page.getByRole('button', { name: 'Continue to payment' }).click();
    await called;
    await succeeded(page, payment);
    expect(complaints).toEqual([]);
    await leave();
  });
});

describe('a payer who may choose the gateway', () => {
  test.each([
    ['SSLCOMMERZ', 'sslcommerz'],
    ['bKash', 'bkash'],
    ['Nagad', 'nagad'],
    ['Card (Stripe)', 'stripe'],
  ])('chooses %s on our page and pays there', async (label, gateway) => {
    // The content security policy must allow each gateway, and the money must be posted to that gateway's account.
    const payment = await shop.create({ gateways: GATEWAYS, currency: 'BDT', amountMinor: 20_000 });
    expect(payment).toMatchObject({ status: 'PENDING', redirectUrl: null });
    const { page, complaints, leave } = await payerOf(payment.checkoutUrl);
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBe(0);
    await choose(page, label);
    await payThere(page);
    await succeeded(page, payment);
    expect((await shop.read(payment.id)).status).toBe('SUCCEEDED');
    expect(await attemptsOf(payment)).toMatchObject([{ gateway, status: 'CONFIRMED', gross_minor: '20000' }]);
    const accounts = await asOwner(stack.dev.databaseUrl, {
      sql: `select distinct d.name from ledger_transactions t join ledger_postings p on p.transaction_id = t.id
              join ledger_accounts d on d.id = p.debit_account_id
              where t.cause_type = 'payment' and t.cause_id = ? and d.name like 'gateway:%:clearing'`,
      parameters: [payment.reference],
    });
    expect(accounts).toEqual([{ name: `gateway:${gateway}:clearing` }]);
    expect(complaints).toEqual([]);
    await leave();
  });

  test('changes his mind, pays at the second, and the page that he left takes nothing any more', async () => {
    // With two tabs and two gateways, the payment must be paid once.
    const payment = await shop.create({ gateways: GATEWAYS });
    const { page, leave } = await payerOf(payment.checkoutUrl);
    await choose(page, 'Card (Stripe)');
    const leftAt = page.url();
    await page.goto(payment.checkoutUrl);
    await page.getByRole('link', { name: /another way/i }).click();
    await choose(page, 'bKash');
    await payThere(page);
    await succeeded(page, payment);
    expect(await attemptsOf(payment)).toMatchObject([
      { gateway: 'stripe', left: true },
      { gateway: 'bkash', status: 'CONFIRMED', left: false },
    ]);
    await until(async () => {
      const [left] = await attemptsOf(payment);
      return left !== undefined && 'status' in left && left.status === 'CLOSED';
    });
    await page.goto(leftAt);
    expect(await page.locator('button[name=outcome][value=pay]').count()).toBe(0);
    await leave();
  });

  test.each([
    ['cancels', 'cancel', 'CANCELLED'],
    ['fails', 'fail', 'FAILED'],
  ])('%s at bKash, comes back, and tries again at another gateway', async (_does, button, status) => {
    // A payer must not be sent to a finished gateway page, and the shop must not lose the sale.
    const payment = await shop.create({ gateways: GATEWAYS });
    const { page, complaints, leave } = await payerOf(payment.checkoutUrl);
    await choose(page, 'bKash');
    await page.locator(`button[name=outcome][value=${button}]`).click();
    await page.waitForURL((url) => url.href.startsWith(stack.dev.web) && OUR_PAGES.test(url.pathname));
    await page.locator('button[name=gateway][value=sslcommerz]').waitFor({ timeout: PATIENCE_MS });
    expect(await page.getByText('Nothing was paid').count()).toBe(1);
    expect((await shop.read(payment.id)).status).toBe('PENDING');
    await choose(page, 'SSLCOMMERZ');
    await payThere(page);
    await succeeded(page, payment);
    expect(await attemptsOf(payment)).toMatchObject([
      { gateway: 'bkash', status },
      { gateway: 'sslcommerz', status: 'CONFIRMED' },
    ]);
    expect(complaints).toEqual([]);
    await leave();
  });

  test('who has no other way and cancels at bKash is told at once that nothing was paid', async () => {
    // The payer must not wait half an hour, and the payment must not end as expired.
    const payment = await shop.create({ gateways: ['bkash'] });
    const { page, leave } = await payerOf(payment.checkoutUrl);
    await page.locator('form[action*="/continue"] button').click();
    await page.locator('button[name=outcome][value=cancel]').click();
    await page.getByRole('heading', { name: /cancelled/i }).waitFor({ timeout: PATIENCE_MS });
    expect((await shop.read(payment.id)).status).toBe('CANCELLED');
    await leave();
  });

  test('chooses to pay by hand, and has paid when an operator has found his money', async () => {
    // A manual payment has no gateway page. The payer's entry proves nothing until an operator has checked it.
    const payment = await shop.create({ gateways: GATEWAYS });
    const { page, complaints, leave } = await payerOf(payment.checkoutUrl);
    await page.getByRole('button', { name: 'Bank transfer or cash', exact: true }).click();
    await page.getByText('Account 0123 456').waitFor();
    await page.locator('input[name=transaction]').fill('FT-26326-77');
    await page.locator('form:has(input[name=transaction]) button').click();
    await page.getByText('FT-26326-77').waitFor();
    expect((await shop.read(payment.id)).status).toBe('PENDING');
    const waiting = await asOperator('Finance', 'GET', `/admin/manual-payments?paymentId=${payment.id}`);
    const [{ id } = { id: 0 }] = z.array(z.object({ id: z.int() })).parse(waiting.data);
    const decision = { decision: 'confirm', reason: 'It is in the account' };
    const decided = await asOperator('Finance', 'POST', `/admin/manual-payments/${id}/decision`, decision);
    expect(decided).toMatchObject({ status: 200, data: { status: 'CONFIRMED', paymentStatus: 'SUCCEEDED' } });
    await page.reload();
    await succeeded(page, payment);
    expect(await attemptsOf(payment)).toMatchObject([{ gateway: 'manual', status: 'CONFIRMED', gross_minor: '10000' }]);
    expect(complaints).toEqual([]);
    await leave();
  });

  test('of an invoice chooses, too, where the application lets its payers choose', async () => {
    // An operator's setting offers the choice. The application's request does not mention it.
    const settings = { checkoutGateways: ['nagad', 'bkash'] };
    const changed = await asOperator('Super Admin', 'PATCH', `/admin/apps/${shop.applicationId}/settings`, settings);
    expect(changed.status).toBe(200);
    const lineItems = [{ description: 'Book', qty: 2, unitAmountMinor: 15_000 }];
    const body = { customerReference: 'cust_7', currency: 'BDT', lineItems };
    const made = await shop.call('POST', '/invoices', { body, status: 201 });
    const { id, payableUrl } = z.object({ id: z.int(), payableUrl: z.url() }).parse(made);
    const { page, complaints, leave } = await payerOf(payableUrl);
    await page.locator('form button').first().click();
    await choose(page, 'Nagad');
    await payThere(page);
    await succeeded(page);
    expect(await shop.call('GET', `/invoices/${id}`)).toMatchObject({ status: 'PAID', amountDueMinor: 0 });
    expect(complaints).toEqual([]);
    await leave();
  });

  test.each([
    ['bKash', 'BKASH'],
    ['Nagad', 'NAGAD'],
  ])('of a shop that speaks ShadhinPay’s contract chooses %s', async (label, vendor) => {
    // The ShadhinPay contract has two vendors, so the installation's other gateways must not be offered.
    const { paymentId, paymentUrl } = await shadhinpayPayment();
    const { page, complaints, leave } = await payerOf(paymentUrl);
    const offered = await page.locator('button[name=gateway]').allTextContents();
    expect(offered.map((text) => text.trim()).sort()).toEqual(['Nagad', 'bKash']);
    await choose(page, label);
    await payThere(page);
    await succeeded(page);
    expect(await shadhinpayCall('GET', `/payments/${paymentId}`)).toMatchObject({ status: 'COMPLETED', vendor });
    expect(complaints).toEqual([]);
    await leave();
  });

  test('leaves a ledger that can be proved', async () => {
    // The ledger accounts of every gateway must agree with the gateway's evidence.
    expect(await verify(stack.directory)).toMatchObject({ exitCode: 0 });
  });
});
