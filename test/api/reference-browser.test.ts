import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { launchBrowser } from '../support/browser.ts';
import { openApiWorld, type ApiWorld } from './api-world.ts';
import { PATIENCE_MS } from '../support/until.ts';

let world: ApiWorld;
let browser: Browser;

beforeAll(async () => {
  world = await openApiWorld();
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  await world.close();
});

test('the reference shows every operation in a browser without a violation of its policy or a request elsewhere', async () => {
  // If the policy broke the page, somebody would loosen the policy.
  const origin = await world.listen();
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const problems: string[] = [];
  const hosts = new Set<string>();
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol !== 'data:') {
      hosts.add(url.origin);
    }
  });
  await page.goto(`${origin}/docs`);
  await page.locator('.opblock').first().waitFor();
  const summaries = await page.locator('.opblock .opblock-summary-path').allTextContents();
  expect(summaries.map((path) => path.replaceAll('\u200b', '')).sort()).toEqual(
    expect.arrayContaining(['/app/me', '/checkout/{reference}', '/payments', '/payments/{id}']),
  );
  const shop = await world.register();
  await page.locator('button.authorize').first().click();
  const inputs = page.locator('.auth-container input[type=text], .auth-container input[type=password]');
  await inputs.nth(0).fill(shop.test.apiKey);
  await inputs.nth(1).fill(shop.test.apiSecret);
  // Each click turns its button into "Logout".
  await page.locator('.auth-btn-wrapper button.authorize').first().click();
  await page.locator('.auth-btn-wrapper button.authorize').first().click();
  await page.locator('.close-modal').click();
  await page.locator('#operations-App-getAppMe .opblock-summary-control').click();
  await page.locator('#operations-App-getAppMe .try-out__btn').click();
  await page.locator('#operations-App-getAppMe button.execute').click();
  await page.locator('#operations-App-getAppMe .live-responses-table .response-col_status').first().waitFor();
  expect(await page.locator('#operations-App-getAppMe .live-responses-table').textContent()).toContain(
    '"success": true',
  );
  expect(problems).toEqual([]);
  expect([...hosts]).toEqual([origin]);
});
