import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium, type Browser, type Page } from 'playwright-core';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { workflowIds } from '../../workflows/messages/names.ts';
import { findRunningStack, type DevFile } from '../development/dev-file.ts';

/**
 * Takes the README's pictures from the running stack: the checkout on a phone in both languages and on a desktop, the result page, the payment's
 * workflow in the Temporal UI, the dashboard, the page and the workflow of an invoice, and the reference page. With `--only`, it takes only those whose names begin
 * with the given text.
 */
const { values } = parseArgs({
  options: {
    directory: { type: 'string', default: '.lenden' },
    only: { type: 'string', default: '' },
    into: { type: 'string', default: resolve(import.meta.dirname, '../../docs/images') },
  },
});

const PHONE = { width: 390, height: 760 };
const DESKTOP = { width: 1100, height: 700 };
const WIDE = { width: 1380, height: 840 };
const BYTES_MAX = 200_000;
const BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

const Billed = z.object({ data: z.object({ id: z.int(), payableUrl: z.url() }) });
const Session = z.object({ data: z.object({ token: z.string() }) });
const Found = z.object({ data: z.array(z.object({ id: z.int() })) });
const Created = z.object({ data: z.object({ reference: z.string(), checkoutUrl: z.url() }) });

const dev = await findRunningStack(values.directory);
if (dev === undefined) {
  throw new Error(`no stack runs in ${values.directory}. Start one with npm start.`);
}
mkdirSync(values.into, { recursive: true });
const executablePath = process.env['CHROMIUM'] ?? BROWSERS.find((path) => existsSync(path));
const browser = await chromium.launch({
  ...(executablePath === undefined ? {} : { executablePath }),
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--hide-scrollbars'],
});
try {
  await takeAll(browser, dev);
} finally {
  await browser.close();
}

async function takeAll(browser: Browser, dev: DevFile): Promise<void> {
  const { reference, checkoutUrl } = await createPayment(dev);
  await take(browser, { name: 'checkout-phone', url: checkoutUrl, size: PHONE });
  await take(browser, { name: 'checkout-phone-bn', url: `${checkoutUrl}?lang=bn`, size: PHONE });
  await take(browser, { name: 'checkout-desktop', url: checkoutUrl, size: DESKTOP });
  await take(browser, { name: 'result', url: checkoutUrl, size: PHONE, first: pay });
  await take(browser, {
    name: 'temporal-ui',
    url: `${dev.temporal.ui}/namespaces/${dev.temporal.namespace}/workflows/${encodeURIComponent(workflowIds.payment(reference))}`,
    size: WIDE,
    first: untilWorkflowShown,
  });
  await takeDashboard(browser, dev);
  const { payableUrl } = await bill(dev);
  await take(browser, { name: 'payable-phone', url: payableUrl, size: PHONE });
  await take(browser, { name: 'payable-phone-bn', url: `${payableUrl}?lang=bn`, size: PHONE });
  await take(browser, {
    name: 'payable-temporal-ui',
    url: `${dev.temporal.ui}/namespaces/${dev.temporal.namespace}/workflows/${encodeURIComponent(workflowIds.invoice(lastPart(payableUrl)))}`,
    size: WIDE,
    first: untilInvoiceShown,
  });
  const docs = new URL('/docs', dev.api).href;
  if ((await fetch(docs)).ok) {
    await take(browser, { name: 'docs', url: docs, size: WIDE, first: untilOperationsShown });
  }
}

async function takeDashboard(browser: Browser, dev: DevFile): Promise<void> {
  const first = (page: Page): Promise<void> => logIn(page, dev);
  const [newest] = Found.parse(await asOperator(dev, '/admin/payments?mode=TEST&status=SUCCEEDED&size=1')).data;
  const payment = `${dev.admin}/test/payments/${newest?.id ?? ''}`;
  await take(browser, { name: 'dashboard-home', url: `${dev.admin}/test`, size: DESKTOP, first });
  await take(browser, { name: 'dashboard-payment', url: payment, size: { ...DESKTOP, height: 1_150 }, first });
  await take(browser, { name: 'dashboard-reports', url: `${dev.admin}/test/reports`, size: DESKTOP, first });
  await take(browser, { name: 'dashboard-application', url: `${dev.admin}/test/applications/1`, size: DESKTOP, first });
  await take(browser, { name: 'dashboard-phone', url: payment, size: PHONE, scheme: 'dark', first });
  await take(browser, {
    name: 'dashboard-phone-bn',
    url: `${dev.admin}/test/payments`,
    size: PHONE,
    locale: 'bn-BD',
    first,
  });
}

interface Picture {
  readonly name: string;
  readonly url: string;
  readonly size: { readonly width: number; readonly height: number };
  readonly scheme?: 'light' | 'dark';
  readonly locale?: string;
  /** Prepares the page for the picture. */
  readonly first?: (page: Page) => Promise<void>;
}

async function take(
  browser: Browser,
  { name, url, size, scheme = 'light', locale = 'en-US', first }: Picture,
): Promise<void> {
  if (!name.startsWith(values.only)) {
    return;
  }
  const context = await browser.newContext({ viewport: size, colorScheme: scheme, locale });
  try {
    const page = await context.newPage();
    await page.goto(url, { waitUntil: 'load' });
    await first?.(page);
    const path = join(values.into, `${name}.png`);
    await page.screenshot({ path, animations: 'disabled' });
    const { size: bytes } = statSync(path);
    console.log(`${path} ${Math.round(bytes / 1_000)} kB`);
    if (bytes > BYTES_MAX) {
      throw new Error(`${name}.png is larger than ${BYTES_MAX / 1_000} kB`);
    }
  } finally {
    await context.close();
  }
}

async function pay(page: Page): Promise<void> {
  await page.locator('form[action*="/continue"] button').click();
  await page.locator('button[value=pay]').click();
  await page.getByRole('heading', { name: 'Payment successful' }).waitFor();
}

async function logIn(page: Page, { operators }: DevFile): Promise<void> {
  const [operator] = operators;
  await page.locator('[name=email]').fill(operator?.email ?? '');
  await page.locator('[name=password]').fill(operator?.password ?? '');
  await page.locator('button[type=submit]').click();
  await page.locator('nav').first().waitFor({ state: 'attached' });
  // Until everything that the page asks for is there.
  await page.waitForTimeout(1_500);
}

async function asOperator(dev: DevFile, path: string): Promise<unknown> {
  const [operator] = dev.operators;
  const login = await fetch(`${dev.api}/auth/login`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ email: operator?.email, password: operator?.password }),
  });
  const { token } = Session.parse(await login.json()).data;
  return (await fetch(dev.api + path, { headers: { Authorization: `Bearer ${token}` } })).json();
}

async function untilWorkflowShown(page: Page): Promise<void> {
  await page.getByText('verifyPayment').first().waitFor();
  // Waits for the timeline's animation.
  await page.waitForTimeout(1_500);
}

async function untilInvoiceShown(page: Page): Promise<void> {
  await page.getByText('driveInvoice').first().waitFor();
  await page.waitForTimeout(1_500);
}

function lastPart(url: string): string {
  return new URL(url).pathname.split('/').at(-1) ?? '';
}

async function untilOperationsShown(page: Page): Promise<void> {
  await page.getByText('/payments').first().waitFor();
  await page.waitForTimeout(500);
}

async function createPayment(dev: DevFile): Promise<z.infer<typeof Created>['data']> {
  const body = { amountMinor: 125_000, customerReference: 'cust_123', productName: 'Pro plan, one month' };
  return Created.parse(await send(dev, { method: 'POST', path: '/payments', body })).data;
}

/** Creates an invoice in three installments, the first of which is due today. */
async function bill(dev: DevFile): Promise<z.infer<typeof Billed>['data']> {
  await send(dev, {
    method: 'PUT',
    path: '/invoices/template',
    body: {
      companyName: 'Rupali Books & Stationery',
      companyAddress: '14/2 Nilkhet Road\nDhaka 1205',
      accentColor: '#0b6b4f',
    },
  });
  const body = {
    customerReference: 'cust_123',
    lineItems: [
      { description: 'Three novels, hard cover', qty: 3, unitAmountMinor: 125_000 },
      { description: 'Desk lamp with dimmer', qty: 1, unitAmountMinor: 345_050 },
    ],
    plan: { count: 3, every: 'MONTH', firstDueDate: new Date(Date.now() + 6 * 3_600_000).toISOString().slice(0, 10) },
    reminders: { beforeDays: [3] },
  };
  return Billed.parse(await send(dev, { method: 'POST', path: '/invoices', body })).data;
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly body: object;
}

async function send(dev: DevFile, { method, path, body }: Call): Promise<unknown> {
  const { apiKey, apiSecret } = dev.apps.native.test;
  const response = await fetch(`${dev.api}${path}`, {
    method,
    headers: {
      'X-Api-Key': apiKey,
      'X-Api-Secret': apiSecret,
      'Content-Type': 'application/json',
      'Idempotency-Key': randomUUID(),
    },
    body: JSON.stringify(body),
  });
  return response.json();
}
