import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium, type Browser, type Page } from 'playwright-core';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { workflowIds } from '../workflows/messages/names.ts';
import { findRunningStack, type DevFile } from './dev-file.ts';

/**
 * Takes the README's pictures from the running stack: the checkout on a phone in both languages and on a desktop, the
 * result page, the payment's workflow in the Temporal UI, and the reference page.
 */
const { values } = parseArgs({
  options: {
    directory: { type: 'string', default: '.lenden' },
    into: { type: 'string', default: resolve(import.meta.dirname, '../docs/images') },
  },
});

const PHONE = { width: 390, height: 760 };
const DESKTOP = { width: 1100, height: 700 };
const WIDE = { width: 1380, height: 840 };
const BYTES_MAX = 200_000;
const BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

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
  const docs = new URL('/docs', dev.api).href;
  if ((await fetch(docs)).ok) {
    await take(browser, { name: 'docs', url: docs, size: WIDE, first: untilOperationsShown });
  }
}

interface Picture {
  readonly name: string;
  readonly url: string;
  readonly size: { readonly width: number; readonly height: number };
  /** Brings the page to where the picture is taken. */
  readonly first?: (page: Page) => Promise<void>;
}

async function take(browser: Browser, { name, url, size, first }: Picture): Promise<void> {
  const context = await browser.newContext({ viewport: size, colorScheme: 'light', locale: 'en-US' });
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

async function untilWorkflowShown(page: Page): Promise<void> {
  await page.getByText('settlePayment').first().waitFor();
  // The timeline slides into its place.
  await page.waitForTimeout(1_500);
}

async function untilOperationsShown(page: Page): Promise<void> {
  await page.getByText('/payments').first().waitFor();
  await page.waitForTimeout(500);
}

async function createPayment(dev: DevFile): Promise<z.infer<typeof Created>['data']> {
  const { apiKey, apiSecret } = dev.apps.native.test;
  const response = await fetch(`${dev.api}/payments`, {
    method: 'POST',
    headers: {
      'X-Api-Key': apiKey,
      'X-Api-Secret': apiSecret,
      'Content-Type': 'application/json',
      'Idempotency-Key': randomUUID(),
    },
    body: JSON.stringify({ amountMinor: 125_000, customerReference: 'cust_123', productName: 'Pro plan, one month' }),
  });
  return Created.parse(await response.json()).data;
}
