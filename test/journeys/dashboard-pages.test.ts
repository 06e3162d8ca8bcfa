import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { z } from 'zod';
import { languages, type Language } from '../../web/language.ts';
import { launchBrowser } from '../support/browser.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';
import { until } from '../support/until.ts';
import { DESKTOP, findings, PHONE, visit } from './dashboard-visit.ts';
import { payAtGateway } from './payer.ts';
import { openTestShop } from './shop.ts';

const DAY_MS = 86_400_000;
/** The whole matrix has more than a thousand pages. Each day has its own twentieth of them, two looks at every page; `npm run proof:dashboard` opens all. */
const PARTS = 20;
const TIMEOUT_MS = 10 * 60_000;
const WHOLE_TIMEOUT_MS = 3 * 3_600_000;
const isWhole = process.env['LENDEN_EVERY_PAGE'] === '1';
const SCHEMES = ['light', 'dark'] as const;
const SIZES = { phone: PHONE, desktop: DESKTOP } as const;
const ROLES = ['Super Admin', 'Admin', 'Finance', 'Support', 'Viewer'] as const;

let browser: Browser;
let stack: TestStack;
let pages: readonly string[];

beforeAll(async () => {
  [browser, stack] = await Promise.all([launchBrowser(), startTestStack()]);
  const shop = await openTestShop(stack);
  const payment = await shop.create();
  await payAtGateway(payment.checkoutUrl);
  await until(async () => (await shop.read(payment.id)).status === 'SUCCEEDED');
  const { id: invoiceId } = z.object({ id: z.int() }).parse(
    await shop.call('POST', '/invoices', {
      status: 201,
      body: {
        customerReference: 'cust_123',
        lineItems: [{ description: 'Plan', qty: 1, unitAmountMinor: 30_000 }],
        plan: { count: 3, every: 'MONTH', firstDueDate: '2999-01-01' },
        issue: true,
      },
    }),
  );
  pages = [
    '',
    '/account',
    '/search?q=nothing',
    '/payments',
    `/payments/${payment.id}`,
    '/refunds',
    '/unapplied-payments',
    '/manual-payments',
    '/disputes',
    '/invoices',
    `/invoices/${invoiceId}`,
    '/payouts',
    '/payout-files',
    '/payout-files/upload',
    '/cases',
    '/runs',
    '/ledger',
    '/ledger/1',
    '/reports',
    '/applications',
    '/applications/new',
    `/applications/${shop.applicationId}`,
    '/webhooks',
    '/webhooks/1',
    '/callbacks',
    '/gateways',
    '/operators',
    '/operators/1',
    '/roles',
    '/changes',
    '/audit',
  ];
});
afterAll(async () => {
  await browser.close();
  await stack.stop();
});

interface Look {
  readonly role: (typeof ROLES)[number];
  readonly language: Language;
  readonly colorScheme: (typeof SCHEMES)[number];
  readonly size: keyof typeof SIZES;
}

const looks = ROLES.flatMap((role) =>
  languages.flatMap((language) =>
    SCHEMES.flatMap((colorScheme) =>
      (['phone', 'desktop'] as const).map((size): Look => ({ role, language, colorScheme, size })),
    ),
  ),
);

test(
  'every page, by role, language, colours and size, is accessible, keeps to the policy and fits',
  async () => {
    // Covers what no journey looks at, above all pages that a role may not see: they say so in a page that works.
    const today = Math.floor(Date.now() / DAY_MS) % PARTS;
    const shown = looks.filter((_look, index) => isWhole || index % PARTS === today);
    expect(shown).toHaveLength(isWhole ? looks.length : looks.length / PARTS);
    const wrong: unknown[] = [];
    for (const look of shown) {
      wrong.push(...(await lookAt(look, pages)));
    }
    expect(wrong).toEqual([]);
  },
  isWhole ? WHOLE_TIMEOUT_MS : TIMEOUT_MS,
);

async function lookAt({ role, language, colorScheme, size }: Look, paths: readonly string[]): Promise<unknown[]> {
  const options = { colorScheme, viewport: SIZES[size] };
  const { page, complaints, leave } = await visit({ stack, browser, role, path: '/test', ...options });
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.evaluate(`localStorage.setItem('lenden-language', ${JSON.stringify(language)})`);
  const wrong: unknown[] = [];
  for (const path of paths) {
    await page.goto(`${stack.dev.admin}/test${path}`);
    await settled(page);
    const found = [...(await findings(page)), ...complaints.splice(0).filter(isUnexpected)];
    const tooWide = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
    if (found.length > 0 || tooWide !== 0) {
      wrong.push({ path, role, language, colorScheme, size, tooWide, found });
    }
  }
  await leave();
  return wrong;
}

/** A browser reports each refusal of the API on its console; what a role may not see is refused. */
function isUnexpected(complaint: string): boolean {
  return !/the server responded with a status of 40[34]/.test(complaint);
}

async function settled(page: Page): Promise<void> {
  await page.locator('main').waitFor();
  await until(async () => (await page.locator('main [role=status], main [aria-busy=true]').count()) === 0);
}
