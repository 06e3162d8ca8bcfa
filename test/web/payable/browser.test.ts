import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { pageAssets, payableAssets } from '../../../web/assets.ts';
import { type Language, languages } from '../../../web/language.ts';
import { brandStylesheet } from '../../../web/payable/brand-stylesheet.ts';
import { renderPayablePage } from '../../../web/payable/page.ts';
import { readPayForm } from '../../../web/payable/pay-form.ts';
import type { PayableView } from '../../../web/payable/view.ts';
import { launchBrowser } from '../../support/browser.ts';
import { type Answer, type PageServer, startPageServer } from '../page-server.ts';
import { accessibilityFindings, brokenAmountsAt, overflowAt, SCREENS } from '../page-checks.ts';
import { RUNS_EVERYTHING } from '../../support/long.ts';
import { openWatchedPage, type WatchedPage } from '../watched-page.ts';
import { xssCorpus } from '../xss-corpus.ts';
import { exampleInvoices, examplePayable, pagePath, plain } from './example-invoices.ts';
import { longTest, oneOfEach } from '../../support/long.ts';

type Name = keyof typeof exampleInvoices;
const names = Object.keys(exampleInvoices).filter((name): name is Name => name in exampleInvoices);
const SAMPLE: readonly Name[] = ['issued', 'overdue', 'paid', 'too_much'];
const checked = RUNS_EVERYTHING ? names : SAMPLE;
const endless = 'Pneumonoultramicroscopicsilicovolcanoconiosis'.repeat(90);
const accent = '#ffd400';
const logo =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 40"><rect width="300" height="40" fill="#c2185b"/></svg>';

let browser: Browser;
let server: PageServer;
/** The state that `/live` shows. Tests change it between two requests. */
let live: PayableView;

beforeAll(async () => {
  browser = await launchBrowser();
  server = await startPageServer({ page: pageAt });
});

afterAll(async () => {
  await browser.close();
  await server.close();
});

/**
 * Returns the page at a path: `/state?lang=…` is an invoice in that state, `/xss/n` has texts of the corpus, `/pay/…` is
 * what pages link to.
 */
function pageAt(path: string): Answer | null {
  const url = new URL(path, 'http://localhost');
  const language: Language = url.searchParams.get('lang') === 'bn' ? 'bn' : 'en';
  const [, name = '', detail = '', rest = ''] = url.pathname.split('/');
  switch (name) {
    case 'pay':
      return belowPage(rest);
    case 'live':
      return renderPayablePage(live);
    case 'long':
      return renderPayablePage(longView(language));
    case 'greatest':
      return renderPayablePage(greatestView(language));
    case 'xss':
      return renderPayablePage(viewOfTexts(xssCorpus[Number(detail)] ?? '', language));
    default: {
      const found = names.find((known) => known === name);
      return found === undefined
        ? null
        : renderPayablePage({ ...examplePayable(exampleInvoices[found]), language, mode: 'TEST' });
    }
  }
}

function belowPage(name: string): Answer | null {
  switch (name) {
    case 'brand.css':
      return { status: 200, headers: { 'content-type': 'text/css' }, body: brandStylesheet(accent) };
    case 'logo':
      return { status: 200, headers: { 'content-type': 'image/svg+xml' }, body: logo };
    case 'pay':
      return { status: 303, headers: { location: '/issued' } };
    default:
      return null;
  }
}

/** Returns an invoice in which every text comes from a stranger. */
function viewOfTexts(text: string, language: Language): PayableView {
  const { invoice, paying } = exampleInvoices.too_much;
  return {
    ...examplePayable({ invoice: plain, paying: { ...paying, typed: text } }),
    language,
    branding: {
      companyName: text,
      companyAddress: text,
      contactDetails: text,
      footerNote: text,
      logoPath: `${pagePath}/logo`,
    },
    invoice: {
      ...invoice,
      number: text,
      notes: text,
      lines: invoice.lines.map((line) => ({ ...line, description: text })),
      taxes: invoice.taxes.map((tax) => ({ ...tax, name: text })),
      payments: invoice.payments.map((payment) => ({ ...payment, gatewayName: text, gatewayTransactionId: text })),
    },
  };
}

/** Returns an invoice with a thousand lines and very long words in every text. */
function longView(language: Language): PayableView {
  const view = viewOfTexts(endless, language);
  const lines = Array.from({ length: 1_000 }, (_, index) => ({
    description: index % 100 === 0 ? endless : `\u202e${'evil '.repeat(20)}`,
    qty: 2n,
    unitAmountMinor: 100n,
    lineTotalMinor: 200n,
    discountMinor: 0n,
    taxMinor: 0n,
  }));
  return { ...view, invoice: { ...view.invoice, lines } };
}

/** Returns an invoice with the largest possible amounts. */
function greatestView(language: Language): PayableView {
  const most = 9_007_199_254_740_991n;
  const view = examplePayable(exampleInvoices.overdue);
  return {
    ...view,
    language,
    unapplied: [{ status: 'held', amountMinor: most, currency: 'BDT', receivedAt: view.now }],
    inProgress: { checkoutPath: '/checkout/pay_y', amountMinor: most, since: view.now },
    paying: {
      ...exampleInvoices.overdue.paying,
      requestedMinor: most - 1n,
      anyAmount: { minMinor: most, maxMinor: most },
    },
    invoice: {
      ...view.invoice,
      totalMinor: most,
      dueMinor: most,
      paidMinor: most,
      subtotalMinor: most,
      discountMinor: most,
      lines: view.invoice.lines.map((line) => ({
        ...line,
        qty: most,
        unitAmountMinor: most,
        lineTotalMinor: most,
        discountMinor: most,
      })),
      payments: view.invoice.payments.map((payment) => ({ ...payment, amountMinor: most, refundedMinor: most })),
    },
  };
}

/** Opens a watched page that may connect only to our server. */
function openPage(options: BrowserContextOptions = {}): Promise<WatchedPage> {
  return openWatchedPage({ browser, origins: [server.origin], options });
}

describe('the page of an invoice', () => {
  test('fits screens of 320, 390 and 1280 px, endless words and the greatest sums included', async () => {
    // Otherwise small phones would scroll sideways.
    const { page, complaints } = await openPage();
    for (const path of [...checked, 'long', 'greatest'].flatMap((name) => [`/${name}?lang=en`, `/${name}?lang=bn`])) {
      await page.goto(server.origin + path);
      expect({ path, overflow: await overflowAt(page, SCREENS) }).toEqual({ path, overflow: SCREENS.map(() => 0) });
    }
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  longTest(
    'writes no amount on two lines or past its card at 320, 390 and 1280 px, the greatest included',
    async () => {
      // Otherwise payers could read half of an amount.
      const { page } = await openPage();
      for (const path of [...checked, 'greatest'].flatMap((name) => [`/${name}?lang=en`, `/${name}?lang=bn`])) {
        await page.goto(server.origin + path);
        expect({ path, broken: await brokenAmountsAt(page, SCREENS) }).toEqual({ path, broken: [] });
      }
      await page.context().close();
    },
  );

  test.each(oneOfEach(languages))('has no accessibility finding in %s, light and dark', async (language) => {
    // Otherwise payers who cannot see, use a pointer, or distinguish colours could not pay.
    const { page } = await openPage({ viewport: { width: 390, height: 800 } });
    for (const name of checked) {
      await page.goto(`${server.origin}/${name}?lang=${language}`);
      expect({ name, found: await accessibilityFindings(page) }).toEqual({ name, found: [] });
    }
    await page.context().close();
  });

  test('loads exactly the inventory, in the colour and with the logo of its company', async () => {
    // Otherwise the list of files on the payment page would be incomplete (PCI DSS 6.4.3), or the policy would block a
    // company's colour and logo.
    const { page, complaints } = await openPage();
    const loaded = new Set<string>();
    page.on('response', (response) => {
      if (response.request().resourceType() !== 'document') {
        loaded.add(new URL(response.url()).pathname);
      }
    });
    await page.goto(`${server.origin}/issued?lang=en`);
    await page.waitForLoadState('networkidle');
    loaded.delete(pageAssets.icon.path);
    const own = ['brand.css', 'logo'].map((name) => `${pagePath}/${name}`);
    const ours = [pageAssets.stylesheet, pageAssets.script, payableAssets.stylesheet].map(({ path }) => path);
    expect([...loaded].sort()).toEqual([...ours, ...own].sort());
    const bar = await page.evaluate('getComputedStyle(document.querySelector(".pay"), "::before").backgroundColor');
    expect(bar).toBe('rgb(255, 212, 0)');
    expect(await page.evaluate('document.querySelector("img").naturalWidth')).toBe(300);
    expect(await page.locator('img').boundingBox()).toMatchObject({ width: 160, height: 56 });
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('runs nothing of the XSS corpus in any of its texts', async () => {
    // Otherwise an application's text in an invoice could run a script in the payer's browser.
    const { page, complaints } = await openPage();
    for (const index of xssCorpus.keys()) {
      await page.goto(`${server.origin}/xss/${index}`);
      const found = await page.evaluate(
        `[document.scripts.length, document.images.length, document.querySelectorAll('iframe,base,style,svg script').length,
          document.querySelectorAll('form').length]`,
      );
      expect({ index, found, complaints }).toEqual({ index, found: [1, 1, 0, 3], complaints: [] });
    }
    await page.context().close();
  });

  test('keeps a text that turns its direction to itself', async () => {
    // Otherwise the text next to it would be read backwards.
    const { page } = await openPage();
    const { invoice } = exampleInvoices.overdue;
    const payments = invoice.payments.map((payment) => ({
      ...payment,
      gatewayName: '\u202elive',
      gatewayTransactionId: 'AB',
    }));
    live = { ...examplePayable(exampleInvoices.overdue), invoice: { ...invoice, payments } };
    await page.goto(`${server.origin}/live`);
    const sides: unknown = await page.evaluate(`(() => {
      const letters = document.querySelector('tbody code').firstChild;
      const range = document.createRange();
      return [0, 1].map((at) => {
        range.setStart(letters, at);
        range.setEnd(letters, at + 1);
        return range.getBoundingClientRect().left;
      });
    })()`);
    const [first = 0, second = 0] = Array.isArray(sides) ? sides.map(Number) : [];
    expect(first).toBeLessThan(second);
    await page.context().close();
  });

  test('is all there on paper', async () => {
    // Otherwise a printed invoice would be incomplete or show buttons.
    const { page } = await openPage({ viewport: { width: 794, height: 1123 } });
    await page.emulateMedia({ media: 'print' });
    await page.goto(`${server.origin}/installments`);
    for (const shown of ['Invoice INV-000042', 'Hosting, a month', '5 December 2026', 'Partially paid']) {
      expect({ shown, visible: await page.getByText(shown).first().isVisible() }).toEqual({ shown, visible: true });
    }
    expect(await page.getByRole('button').count()).toBe(0);
    await page.context().close();
  });
});

describe('paying', () => {
  test.each(oneOfEach([true, false]))(
    'posts the choice and the sum that was shown (script: %s)',
    async (javaScriptEnabled) => {
      // Otherwise payers could not pay, or would pay an amount that changed since they saw it.
      live = examplePayable(exampleInvoices.installments);
      const { page, complaints } = await openPage({ javaScriptEnabled });
      const press = async (name: string): Promise<void> => {
        await page.getByRole('button', { name }).click();
        await page.waitForURL(/\/issued$/);
      };
      await page.goto(`${server.origin}/live`);
      await press('Pay BDT 15,000.00');
      const asked = lastForm();
      await page.goto(`${server.origin}/live`);
      await press('Pay all of it');
      const rest = lastForm();
      await page.goto(`${server.origin}/live`);
      await page.getByText('Pay another amount').click();
      await page.getByLabel('Amount in BDT').fill('৳১২,৩৪৫.৬৭');
      await press('Pay this amount');
      expect([asked, rest, lastForm()]).toEqual([
        { choice: 'asked', typedAmount: null, expectedMinor: 1_500_000n },
        { choice: 'rest', typedAmount: null, expectedMinor: 3_135_000n },
        { choice: 'amount', typedAmount: '৳১২,৩৪৫.৬৭', expectedMinor: 3_135_000n },
      ]);
      expect(complaints).toEqual([]);
      await page.context().close();
    },
  );

  longTest('can be done with the keyboard alone', async () => {
    // Otherwise payers who cannot use a pointer could not pay.
    live = examplePayable(exampleInvoices.any_amount);
    const { page } = await openPage();
    await page.goto(`${server.origin}/live`);
    await page.locator('summary').focus();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await page.keyboard.type('500');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/issued$/);
    expect(lastForm()).toEqual({ choice: 'amount', typedAmount: '500', expectedMinor: 7_635_000n });
    await page.context().close();
  });

  longTest('sends a form once, however often it is tapped', async () => {
    // Otherwise payers on slow networks could begin two payments.
    live = examplePayable(exampleInvoices.issued);
    const { page } = await openPage();
    await page.goto(`${server.origin}/live`);
    server.requests.length = 0;
    await page.getByRole('button', { name: 'Pay BDT' }).dblclick();
    await page.waitForURL(/\/issued$/);
    expect(server.requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
    await page.context().close();
  });
});

/** Returns how the server reads the last form. */
function lastForm(): ReturnType<typeof readPayForm> {
  const posted = server.requests.findLast(({ method }) => method === 'POST');
  expect(posted).toMatchObject({ path: `${pagePath}/pay?lang=en` });
  return readPayForm(posted?.body ?? '');
}

longTest('shows how a payment under way ended by itself, with and without script', async () => {
  // Otherwise payers would see an outdated state and might pay again.
  for (const javaScriptEnabled of [true, false]) {
    const { inProgress } = exampleInvoices.in_progress_all;
    live = { ...examplePayable(exampleInvoices.in_progress_all), now: inProgress.since };
    const { page, complaints } = await openPage({ javaScriptEnabled });
    await page.goto(`${server.origin}/live`);
    live = examplePayable(exampleInvoices.paid);
    await page.getByRole('heading', { name: 'Thank you' }).waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  }
});
