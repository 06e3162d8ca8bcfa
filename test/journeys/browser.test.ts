import { AxeBuilder } from '@axe-core/playwright';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { launchBrowser } from '../support/browser.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';
import { asOwner, attemptReference } from './owner.ts';
import { openTestShop, type ShopPayment, type TestShop } from './shop.ts';
import { tellGateway } from './simulator.ts';
import { verify } from './verify.ts';
import { longTest, oneOfEach } from '../support/long.ts';
import { PATIENCE_MS, until } from '../support/until.ts';

const PHONE = { width: 390, height: 844 };
const DESKTOP = { width: 1280, height: 800 };

let browser: Browser;
let stack: TestStack;
let shop: TestShop;
let hasty: TestShop;
let storefront: Server;
let returnUrl: string;
/** Left at the start, on our page or at the gateway, so that they have expired when their test runs. */
let left: ShopPayment;
let leftAtGateway: ShopPayment;

beforeAll(async () => {
  [browser, stack] = await Promise.all([launchBrowser(), startTestStack()]);
  [shop, hasty] = [await openTestShop(stack), await openTestShop(stack, { expiryMinutes: 1 })];
  storefront = createServer((_request, response) => response.end('<!doctype html><h1>Thank you</h1>'));
  await new Promise<void>((resolve) => storefront.listen(0, '127.0.0.1', resolve));
  const { port } = storefront.address() as AddressInfo;
  returnUrl = `http://127.0.0.1:${port}/orders/7`;
  left = await hasty.create({ returnUrl });
  leftAtGateway = await hasty.create();
  const { page, leave } = await payerAt(leftAtGateway.checkoutUrl);
  await button(page, 'Continue to payment').click();
  await page.locator('button[value=leave]').click();
  await leave();
});

afterAll(async () => {
  await browser.close();
  storefront.close();
  await stack.stop();
});

/** Opens a payer's browser that records script errors, blocked resources and policy reports of our pages. */
async function payerAt(
  url: string,
  options: BrowserContextOptions = {},
): Promise<{ page: Page; complaints: string[]; leave: () => Promise<void> }> {
  const context = await browser.newContext({ viewport: PHONE, ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.location().url.startsWith(stack.dev.web)) {
      complaints.push(message.text());
    }
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(url);
  return { page, complaints, leave: () => context.close() };
}

function button(page: Page, name: string) {
  return page.getByRole('button', { name });
}

/**
 * Presses a button on the gateway's page and returns. The gateway's script sends the payer back, or without scripts its
 * button does.
 */
async function chooseAtGateway(page: Page, outcome: 'pay' | 'fail' | 'cancel', script = true): Promise<void> {
  await page.waitForURL(`${stack.dev.simulators}/**`);
  await page.locator(`button[name=outcome][value=${outcome}]`).click();
  if (!script) {
    await button(page, 'Continue to the merchant').click();
  }
  await page.waitForURL(`${stack.dev.web}/checkout/**`);
}

async function outcome(page: Page, title: string): Promise<void> {
  try {
    await page.getByRole('heading', { name: title }).waitFor({ timeout: PATIENCE_MS });
  } catch {
    throw new Error(`no "${title}" within ${PATIENCE_MS / 1_000} s. ${await situation(page)}`);
  }
}

/** Returns what the page and the service say about the payment, for the report of a failed run. */
async function situation(page: Page): Promise<string> {
  const [, reference] = /checkout\/(pay_\w+)/.exec(page.url()) ?? [];
  const callbacks = await asOwner(stack.dev.databaseUrl, {
    sql: `select p.status, p.callback_signalled_at, p.last_signalled_at, c.kind, c.outcome, c.created_at, c.consumed_at
          from payments p left join gateway_callbacks c on c.payment_id = p.id where p.reference = ? order by c.id`,
    parameters: [reference ?? ''],
  });
  return `${page.url()} shows "${await page.locator('h1').textContent()}"; now ${new Date().toISOString()}: ${JSON.stringify(callbacks)}`;
}

async function seriousFindings(page: Page): Promise<unknown[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.map(({ id, impact, nodes }) => [id, impact, nodes[0]?.html]);
}

function sidewaysScroll(page: Page): Promise<unknown> {
  return page.evaluate('document.documentElement.scrollWidth - innerWidth');
}

describe('a payer in a browser', () => {
  test.each(
    oneOfEach([
      ['phone', PHONE],
      ['desktop', DESKTOP],
    ] as const),
  )('pays at %s width and goes back to the shop', async (_name, viewport) => {
    // Covers the main journey in a browser: from our page to the gateway, to the outcome and to the shop.
    const payment = await shop.create({ returnUrl });
    const { page, complaints, leave } = await payerAt(payment.checkoutUrl, { viewport });
    expect(await page.locator('.amount').textContent()).toContain('BDT\u00a0100.00');
    expect(await page.locator('body').textContent()).toContain('Pro plan');
    expect(await page.getByText('left').first().isVisible()).toBe(true);
    expect([await seriousFindings(page), await sidewaysScroll(page)]).toEqual([[], 0]);
    await button(page, 'Continue to payment').click();
    await chooseAtGateway(page, 'pay');
    await outcome(page, 'Payment successful');
    expect([await seriousFindings(page), await sidewaysScroll(page)]).toEqual([[], 0]);
    expect((await shop.read(payment.id)).status).toBe('SUCCEEDED');
    await page.reload();
    await outcome(page, 'Payment successful');
    expect(await button(page, 'Continue to payment').count()).toBe(0);
    await page.getByRole('link', { name: 'Back to Rupali Books' }).click();
    await page.waitForURL(returnUrl);
    expect(complaints).toEqual([]);
    await leave();
  });

  test.each(
    oneOfEach([
      ['fail', 'Payment failed', 'FAILED'],
      ['cancel', 'Payment cancelled', 'CANCELLED'],
    ] as const),
  )('who ends it at the gateway by %s sees "%s"', async (choice, title, status) => {
    // A payer who has not paid must read clearly that nothing was paid.
    const payment = await shop.create();
    const { page, complaints, leave } = await payerAt(payment.checkoutUrl);
    await button(page, 'Continue to payment').click();
    await chooseAtGateway(page, choice);
    await outcome(page, title);
    expect(await seriousFindings(page)).toEqual([]);
    expect((await shop.read(payment.id)).status).toBe(status);
    expect(complaints).toEqual([]);
    await leave();
  });

  test.each(oneOfEach([true, false]))('cancels on our page in two steps (script: %s)', async (javaScriptEnabled) => {
    // A payer who has changed their mind must be able to cancel on any phone.
    const payment = await shop.create();
    const { page, complaints, leave } = await payerAt(payment.checkoutUrl, { javaScriptEnabled });
    expect(await button(page, 'Yes, cancel the payment').isVisible()).toBe(false);
    await page.getByText('Cancel this payment').click();
    await button(page, 'Yes, cancel the payment').click();
    await outcome(page, 'Payment cancelled');
    expect((await shop.read(payment.id)).status).toBe('CANCELLED');
    expect(complaints).toEqual([]);
    await leave();
  });

  longTest('pays without script', async () => {
    // Otherwise payers whose browser runs no scripts, or cannot load them on a bad network, could not pay.
    const payment = await shop.create();
    const { page, leave } = await payerAt(payment.checkoutUrl, { javaScriptEnabled: false });
    await button(page, 'Continue to payment').click();
    await chooseAtGateway(page, 'pay', false);
    await outcome(page, 'Payment successful');
    await leave();
  });

  longTest('whose browser asks for Bangla pays in Bangla, with its digits', async () => {
    // The language must stay the same on the whole way, also after the gateway's page.
    const payment = await shop.create();
    const { page, complaints, leave } = await payerAt(payment.checkoutUrl, { locale: 'bn-BD' });
    expect(await page.locator('html').getAttribute('lang')).toBe('bn');
    expect(await page.locator('.amount').textContent()).toContain('৳১০০.০০');
    expect(await seriousFindings(page)).toEqual([]);
    await button(page, 'পেমেন্ট করতে এগিয়ে যান').click();
    await chooseAtGateway(page, 'pay');
    await outcome(page, 'পেমেন্ট সফল হয়েছে');
    expect(complaints).toEqual([]);
    await leave();
  });

  test('changes the language by the link of the page', async () => {
    // Some payers use a browser in a language that is not theirs.
    const payment = await shop.create();
    const { page, leave } = await payerAt(payment.checkoutUrl);
    await page.getByRole('link', { name: 'বাংলা' }).click();
    await page.getByText('৳১০০.০০').waitFor();
    await page.getByRole('link', { name: 'English' }).click();
    await page.getByText('BDT\u00a0100.00').waitFor();
    await leave();
  });

  test('who guesses a reference finds a page that says nothing', async () => {
    // A stranger must not find payments by guessing references.
    const { page, leave } = await payerAt(`${stack.dev.web}/checkout/pay_0000000000000000000000`);
    await outcome(page, 'Page not found');
    expect(await seriousFindings(page)).toEqual([]);
    const response = await page.reload();
    expect(response?.status()).toBe(404);
    await leave();
  });
});

describe('a payment that has ended', () => {
  test.each(
    oneOfEach([
      ['paid', 'pay', 'Payment successful'],
      ['cancelled', 'cancel', 'Payment cancelled'],
    ] as const),
  )('once %s, shows its status only, whatever is posted to it', async (_name, choice, title) => {
    // An old link must not let a payer pay twice, or cancel a finished payment.
    const payment = await shop.create();
    const first = await payerAt(payment.checkoutUrl);
    await button(first.page, 'Continue to payment').click();
    await chooseAtGateway(first.page, choice);
    await outcome(first.page, title);
    await first.leave();
    const { status } = await shop.read(payment.id);
    const { page, leave } = await payerAt(payment.checkoutUrl);
    await outcome(page, title);
    expect(await page.locator('form').count()).toBe(0);
    for (const action of ['continue', 'cancel']) {
      const answer = await fetch(`${payment.checkoutUrl}/${action}`, { method: 'POST', redirect: 'manual' });
      expect(answer.status).toBe(303);
      expect(answer.headers.get('location')).toMatch(new RegExp(`^/checkout/${payment.reference}`));
    }
    expect((await shop.read(payment.id)).status).toBe(status);
    await leave();
  });

  test('left alone or left at the gateway, expires and says so', async () => {
    // Otherwise a shop's payments would stay open forever, and a payer could pay into one.
    await until(async () => (await hasty.read(left.id)).status === 'EXPIRED');
    await until(async () => (await hasty.read(leftAtGateway.id)).status === 'EXPIRED');
    for (const { checkoutUrl } of [left, leftAtGateway]) {
      const { page, leave } = await payerAt(checkoutUrl);
      await outcome(page, 'Payment expired');
      expect([await seriousFindings(page), await page.locator('form').count()]).toEqual([[], 0]);
      await leave();
    }
  });

  test('confirmed as charged three hours after it expired, stays expired and its money is held in suspense', async () => {
    // Money that arrives after the end must not be lost, and must not make the order count as paid.
    await until(async () => (await hasty.read(left.id)).status === 'EXPIRED');
    await asOwner(stack.dev.databaseUrl, {
      sql: `update payments set created_at = created_at - interval '3 hours', expires_at = expires_at - interval '3 hours',
              ended_at = ended_at - interval '3 hours' where id = ?`,
      parameters: [left.id],
    });
    const session = await attemptReference(stack.dev.databaseUrl, left.reference);
    await tellGateway(stack.dev, { session, action: 'finish' });
    await until(async () => (await hasty.explain(left.id)).waitingFor === 'operator');
    const { summary, timeline } = await hasty.explain(left.id);
    expect(summary).toContain('held in suspense');
    expect(timeline.map(({ event }) => event)).toContain('unapplied payment posted to suspense');
    expect((await hasty.read(left.id)).status).toBe('EXPIRED');
    const { page, leave } = await payerAt(left.checkoutUrl);
    await outcome(page, 'Your money has arrived');
    await leave();
    expect(await verify(stack.directory)).toMatchObject({ exitCode: 0, words: expect.stringContaining('1 unapplied') });
  });
});

describe('an address that goes to the gateway very often', () => {
  test('is asked to wait', async () => {
    // Otherwise thieves could use a merchant's checkout to test stolen cards.
    const payment = await shop.create();
    const statuses = new Set<number>();
    let last: Response | undefined;
    for (let tries = 0; tries < 25; tries += 1) {
      last = await fetch(`${payment.checkoutUrl}/continue`, { method: 'POST', redirect: 'manual' });
      statuses.add(last.status);
    }
    expect([...statuses]).toEqual([303, 429]);
    expect(Number(last?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await last?.text()).toContain('Too many requests');
    expect((await shop.read(payment.id)).status).toBe('PENDING');
  });
});
