import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { launchBrowser } from '../support/browser.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';
import { until } from '../support/until.ts';
import { emailOf, findings, heading, passwordOf, PHONE, visit, type Visit } from './dashboard-visit.ts';
import { asOwner } from './owner.ts';
import { payAtGateway } from './payer.ts';
import { openTestShop, type ShopPayment, type TestShop } from './shop.ts';

let browser: Browser;
let stack: TestStack;
let shop: TestShop;
let payment: ShopPayment;

beforeAll(async () => {
  [browser, stack] = await Promise.all([launchBrowser(), startTestStack()]);
  shop = await openTestShop(stack);
  payment = await shop.create({ customerReference: 'cust_details' });
  await payAtGateway(payment.checkoutUrl);
  await until(async () => (await shop.read(payment.id)).status === 'SUCCEEDED');
});
afterAll(async () => {
  await browser.close();
  await stack.stop();
});

function operatorAt(role: string, path: string, options: BrowserContextOptions = {}): Promise<Visit> {
  return visit({ stack, browser, role, path, ...options });
}

test('a session that ends asks for the login above the page, which keeps what was typed', async () => {
  // Whoever is logged out in the middle of a sentence would type it again, or give up.
  const { page, leave } = await operatorAt('Support', `/test/payments/${payment.id}`);
  await page.getByRole('button', { name: 'Refund', exact: true }).click();
  await page.getByRole('dialog').getByLabel('Reason').fill('damaged on arrival');
  await page.context().clearCookies();
  const login = page.getByRole('dialog', { name: 'Log in to Lenden' });
  await login.getByText('keeps what you have typed').waitFor();
  expect(await findings(page)).toEqual([]);
  await page.keyboard.press('Escape');
  await login.getByLabel('Email').fill(emailOf(stack, 'Support'));
  await login.getByLabel('Password').first().fill(passwordOf(stack, 'Support'));
  await login.getByRole('button', { name: 'Log in' }).click();
  await login.waitFor({ state: 'detached' });
  expect(await page.getByRole('dialog').getByLabel('Reason').inputValue()).toBe('damaged on arrival');
  await page.getByRole('dialog').getByRole('button', { name: 'Ask for the refund' }).waitFor();
  await leave();
});

test('nothing of one person is shown to another who logs in after them', async () => {
  const { page, leave } = await operatorAt('Support', '/test/payments');
  await page.getByRole('link', { name: payment.reference }).waitFor();
  await page.evaluate('window.keptFromBefore = true');
  await page.context().clearCookies();
  const login = page.getByRole('dialog', { name: 'Log in to Lenden' });
  await login.getByLabel('Email').fill(emailOf(stack, 'Viewer'));
  await login.getByLabel('Password').first().fill(passwordOf(stack, 'Viewer'));
  await login.getByRole('button', { name: 'Log in' }).click();
  await login.waitFor({ state: 'detached' });
  await heading(page, 'Payments').waitFor();
  expect(await page.evaluate('window.keptFromBefore')).toBeUndefined();
  await leave();
});

test('without a connection a page says so and offers to try again', async () => {
  // A page that only shimmers leaves a person waiting for what cannot come.
  const { page, leave } = await operatorAt('Support', '/test');
  await heading(page, 'What needs a person').waitFor();
  await page.waitForLoadState('networkidle');
  await page.context().setOffline(true);
  await page.getByText('The connection is lost').waitFor();
  await page.getByRole('link', { name: 'Refunds' }).click();
  await page.getByText('Lenden could not be reached').waitFor();
  await page.context().setOffline(false);
  await page.getByText('The connection is lost').waitFor({ state: 'detached' });
  await page.getByText('No refund matches').waitFor();
  await leave();
});

test('the contact of a customer is shown to whoever asks for it', async () => {
  const { page, complaints, leave } = await operatorAt('Support', `/test/payments/${payment.id}`, { viewport: PHONE });
  await page.getByText('cust_details').waitFor();
  await asOwner(stack.dev.databaseUrl, {
    sql: `update payments set customer_email = 'rahima@example.com' where id = ?`,
    parameters: [payment.id],
  });
  expect(await page.getByText('rahima@example.com').count()).toBe(0);
  await page.getByRole('button', { name: 'Show the customer’s contact' }).click();
  await page.getByText('rahima@example.com').waitFor();
  expect(await findings(page)).toEqual([]);
  expect(complaints).toEqual([]);
  await leave();
});

test('a person chooses the columns of payments, and filters keep them', async () => {
  const { page, complaints, leave } = await operatorAt('Viewer', '/test/payments');
  const column = (name: string) => page.getByRole('columnheader', { name });
  await column('Customer').waitFor();
  await page.getByRole('button', { name: 'Columns' }).click();
  await page.getByRole('checkbox', { name: 'Gateway transaction id' }).check();
  await column('Gateway transaction id').waitFor();
  await page.getByRole('checkbox', { name: 'Customer', exact: true }).uncheck();
  await column('Customer').waitFor({ state: 'detached' });
  expect(await findings(page)).toEqual([]);
  await page.keyboard.press('Escape');
  await page.getByRole('checkbox').first().waitFor({ state: 'detached' });
  await page.getByLabel('Status').selectOption('SUCCEEDED');
  await page.getByRole('button', { name: 'Apply' }).click();
  await page.waitForURL(/status=SUCCEEDED/);
  await column('Gateway transaction id').waitFor();
  expect(await column('Customer').count()).toBe(0);
  await page.getByRole('button', { name: 'Columns' }).click();
  await page.getByRole('button', { name: 'The usual columns' }).click();
  await column('Customer').waitFor();
  expect(new URL(page.url()).search).toBe('?status=SUCCEEDED');
  expect(complaints).toEqual([]);
  await leave();
});

test('a filtered list is saved as a view, found again, and deleted', async () => {
  const { page, complaints, leave } = await operatorAt('Support', '/test/payments?status=SUCCEEDED');
  await page.getByRole('button', { name: 'Save this view' }).click();
  await page.getByRole('dialog').getByLabel('Name').fill('Paid ones');
  await page.getByRole('dialog').getByRole('button', { name: 'Save this view' }).click();
  const bar = page.getByRole('navigation', { name: 'Saved views' });
  await bar.getByRole('link', { name: 'Everything' }).click();
  await page.waitForURL('**/test/payments');
  await page.reload();
  await bar.getByRole('link', { name: 'Paid ones' }).click();
  await page.waitForURL('**/test/payments?status=SUCCEEDED');
  expect(await page.getByLabel('Status').inputValue()).toBe('SUCCEEDED');
  expect(await findings(page)).toEqual([]);
  // From anywhere.
  await page.getByRole('link', { name: 'Home' }).click();
  await page.keyboard.press('Control+k');
  await page.getByRole('button', { name: 'Paid ones' }).click();
  await page.waitForURL('**/test/payments?status=SUCCEEDED');
  await bar.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await bar.getByRole('link', { name: 'Paid ones' }).waitFor({ state: 'detached' });
  expect(complaints).toEqual([]);
  await leave();
});
