import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { launchBrowser } from '../support/browser.ts';
import { PATIENCE_MS } from '../support/until.ts';
import { openOperatorWorld, PASSWORD, type OperatorWorld } from './admin/operator-world.ts';
import { httpCall } from './http-call.ts';

let world: OperatorWorld;
let browser: Browser;

beforeAll(async () => {
  world = await openOperatorWorld();
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  await world.close();
});

test('the operators’ reference opens after signing in, and shows their operations alone', async () => {
  // Integrators must not see how operators decide on payments, but operators need the whole reference.
  await world.addOperator({ email: 'reader@example.com' });
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  const { origin } = world;
  await page.goto(`${origin}/docs/operators`);
  expect(new URL(page.url()).pathname).toBe('/docs/sign-in');
  await page.getByLabel('Email').fill('reader@example.com');
  await page.getByLabel('Password').fill('not the password');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').filter({ hasText: /./ }).waitFor();
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL('**/docs/operators');
  await page.locator('.opblock').first().waitFor();
  const shown = await page.locator('.opblock .opblock-summary-path').allTextContents();
  const paths = shown.map((path) => path.replaceAll('\u200b', ''));
  expect(paths.length).toBeGreaterThan(40);
  expect(paths.filter((path) => !/^\/(admin|auth)\//.test(path))).toEqual([]);
  await page.goto(`${origin}/docs`);
  await page.locator('.opblock').first().waitFor();
  const others = await page.locator('.opblock .opblock-summary-path').allTextContents();
  expect(others.filter((path) => /^\/\u200b?(admin|auth)/.test(path))).toEqual([]);
  expect(problems).toEqual([]);
});

test.each([
  ['no session', {}],
  ['a token of nobody', { authorization: `Bearer ops_${'a'.repeat(43)}` }],
])('%s leads to the sign-in', async (_name, headers) => {
  // Only an open session shows the page; the contract's file stays public.
  const { origin } = world;
  const answer = await httpCall({ origin, path: '/docs/operators', headers });
  expect([answer.status, answer.headers['location']]).toEqual([303, '/docs/sign-in']);
  const contract = await httpCall({ origin, path: '/openapi.json' });
  expect(JSON.parse(contract.text)).toHaveProperty(['paths', '/admin/payments']);
});
