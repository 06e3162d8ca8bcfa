import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { z } from 'zod';
import { codeOf } from '../api/admin/operator-world.ts';
import { launchBrowser } from '../support/browser.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';
import { until } from '../support/until.ts';
import { xssCorpus } from '../web/xss-corpus.ts';
import { emailOf, findings, heading, passwordOf, PHONE, visit, type Visit } from './dashboard-visit.ts';
import { signInOperators } from './operators.ts';
import { asOwner } from './owner.ts';
import { payAtGateway } from './payer.ts';
import { openTestShop, type ShopPayment, type TestShop } from './shop.ts';

/** Where every refund needs a second person. */
const THRESHOLD = { refundApprovalThresholdMinor: 1n };

let browser: Browser;
let stack: TestStack;
let shop: TestShop;
let payment: ShopPayment;

beforeAll(async () => {
  [browser, stack] = await Promise.all([launchBrowser(), startTestStack()]);
  shop = await openTestShop(stack, THRESHOLD);
  payment = await shop.create({ customerReference: 'cust_dashboard' });
});
afterAll(async () => {
  await browser.close();
  await stack.stop();
});

/** Opens the dashboard at a path as the demo's operator with this role. */
function operatorAt(role: string, path: string, options: BrowserContextOptions = {}): Promise<Visit> {
  return visit({ stack, browser, role, path, ...options });
}

/** Takes a payment. */
async function paid(): Promise<ShopPayment> {
  const created = await shop.create();
  await payAtGateway(created.checkoutUrl);
  await until(async () => (await shop.read(created.id)).status === 'SUCCEEDED');
  return created;
}

async function approveOn(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Approve' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Approve' }).click();
}

test('a payment arrives in the list, is refunded, and the refund is approved by another person on a phone', async () => {
  // Covers the way of money through the dashboard with the real back ends: nothing in it is shown before the server has said so.
  const support = await operatorAt('Support', '/test/payments?find=cust_dashboard');
  const { page } = support;
  await page.getByRole('link', { name: payment.reference }).waitFor();
  await payAtGateway(payment.checkoutUrl);
  // The list finds out by itself.
  await page.getByRole('cell', { name: 'Succeeded' }).waitFor();
  await page.getByRole('link', { name: payment.reference }).click();
  await heading(page, payment.reference).waitFor();
  await page.getByText('The gateway confirmed the charge').waitFor();
  expect(await page.locator('.state[aria-current]').textContent()).toBe('Succeeded');
  expect(await page.getByText('gateway:sslcommerz:clearing').count()).toBeGreaterThan(0);

  await page.getByRole('button', { name: 'Refund', exact: true }).click();
  await page.getByLabel('Amount in BDT').fill('100.01');
  await page.getByRole('button', { name: 'Ask for the refund' }).click();
  await page.getByText('Enter an amount that is left to refund').waitFor();
  await page.getByLabel('Amount in BDT').fill('40.50');
  await page.getByRole('button', { name: 'Ask for the refund' }).click();
  await page.getByText('Awaiting approval').waitFor();
  await page.getByRole('link', { name: 'BDT 40.50' }).click();
  await page.getByText('Your role does not include approving refunds').waitFor();
  expect(await page.getByRole('button', { name: 'Approve' }).count()).toBe(0);
  const refundUrl = new URL(page.url()).pathname.replace('/admin', '');

  const finance = await operatorAt('Finance', refundUrl, { viewport: PHONE });
  await heading(finance.page, 'Refund').waitFor();
  const approve = finance.page.getByRole('button', { name: 'Approve' });
  await approve.waitFor();
  // What decides is on the phone's first screen.
  expect((await approve.boundingBox())?.y).toBeLessThan(PHONE.height);
  await approve.click();
  // Once more, with what will happen.
  const confirmation = finance.page.getByRole('dialog', { name: 'of BDT 40.50' });
  await confirmation.getByText('cust_dashboard').waitFor();
  await confirmation.getByText(payment.reference).waitFor();
  expect((await shop.read(payment.id)).status).toBe('SUCCEEDED');
  await confirmation.getByRole('button', { name: 'Approve' }).click();
  await finance.page.getByText('Succeeded', { exact: true }).waitFor();
  expect(await shop.read(payment.id)).toMatchObject({ status: 'PARTIALLY_REFUNDED' });

  expect([...support.complaints, ...finance.complaints]).toEqual([]);
  await support.leave();
  await finance.leave();
});

test('what changes is shown before the page looks again by itself', async () => {
  const { page, complaints, leave } = await operatorAt('Support', '/test/payments?find=cust_live');
  await page.getByText('No payment matches').waitFor();
  const created = await shop.create({ customerReference: 'cust_live' });
  const row = page.getByRole('link', { name: created.reference });
  await row.waitFor();
  // From here on the page's time stands still, except for what a reading after an update takes: its own looks are ten seconds apart.
  await page.clock.install();
  await page.clock.pauseAt(Date.now() + 1_000);
  await payAtGateway(created.checkoutUrl);
  const paidCell = page.getByRole('cell', { name: 'Succeeded' });
  let passedMs = 0;
  await until(async () => {
    if ((await shop.read(created.id)).status === 'SUCCEEDED' && passedMs < 6_000) {
      await page.clock.runFor(400);
      passedMs += 400;
    }
    return (await paidCell.count()) > 0;
  });
  expect(complaints).toEqual([]);
  await leave();
});

test('whoever asked for a refund is told that another person has to approve it', async () => {
  const { id } = await paid();
  const { page, leave } = await operatorAt('Admin', `/test/payments/${id}`);
  await page.getByRole('button', { name: 'Refund', exact: true }).click();
  await page.getByRole('button', { name: 'Ask for the refund' }).click();
  await page.getByRole('link', { name: 'BDT 100.00' }).click();
  await page.getByText('another person has to approve it').waitFor();
  expect(await page.getByRole('button', { name: 'Approve' }).count()).toBe(0);
  await leave();
});

test('what is sensitive wants the password again, and says what it is for', async () => {
  const { id } = await paid();
  const as = await signInOperators(() => stack.dev);
  const { data: refund } = await as('Support', 'POST', `/admin/payments/${id}/refunds`, { amountMinor: 10_000 });
  const { page, complaints, leave } = await operatorAt(
    'Finance',
    `/test/refunds/${z.object({ id: z.int() }).parse(refund).id}`,
  );
  await page.getByRole('button', { name: 'Approve' }).waitFor();
  await asOwner(stack.dev.databaseUrl, {
    sql: `update operator_sessions set reauthenticated_at = reauthenticated_at - interval '1 hour'`,
    parameters: [],
  });
  await approveOn(page);
  const dialog = page.getByRole('dialog', { name: 'Confirm with your password' });
  await dialog.getByText('of BDT 100.00').waitFor();
  await dialog.getByLabel('Password').first().fill('a wrong one');
  await dialog.getByRole('button', { name: 'Confirm' }).click();
  await dialog.getByText('Email, password or code is wrong').waitFor();
  await dialog.getByLabel('Password').first().fill(passwordOf(stack, 'Finance'));
  await dialog.getByRole('button', { name: 'Confirm' }).click();
  await page.getByText('Succeeded', { exact: true }).waitFor();
  expect(complaints.filter((text) => !/40[13]/.test(text))).toEqual([]);
  await leave();
});

test('a change without a connection fails at once, and is never sent later', async () => {
  const { id } = await paid();
  const { page, leave } = await operatorAt('Support', `/test/payments/${id}`);
  const refund = page.getByRole('button', { name: 'Refund', exact: true });
  await refund.click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Amount in BDT').fill('7,00');
  await dialog.getByRole('button', { name: 'Ask for the refund' }).click();
  // A comma that is no separator of thousands may have been meant as a decimal point.
  await dialog.getByText('Enter an amount that is left to refund').waitFor();
  await dialog.getByLabel('Amount in BDT').fill('7.00');
  await page.context().setOffline(true);
  await dialog.getByRole('button', { name: 'Ask for the refund' }).click();
  await dialog.getByText('The answer did not arrive').waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  // Whoever works by keyboard goes on where they were.
  await until(() => page.evaluate("document.activeElement.textContent === 'Refund'"));
  await page.context().setOffline(false);
  await page.getByRole('link', { name: 'Refunds' }).click();
  await heading(page, 'Refunds').waitFor();
  expect(await shop.call('GET', `/payments/${id}/refunds`)).toEqual([]);
  await leave();
});

test('a refund whose answer is lost is asked for again and made once', async () => {
  const { id } = await paid();
  const { page, leave } = await operatorAt('Support', `/test/payments/${id}`);
  await page.getByRole('button', { name: 'Refund', exact: true }).click();
  let lost = 0;
  await page.route(`**/payments/${id}/refunds`, async (route) => {
    if (lost > 0) {
      return route.continue();
    }
    lost += 1;
    await route.fetch();
    return route.abort();
  });
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Ask for the refund' }).click();
  await dialog.getByText('The answer did not arrive').waitFor();
  await dialog.getByRole('button', { name: 'Ask for the refund' }).click();
  await dialog.waitFor({ state: 'detached' });
  expect(await shop.call('GET', `/payments/${id}/refunds`)).toHaveLength(1);
  await leave();
});

test('tabs share a session: what one confirms with the password, the other can do', async () => {
  const as = await signInOperators(() => stack.dev);
  const refunds: number[] = [];
  for (const { id } of [await paid(), await paid()]) {
    const { data } = await as('Support', 'POST', `/admin/payments/${id}/refunds`, { amountMinor: 10_000 });
    refunds.push(z.object({ id: z.int() }).parse(data).id);
  }
  const { page, leave } = await operatorAt('Finance', `/test/refunds/${refunds[0]}`);
  await page.getByRole('button', { name: 'Approve' }).waitFor();
  const other = await page.context().newPage();
  await other.goto(`${stack.dev.admin}/test/refunds/${refunds[1]}`);
  await other.getByRole('button', { name: 'Approve' }).waitFor();
  await asOwner(stack.dev.databaseUrl, {
    sql: `update operator_sessions set reauthenticated_at = reauthenticated_at - interval '1 hour'`,
  });
  await approveOn(page);
  const dialog = page.getByRole('dialog', { name: 'Confirm with your password' });
  await dialog.getByLabel('Password').first().fill(passwordOf(stack, 'Finance'));
  await dialog.getByRole('button', { name: 'Confirm' }).click();
  await page.getByText('Succeeded', { exact: true }).waitFor();
  await approveOn(other);
  await other.getByText('Succeeded', { exact: true }).waitFor();
  await leave();
});

test('a payment is found by whatever a person has at hand', async () => {
  const { id, reference } = await paid();
  const [attempt] = await asOwner(stack.dev.databaseUrl, {
    sql: `select gateway_txn_id from payment_attempts where payment_id = ?`,
    parameters: [id],
  });
  const { gateway_txn_id: txnId } = z.object({ gateway_txn_id: z.string() }).parse(attempt);
  // Found from the other mode too, and opened in its own.
  const { page, complaints, leave } = await operatorAt('Support', '/live');
  const box = page.getByRole('banner').getByRole('searchbox');
  await box.fill(`  ${txnId} `);
  await box.press('Enter');
  await page.getByText('by the gateway’s id').waitFor();
  expect(await findings(page)).toEqual([]);
  await page.getByRole('link', { name: reference }).click();
  await heading(page, reference).waitFor();
  expect(new URL(page.url()).pathname).toBe(`/admin/test/payments/${id}`);
  await box.fill('100.00');
  await box.press('Enter');
  await page.getByRole('link', { name: reference }).waitFor();
  expect(new URL(page.url()).search).toBe('?q=100.00');
  expect(complaints).toEqual([]);
  await leave();
});

test('speaks Bangla', async () => {
  const { page, complaints, leave } = await operatorAt('Viewer', '/test');
  await heading(page, 'What needs a person').waitFor();
  await page.getByRole('button', { name: 'Signed in as' }).click();
  await page.getByRole('menuitem', { name: 'বাংলা' }).click();
  await heading(page, 'যা মানুষের অপেক্ষায়').waitFor();
  expect(await page.evaluate('document.documentElement.lang')).toBe('bn');
  await page.reload();
  await heading(page, 'যা মানুষের অপেক্ষায়').waitFor();
  expect(await findings(page)).toEqual([]);
  expect(complaints).toEqual([]);
  await leave();
});

test('a payment of TEST is not shown under the address of LIVE', async () => {
  const { page, leave } = await operatorAt('Viewer', `/live/payments/${payment.id}`);
  await page.getByText('This does not exist').waitFor();
  expect(await page.getByText(payment.reference).count()).toBe(0);
  await leave();
});

test('a role sees only what it may use', async () => {
  const { page, leave } = await operatorAt('Viewer', `/test/payments/${payment.id}`);
  await heading(page, payment.reference).waitFor();
  expect(await page.getByRole('button', { name: 'Refund', exact: true }).count()).toBe(0);
  expect(await page.getByRole('button', { name: 'Resend' }).count()).toBe(0);
  await leave();
});

test('hostile text stays text', async () => {
  // A customer's reference is a stranger's text on an operator's screen.
  const hostile = xssCorpus.filter((text) => text.length <= 255).slice(0, 12);
  for (const customerReference of hostile) {
    await shop.create({ customerReference });
  }
  const { page, complaints, leave } = await operatorAt('Viewer', '/test/payments');
  for (const text of hostile) {
    await page.getByRole('cell', { name: text, exact: true }).first().waitFor();
  }
  expect(complaints).toEqual([]);
  await leave();
});

test('whoever has forgotten their password has a link emailed, and gets no hint of who is an operator', async () => {
  const context = await browser.newContext({ viewport: PHONE, locale: 'bn-BD' });
  const page = await context.newPage();
  await page.goto(`${stack.dev.admin}/live`);
  await page.getByRole('button', { name: 'পাসওয়ার্ড ভুলে গেছেন?' }).click();
  await heading(page, 'নতুন পাসওয়ার্ড দিন').waitFor();
  expect(await findings(page)).toEqual([]);
  await page.getByLabel('ইমেইল').fill('nobody@example.com');
  await page.getByRole('button', { name: 'আমাকে লিংক পাঠান' }).click();
  await page.getByRole('status').waitFor();
  await page.getByRole('button', { name: 'লগ ইনে ফিরে যান' }).click();
  await page.getByRole('button', { name: 'লগ ইন', exact: true }).waitFor();
  await context.close();
});

test('the first load is at most 250 kB', async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${stack.dev.admin}/live`);
  await page.getByRole('button', { name: 'Log in' }).waitFor();
  const loaded: unknown = await page.evaluate(
    `performance.getEntries().filter((entry) => 'encodedBodySize' in entry).map(({ name, encodedBodySize }) => [name, encodedBodySize])`,
  );
  const sizes = z.array(z.tuple([z.string(), z.number()])).parse(loaded);
  expect(sizes.some(([name]) => name.endsWith('.js'))).toBe(true);
  expect(sizes.reduce((sum, [, bytes]) => sum + bytes, 0)).toBeLessThanOrEqual(250_000);
  await context.close();
});

// The last test, because it changes how the Viewer logs in.
test('a second factor is set up, and asked for at the next login', async () => {
  const { page, complaints, leave } = await operatorAt('Viewer', '/test/account');
  await page.getByRole('button', { name: 'Set up a second factor' }).click();
  await page.getByRole('img', { name: 'QR code for the authenticator app' }).waitFor();
  const secret = (await page.locator('code').first().textContent()) ?? '';
  await page.getByLabel('Code from your authenticator app').first().fill(codeOf(secret));
  await page.getByRole('button', { name: 'Confirm the code' }).click();
  await page.getByText('Keep these recovery codes').waitFor();
  const [recoveryCode = ''] = await page.getByRole('listitem').allTextContents();
  expect(await findings(page)).toEqual([]);
  await page.getByRole('button', { name: 'Signed in as' }).click();
  await page.getByRole('menuitem', { name: 'Log out' }).click();
  await page.getByLabel('Email').fill(emailOf(stack, 'Viewer'));
  await page.getByLabel('Password').first().fill(passwordOf(stack, 'Viewer'));
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByText('Your account has a second factor').waitFor();
  await page.getByLabel('or a recovery code').fill(recoveryCode);
  await page.getByRole('button', { name: 'Log in' }).click();
  await heading(page, 'My account').waitFor();
  expect(complaints.filter((text) => !text.includes('401'))).toEqual([]);
  await leave();
});
