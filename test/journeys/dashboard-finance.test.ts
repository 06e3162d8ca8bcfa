import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { z } from 'zod';
import { BUSINESS_TIME_ZONE, calendarIn } from '../../domain/calendar.ts';
import { addDays } from '../../domain/plain-date.ts';
import { TRADING_GATEWAYS } from '../../proofs/trade/gateways.ts';
import { payOut, sell } from '../../proofs/trade/sales.ts';
import { control } from '../../proofs/trade/simulators.ts';
import { readOrMakeMasterKey } from '../../scripts/development/development-secrets.ts';
import { launchBrowser } from '../support/browser.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';
import { until } from '../support/until.ts';
import { findings, heading, PHONE, visit } from './dashboard-visit.ts';
import { asOwner } from './owner.ts';

let browser: Browser;
let stack: TestStack;
let settlement: Buffer;
let statement: Buffer;

beforeAll(async () => {
  [browser, stack] = await Promise.all([launchBrowser(), startTestStack()]);
  const { dev } = stack;
  const [sslcommerz] = TRADING_GATEWAYS;
  if (sslcommerz === undefined) {
    throw new Error('no gateway trades');
  }
  const masterKey = process.env['LENDEN_MASTER_KEY'] ?? readOrMakeMasterKey(stack.directory);
  await sell({ dev, masterKey, payments: 3 }, sslcommerz);
  await asOwner(dev.databaseUrl, { sql: 'update applications set refund_approval_threshold_minor = 0' });
  const today = calendarIn(BUSINESS_TIME_ZONE).today(new Date());
  await payOut(dev, sslcommerz, { until: addDays(today, 14), seed: '1', spreadDays: 1, faults: { foreign: 1 } });
  const bytesAt = async (path: string): Promise<Buffer> => Buffer.from(await (await control(dev, path)).arrayBuffer());
  settlement = await bytesAt(`/payouts/files/lines.csv?${new URLSearchParams(sslcommerz.merchant)}`);
  statement = await bytesAt('/bank/statement.sta');
});
afterAll(async () => {
  await browser.close();
  await stack.stop();
});

test('a payout file and a bank statement are uploaded, and the case that they open is closed by two people', async () => {
  // Covers a day of finance without a shell: nothing is stored before the preview is confirmed, and no one person writes a difference off.
  const finance = await visit({ stack, browser, role: 'Finance', path: '/live/payout-files' });
  const { page } = finance;
  await page.getByRole('link', { name: 'Upload a file' }).click();
  await page
    .locator('input[type=file]')
    .setInputFiles({ name: 'settlement.csv', mimeType: 'text/csv', buffer: settlement });
  await page.getByRole('heading', { name: 'Preview' }).waitFor();
  expect(await page.getByRole('table', { name: 'Preview' }).getByRole('row').count()).toBeGreaterThan(3);
  expect(await findings(page)).toEqual([]);
  expect(await files()).toBe(0);
  await page.getByRole('button', { name: 'Save the mapping and upload' }).click();
  await heading(page, 'settlement.csv').waitFor();
  await page.getByText('Imported', { exact: true }).waitFor();
  expect(await findings(page)).toEqual([]);

  await page.getByRole('link', { name: 'Payout files' }).click();
  await page.getByRole('link', { name: 'Upload a file' }).click();
  await page
    .locator('input[type=file]')
    .setInputFiles({ name: 'statement.sta', mimeType: 'text/plain', buffer: statement });
  await page.getByRole('button', { name: 'Upload', exact: true }).click();
  await heading(page, 'statement.sta').waitFor();
  await page.getByText('Imported', { exact: true }).waitFor();

  await page.getByRole('link', { name: 'Payouts', exact: true }).click();
  await page.getByRole('table', { name: 'Payouts' }).getByRole('link').first().click();
  await page.getByRole('table', { name: 'Kind' }).waitFor();
  await page.getByRole('table', { name: 'Lines' }).waitFor();
  expect(await findings(page)).toEqual([]);

  // A payment's page leads to the payout that it is in.
  await page.getByRole('link', { name: 'Payments', exact: true }).click();
  await page.getByRole('table', { name: 'Payments' }).getByRole('link').first().click();
  await page.getByRole('link', { name: /^po_/ }).first().click();
  await page.getByRole('table', { name: 'Lines' }).waitFor();

  await page.getByRole('link', { name: 'Payout cases' }).click();
  const found = page.getByRole('link', { name: 'The line names nothing that we know' });
  await found.click();
  await page.getByRole('button', { name: 'Take this case' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Take this case' }).click();
  await page.getByRole('button', { name: 'Give it back' }).waitFor();
  await page.getByRole('button', { name: 'Accept', exact: true }).click();
  await page.getByRole('dialog').getByLabel('Why do you decide so?').fill('The bank took a charge of another shop');
  await page.getByRole('dialog').getByRole('button', { name: 'Accept' }).click();
  await page.getByText('another person has to agree').waitFor();
  expect(await page.getByRole('button', { name: 'Agree' }).count()).toBe(0);
  const caseUrl = new URL(page.url()).pathname.replace('/admin', '');

  const second = await visit({ stack, browser, role: 'Super Admin', path: caseUrl, viewport: PHONE });
  await second.page.getByText('The bank took a charge of another shop').first().waitFor();
  expect(await findings(second.page)).toEqual([]);
  await second.page.getByRole('button', { name: 'Agree' }).click();
  await second.page.getByRole('dialog').getByRole('button', { name: 'Agree' }).click();
  await second.page.getByText('Closed: accepted').waitFor();
  await until(async () => (await page.getByText('Closed: accepted').count()) === 1);

  await page.getByRole('link', { name: 'Ledger' }).click();
  await page.getByText('Debits and credits agree').first().waitFor();
  expect([...finance.complaints, ...second.complaints]).toEqual([]);
  await finance.leave();
  await second.leave();
});

async function files(): Promise<number> {
  const [row] = await asOwner(stack.dev.databaseUrl, {
    sql: `select count(*)::int as files from payout_files where kind <> 'api'`,
  });
  return z.object({ files: z.int() }).parse(row).files;
}
