import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Locator } from 'playwright-core';
import { z } from 'zod';
import { launchBrowser } from '../support/browser.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';
import { until } from '../support/until.ts';
import { findings, heading, PHONE, visit } from './dashboard-visit.ts';
import { asOwner } from './owner.ts';
import { payAtGateway } from './payer.ts';
import { openTestShop, type TestShop } from './shop.ts';

const run = promisify(execFile);
/** How each sample of the dashboard is run: what it is written to, and by which command. */
const RUNNERS = {
  curl: ['sample.sh', 'bash'],
  Node: ['sample.mjs', process.execPath],
  PHP: ['sample.php', 'php'],
  Python: ['sample.py', 'python3'],
} as const;

let browser: Browser;
let stack: TestStack;
let shop: TestShop;

/** The shop's receiver takes every event. */
const receiver = createServer((_request, response) => response.writeHead(204).end());

beforeAll(async () => {
  [browser, stack] = await Promise.all([launchBrowser(), startTestStack()]);
  await new Promise<void>((listening) => receiver.listen(0, '127.0.0.1', listening));
  const { port } = receiver.address() as AddressInfo;
  shop = await openTestShop(stack, {
    refundApprovalThresholdMinor: 1n,
    testWebhookUrl: `http://127.0.0.1:${port}/webhooks`,
  });
});
afterAll(async () => {
  await browser.close();
  await stack.stop();
  receiver.closeAllConnections();
  await new Promise((closed) => receiver.close(closed));
});

test('an application is added, its secrets are shown once, and each sample takes a payment as it stands', async () => {
  // Covers onboarding: a sample that needs a correction costs every integrator an hour.
  const folder = mkdtempSync(join(tmpdir(), 'lenden-samples-'));
  const { page, complaints, leave } = await visit({ stack, browser, role: 'Admin', path: '/test/applications' });
  await page.getByRole('link', { name: 'Add an application' }).click();
  await page.getByLabel('Name').fill('Book shop');
  // The second click of a double click makes no second application, whose keys nobody would see.
  await page.getByRole('button', { name: 'Create it and show the keys' }).dblclick();
  await heading(page, 'Keys and secrets of the new application').waitFor();
  expect(await page.getByText(/^whsec_/).count()).toBe(2);
  expect(await findings(page)).toEqual([]);
  const urls = new Set<string>();
  for (const [language, [file, command]] of Object.entries(RUNNERS)) {
    await page.getByRole('tab', { name: language }).click();
    const sample = (await page.getByRole('tabpanel').locator('pre').textContent()) ?? '';
    writeFileSync(join(folder, file), sample);
    const { stdout } = await run(command, [join(folder, file)]);
    urls.add(/https?:\/\/[^"\s]+\/checkout\/[^"\s]+/.exec(stdout)?.[0] ?? stdout);
  }
  // The samples share an idempotency key, so all of them find the payment of the first.
  expect([...urls]).toEqual([expect.stringMatching(/\/checkout\/pay_/)]);
  rmSync(folder, { recursive: true });
  await page.getByRole('link', { name: 'Go to the application' }).click();
  await heading(page, 'Book shop').waitFor();
  expect(await page.getByText(/^whsec_/).count()).toBe(0);
  const named = await asOwner(stack.dev.databaseUrl, { sql: `select id from applications where name = 'Book shop'` });
  expect(named).toHaveLength(1);
  expect(complaints).toEqual([]);
  await leave();
});

test('five tasks of a first-time operator take at most four clicks each', async () => {
  // Covers the everyday work: whoever has to search for a button asks a developer instead.
  const payment = await shop.create({ customerReference: 'cust_five' });
  await payAtGateway(payment.checkoutUrl);
  await until(async () => (await shop.read(payment.id)).status === 'SUCCEEDED');
  const open = await shop.create({ customerReference: 'cust_open' });
  const [attempt] = await asOwner(stack.dev.databaseUrl, {
    sql: 'select gateway_txn_id from payment_attempts where payment_id = ?',
    parameters: [payment.id],
  });
  const { gateway_txn_id: txnId } = z.object({ gateway_txn_id: z.string() }).parse(attempt);
  const clicks: Record<string, number> = {};
  const support = await visit({ stack, browser, role: 'Support', path: '/test' });
  const { page } = support;
  const click = counter();

  await page.getByRole('banner').getByRole('searchbox').fill(txnId);
  await page.keyboard.press('Enter');
  await click(page.getByRole('link', { name: payment.reference }));
  await heading(page, payment.reference).waitFor();
  clicks['find a payment by TrxID'] = click.count();

  await click(page.getByRole('link', { name: 'Payments', exact: true }));
  await click(page.getByRole('link', { name: open.reference }));
  await page.getByText('Waits for the payer').waitFor();
  clicks['say why it is open'] = click.count();

  await page.goto(`${stack.dev.admin}/test/payments/${payment.id}`);
  await click(page.getByRole('button', { name: 'Refund', exact: true }));
  await click(page.getByRole('button', { name: 'Ask for the refund' }));
  await page.getByText('Awaiting approval').waitFor();
  clicks['refund it'] = click.count();

  const finance = await visit({ stack, browser, role: 'Finance', path: '/test' });
  const clickAsFinance = counter();
  await clickAsFinance(finance.page.getByRole('link', { name: 'Refunds to approve' }));
  await clickAsFinance(finance.page.getByRole('table', { name: 'Refunds' }).getByRole('link').first());
  await clickAsFinance(finance.page.getByRole('button', { name: 'Approve' }));
  await clickAsFinance(finance.page.getByRole('dialog').getByRole('button', { name: 'Approve' }));
  await finance.page.getByText('Succeeded', { exact: true }).waitFor();
  clicks['approve it'] = clickAsFinance.count();

  const admin = await visit({ stack, browser, role: 'Admin', path: `/test/payments/${payment.id}` });
  const clickAsAdmin = counter();
  await clickAsAdmin(admin.page.getByRole('button', { name: 'Resend' }).first());
  await admin.page.getByText('Sent again').waitFor();
  clicks['resend its webhook'] = clickAsAdmin.count();

  for (const [task, count] of Object.entries(clicks)) {
    expect([task, count <= 4]).toEqual([task, true]);
  }
  expect([...support.complaints, ...finance.complaints, ...admin.complaints]).toEqual([]);
  await Promise.all([support.leave(), finance.leave(), admin.leave()]);
});

test('a webhook that was given up is found from the inbox, read attempt by attempt, and sent again', async () => {
  const { page, complaints, leave } = await visit({ stack, browser, role: 'Admin', path: '/test' });
  await until(async () => (await openEvents()) === 0);
  await asOwner(stack.dev.databaseUrl, {
    sql: `update webhook_events set delivery_status = 'PARKED', next_attempt_at = null, next_sweep_at = null
          where application_id = ?::bigint and type = 'payment.succeeded'`,
    parameters: [shop.applicationId],
  });
  await page.reload();
  await page.getByRole('link', { name: 'Webhooks that were given up' }).click();
  expect(new URL(page.url()).search).toBe('?deliveryStatus=PARKED');
  await page.getByRole('link', { name: 'payment.succeeded' }).first().click();
  await heading(page, 'Attempts').waitFor();
  await page.getByText('"type": "payment.succeeded"').waitFor();
  expect(await findings(page)).toEqual([]);
  await page.getByRole('button', { name: 'Resend' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Resend' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.getByText('Given up').waitFor({ state: 'detached' });
  expect(complaints).toEqual([]);
  await leave();
});

test('time passes for a payment in TEST at the press of a button, and its page says how far', async () => {
  // A developer sees an expiry, and what it does to their shop, without waiting for half an hour.
  const { id } = await shop.create();
  const { page, complaints, leave } = await visit({ stack, browser, role: 'Admin', path: `/test/payments/${id}` });
  await page.getByText('Its clock shows the real time.').waitFor();
  expect(await findings(page)).toEqual([]);
  await page.getByRole('button', { name: 'To its expiry' }).click();
  await page.getByText(/^Its clock is \d+ minutes ahead\.$/).waitFor();
  await until(async () => (await shop.read(id)).status === 'EXPIRED');
  await page
    .getByText(/expired/i)
    .first()
    .waitFor();
  expect(complaints).toEqual([]);
  await leave();
});

test('a change that one person proposes is read in words and confirmed by another', async () => {
  const path = `/test/applications/${shop.applicationId}`;
  const admin = await visit({ stack, browser, role: 'Admin', path });
  await admin.page.getByRole('button', { name: 'Change settings' }).click();
  const dialog = admin.page.getByRole('dialog');
  await dialog.getByLabel('need a second person').fill('5,000.00');
  await dialog.getByRole('button', { name: 'Change settings' }).dblclick();
  await dialog.getByText('A second person has to confirm this change').waitFor();
  const second = await visit({ stack, browser, role: 'Super Admin', path: '/test', viewport: PHONE });
  await second.page.getByRole('link', { name: 'Changes that wait for a second person' }).click();
  await second.page.getByRole('button', { name: 'Confirm' }).click();
  const confirmation = second.page.getByRole('dialog');
  await confirmation.getByRole('row', { name: 'refund approval threshold BDT 0.01 BDT 5,000.00' }).waitFor();
  expect(await findings(second.page)).toEqual([]);
  await confirmation.getByRole('button', { name: 'Confirm' }).click();
  await confirmation.waitFor({ state: 'detached' });
  await dialog.getByRole('button', { name: 'Close' }).last().click();
  await admin.page.getByText('BDT 5,000.00').waitFor();
  expect([...admin.complaints, ...second.complaints]).toEqual([]);
  await Promise.all([admin.leave(), second.leave()]);
});

test('the command palette goes to a page, and finds what is typed', async () => {
  const { page, complaints, leave } = await visit({ stack, browser, role: 'Viewer', path: '/test' });
  await heading(page, 'What needs a person').waitFor();
  await page.keyboard.press('Control+K');
  const field = page.getByPlaceholder('Go to a page, or find anything');
  await field.fill('ledg');
  expect(await findings(page)).toEqual([]);
  await page.keyboard.press('Enter');
  await heading(page, 'Ledger').waitFor();
  await field.waitFor({ state: 'detached' });
  await page.keyboard.press('Control+K');
  await field.fill('cust_five');
  await page.keyboard.press('Enter');
  await page.getByText('by its customer').first().waitFor();
  await field.waitFor({ state: 'detached' });
  // A role finds nothing there that its menu does not have.
  await page.keyboard.press('Control+K');
  await field.fill('audit');
  expect(await page.getByRole('button', { name: 'Audit log' }).count()).toBe(0);
  expect(complaints).toEqual([]);
  await leave();
});

test('changing the mode keeps the page and its filter, except on a page of one thing', async () => {
  const { page, leave } = await visit({ stack, browser, role: 'Viewer', path: '/test/payments?gateway=sslcommerz' });
  const address = (): string => `${new URL(page.url()).pathname}${new URL(page.url()).search}`;
  await heading(page, 'Payments').waitFor();
  await page.getByText('LIVE', { exact: true }).click();
  await until(() => Promise.resolve(address() === '/admin/live/payments?gateway=sslcommerz'));
  await page.getByText('TEST', { exact: true }).click();
  await page.getByRole('table', { name: 'Payments' }).getByRole('link').first().click();
  await page.getByText('Timeline').waitFor();
  await page.getByText('LIVE', { exact: true }).click();
  await until(() => Promise.resolve(address() === '/admin/live/payments'));
  await leave();
});

async function openEvents(): Promise<number> {
  const [row] = await asOwner(stack.dev.databaseUrl, {
    sql: `select count(*)::int as open from webhook_events where application_id = ?::bigint and delivery_status <> 'DELIVERED'`,
    parameters: [shop.applicationId],
  });
  return z.object({ open: z.int() }).parse(row).open;
}

/** Returns a function that clicks, and counts the clicks of a task. */
function counter() {
  let made = 0;
  const click = async (target: Locator): Promise<void> => {
    made += 1;
    await target.click();
  };
  return Object.assign(click, {
    /** Returns the clicks since it was asked last. */
    count: (): number => {
      const counted = made;
      made = 0;
      return counted;
    },
  });
}
