import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { pageAssets } from '../../web/assets.ts';
import { renderErrorPage } from '../../web/checkout/error-page.ts';
import { renderCheckoutPage } from '../../web/checkout/page.ts';
import type { CheckoutState, CheckoutView } from '../../web/checkout/view.ts';
import { MAX_AMOUNT_MINOR } from '../../domain/money.ts';
import { type Language, languages } from '../../web/language.ts';
import { launchBrowser } from '../support/browser.ts';
import { at, errorKinds, exampleError, exampleStates, exampleView } from './example-views.ts';
import { type Answer, type PageServer, startPageServer } from './page-server.ts';
import { accessibilityFindings, brokenAmountsAt, CHECKS_EVERY_PAGE, overflowAt, SCREENS } from './page-checks.ts';
import { openWatchedPage, type WatchedPage } from './watched-page.ts';
import { xssCorpus } from './xss-corpus.ts';
import { until } from '../support/until.ts';

const names = [...Object.keys(exampleStates), ...errorKinds];
const SAMPLE: readonly string[] = ['open', 'choosing', 'manual', 'paid_twice', 'unapplied_held', 'unavailable'];
const checked = names.filter((name) => CHECKS_EVERY_PAGE || SAMPLE.includes(name));
const longText = 'Pneumonoultramicroscopicsilicovolcanoconiosis'.repeat(4);

/** What an injection would try; each part must meet the policy. */
const smuggled =
  '<script>alert(1)</script><b onclick="alert(1)" style="color:red">x</b><img src="https://evil.example/x.png">' +
  '<iframe src="https://evil.example/"></iframe>';

let browser: Browser;
let server: PageServer;
let gateway: PageServer;
/** What `/live` shows; tests change it between two looks. */
let live: CheckoutView;

beforeAll(async () => {
  browser = await launchBrowser();
  gateway = await startPageServer({
    page: (path) => {
      if (path === '/hop') {
        return redirect(`http://localhost:${server.port}/elsewhere`);
      }
      return { status: 200, headers: { 'content-type': 'text/html' }, body: 'A page of somebody else.' };
    },
  });
  server = await startPageServer({ page: pageAt, formActionOrigins: [gateway.origin] });
});

afterAll(async () => {
  await browser.close();
  await Promise.all([server.close(), gateway.close()]);
});

function redirect(location: string): Answer {
  return { status: 303, headers: { location } };
}

/** `/state?lang=…` is a page in that state, `/long/…` one with endless words, `/xss/n?state=…` one of the corpus. */
function pageAt(path: string): Answer | null {
  const url = new URL(path, 'http://localhost');
  const language: Language = url.searchParams.get('lang') === 'bn' ? 'bn' : 'en';
  const [, name = '', detail = ''] = url.pathname.split('/');
  switch (name) {
    case 'live':
      return renderCheckoutPage(live);
    case 'broken':
      return renderCheckoutPage(exampleView(exampleStates.open)).replace('</h1>', `${smuggled}</h1>`);
    case 'continue':
      return redirect(`${gateway.origin}/${detail}`);
    case 'elsewhere':
      return 'elsewhere';
    case 'long':
      return pageOf(detail, { language, appName: longText, productName: longText, gatewayName: longText });
    case 'lakhs':
      return sumPage(detail, 12_345_600n, language);
    case 'greatest':
      return sumPage(detail, MAX_AMOUNT_MINOR, language);
    case 'xss':
      return xssPage(xssCorpus[Number(detail)] ?? '', url.searchParams.get('state') ?? '');
    default:
      return pageOf(name, { language });
  }
}

function pageOf(name: string, changes: Partial<CheckoutView>): string | null {
  const error = errorKinds.find((kind) => kind === name);
  if (error !== undefined) {
    return renderErrorPage(exampleError(error, changes.language ?? 'en'));
  }
  const state = stateOf(name);
  return state === null ? null : renderCheckoutPage(exampleView(state, changes));
}

/** A page in that state with that sum in every place. */
function sumPage(name: string, amountMinor: bigint, language: Language): string | null {
  const state = stateOf(name);
  if (state === null) {
    return null;
  }
  const money = { status: 'held', amountMinor, currency: 'BDT', receivedAt: at(-600) } as const;
  const sums = {
    ...('refundedMinor' in state ? { refundedMinor: 1n } : {}),
    ...('receipt' in state ? { unapplied: [money] } : {}),
    ...('money' in state ? { money: [money] as const } : {}),
  };
  return renderCheckoutPage(exampleView({ ...state, ...sums }, { amountMinor, language }));
}

function stateOf(name: string): CheckoutState | null {
  return Object.entries(exampleStates).find(([key]) => key === name)?.[1] ?? null;
}

function xssPage(text: string, stateName: string): string | null {
  const state = stateOf(stateName);
  if (state === null) {
    return renderErrorPage({ ...exampleError('internal_error', 'en'), requestId: text });
  }
  const receipt = { paidAt: at(0), receiptNumber: text, gatewayTransactionId: text };
  const texts = { reference: text, appName: text, productName: text, gatewayName: text, returnUrl: text };
  const byHand = {
    ...('instructions' in state
      ? { instructions: { label: text, text }, code: text, rejected: { transaction: text, reason: text } }
      : {}),
    ...('transaction' in state ? { transaction: text, code: text } : {}),
  };
  return renderCheckoutPage(exampleView({ ...state, ...('receipt' in state ? { receipt } : {}), ...byHand }, texts));
}

/** A watched page that may talk to our server and to the gateway's. */
function openPage(options: BrowserContextOptions = {}): Promise<WatchedPage> {
  return openWatchedPage({ browser, origins: [server.origin, gateway.origin], options });
}

describe('every page', () => {
  test('fits screens of 320, 390 and 1280 px, endless words included', async () => {
    // Protects small phones from scrolling sideways.
    const { page, complaints } = await openPage();
    for (const path of checked.flatMap((name) => [`/${name}?lang=en`, `/${name}?lang=bn`, `/long/${name}`])) {
      await page.goto(server.origin + path);
      expect({ path, overflow: await overflowAt(page, SCREENS) }).toEqual({ path, overflow: SCREENS.map(() => 0) });
    }
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('writes no amount on two lines or past its card at 320, 390 and 1280 px, the greatest included', async () => {
    // Protects payers from reading half of a sum.
    const { page } = await openPage();
    const states = checked.filter((name) => stateOf(name) !== null);
    const paths = states.flatMap((name) => [`/${name}`, `/lakhs/${name}`, `/greatest/${name}`]);
    for (const path of paths.flatMap((name) => [`${name}?lang=en`, `${name}?lang=bn`])) {
      await page.goto(server.origin + path);
      expect({ path, broken: await brokenAmountsAt(page, SCREENS) }).toEqual({ path, broken: [] });
    }
    await page.context().close();
  });

  test.each(languages)('has no accessibility finding in %s, light and dark', async (language) => {
    // Protects payers who cannot see, point, or tell colours apart.
    const { page } = await openPage({ viewport: { width: 390, height: 800 } });
    for (const name of checked) {
      await page.goto(`${server.origin}/${name}?lang=${language}`);
      expect({ name, found: await accessibilityFindings(page) }).toEqual({ name, found: [] });
    }
    await page.context().close();
  });

  test('loads exactly the inventory, and no part of it is blocked', async () => {
    // Protects the list of what a payment page runs (PCI DSS 6.4.3).
    const { page, complaints } = await openPage();
    const loaded = new Set<string>();
    page.on('response', (response) => {
      if (response.request().resourceType() !== 'document') {
        loaded.add(new URL(response.url()).pathname);
      }
    });
    await page.goto(`${server.origin}/succeeded?lang=en`);
    expect(await page.evaluate('getComputedStyle(document.querySelector("article")).borderRadius')).toBe('20px');
    loaded.delete(pageAssets.icon.path);
    expect([...loaded].sort()).toEqual([pageAssets.stylesheet.path, pageAssets.script.path].sort());
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test.each(['open', 'manual', 'submitted', 'review', 'partially_refunded', 'failed', 'error'])(
    'runs nothing of the XSS corpus in any text of %s',
    async (state) => {
      // Protects payers from script in names that applications and gateways choose.
      const { page, complaints } = await openPage();
      for (const [index, text] of xssCorpus.entries()) {
        await page.goto(`${server.origin}/xss/${index}?state=${state}`);
        const scripts = await page.evaluate(
          'document.scripts.length + document.querySelectorAll("iframe,img,base").length',
        );
        expect({ text, scripts, complaints }).toEqual({ text, scripts: 1, complaints: [] });
      }
      await page.context().close();
    },
  );

  test('blocks script that got in against all rules', async () => {
    // Protects payers by the policy alone, should the escaping ever fail.
    const { page, complaints } = await openPage();
    await page.goto(`${server.origin}/broken`);
    await page.locator('h1').click();
    await page.evaluate(`document.body.setAttribute('onclick', 'alert(1)')`).catch(() => null);
    expect(complaints.filter((complaint) => !complaint.startsWith('console: '))).toEqual([]);
    expect(complaints.filter((complaint) => complaint.includes('Content Security Policy'))).toHaveLength(5);
    expect(complaints.at(-1)).toContain('TrustedScript');
    await page.context().close();
  });

  test('gives a window that opened it no hold on it', async () => {
    // Protects the page from being steered by whoever opened it.
    const { page } = await openPage();
    await page.goto(`${gateway.origin}/foreign`);
    const popup = page.waitForEvent('popup');
    await page.evaluate(`void (window.held = open(${JSON.stringify(`${server.origin}/open`)}))`);
    const opened = await popup;
    await opened.waitForSelector('h1');
    expect(await opened.evaluate('opener')).toBeNull();
    expect(await page.evaluate('held.closed')).toBe(true);
    await page.context().close();
  });

  test('cannot be framed', async () => {
    // Protects against clicks stolen through a frame.
    const { page, complaints } = await openPage();
    await page.goto(`${gateway.origin}/foreign`);
    await page.evaluate(
      `new Promise((resolve) => {
        const frame = document.createElement('iframe');
        frame.src = ${JSON.stringify(`${server.origin}/open`)};
        frame.onload = resolve;
        document.body.append(frame);
      })`,
    );
    expect(complaints.join('\n')).toContain('frame-ancestors');
    expect(await page.frames()[1]?.locator('body').textContent()).not.toContain('Rupali');
    await page.context().close();
  });
});

describe('going to the gateway', () => {
  test.each([true, false])('works through our redirect (script: %s)', async (javaScriptEnabled) => {
    // Protects the one step that everything depends on.
    live = exampleView({ ...exampleStates.open, continueAction: '/continue/pay' });
    const { page, complaints } = await openPage({ javaScriptEnabled });
    await page.goto(`${server.origin}/live`);
    await page.getByRole('button', { name: 'Continue to payment' }).click();
    await page.waitForURL(`${gateway.origin}/pay`);
    expect(server.requests.at(-1)).toMatchObject({ method: 'POST', path: '/continue/pay?lang=en' });
    // With no-referrer a form's Origin is "null", so a route that checks where a POST comes from has this header only.
    expect(server.requests.at(-1)?.headers).toMatchObject({ origin: 'null', 'sec-fetch-site': 'same-origin' });
    expect(gateway.requests.at(-1)?.headers.referer).toBeUndefined();
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('ends at an origin that is not listed, even behind a listed one', async () => {
    // Shows that form-action covers every redirect, so the list must name all origins of the gateway.
    live = exampleView({ ...exampleStates.open, continueAction: '/continue/hop' });
    const { page, complaints } = await openPage();
    await page.goto(`${server.origin}/live`);
    await page.getByRole('button', { name: 'Continue to payment' }).click();
    await until(() => complaints.join('\n').includes('form-action'));
    expect(page.url()).toBe(`${server.origin}/live`);
    await page.context().close();
  });

  test('sends a form once, however often it is tapped', async () => {
    // Protects payers on slow networks from wondering what happened.
    live = exampleView({ ...exampleStates.open, continueAction: '/continue/pay' });
    const { page } = await openPage();
    await page.goto(`${server.origin}/live`);
    server.requests.length = 0;
    await page.getByRole('button', { name: 'Continue to payment' }).dblclick();
    await page.waitForURL(`${gateway.origin}/pay`);
    expect(server.requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
    await page.context().close();
  });
});

describe('cancelling', () => {
  test.each([true, false])('asks first (script: %s)', async (javaScriptEnabled) => {
    // Protects a payment from one wrong tap.
    live = exampleView({ ...exampleStates.open, cancelAction: '/elsewhere' });
    const { page } = await openPage({ javaScriptEnabled });
    await page.goto(`${server.origin}/live`);
    const confirm = page.getByRole('button', { name: 'Yes, cancel the payment' });
    expect(await confirm.isVisible()).toBe(false);
    await page.getByText('Cancel this payment').click();
    await confirm.click();
    await page.waitForURL(/\/elsewhere/);
    expect(server.requests.at(-1)).toMatchObject({ method: 'POST', path: '/elsewhere?lang=en' });
    await page.context().close();
  });

  test('can be done with the keyboard alone', async () => {
    // Protects payers who cannot use a pointer.
    live = exampleView({ ...exampleStates.open, cancelAction: '/elsewhere' });
    const { page } = await openPage();
    await page.goto(`${server.origin}/live`);
    await page.locator('summary').focus();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/elsewhere/);
    await page.context().close();
  });
});

describe('waiting', () => {
  test('shows the outcome by itself, with and without script', async () => {
    // Protects payers from staring at an old state.
    for (const javaScriptEnabled of [true, false]) {
      live = exampleView({ kind: 'confirming', since: at(0), cause: 'payment' });
      const { page, complaints } = await openPage({ javaScriptEnabled });
      await page.goto(`${server.origin}/live`);
      live = exampleView(exampleStates.succeeded);
      await page.getByRole('heading', { name: 'Payment successful' }).waitFor();
      expect(complaints).toEqual([]);
      await page.context().close();
    }
  });

  test('does not reload a page with script while nothing changed', async () => {
    // Protects screen reader users from losing their place every few seconds.
    live = exampleView({ kind: 'confirming', since: at(0), cause: 'payment' });
    const { page } = await openPage();
    await page.goto(`${server.origin}/live`);
    await page.evaluate('window.sameDocument = true');
    server.requests.length = 0;
    await page.waitForResponse(`${server.origin}/live`);
    expect(server.requests).toHaveLength(1);
    expect(await page.evaluate('window.sameDocument')).toBe(true);
    await page.context().close();
  });

  test('counts the deadline down in place', async () => {
    // Protects the layout from jumping and the words from differing between server and script.
    live = exampleView({ ...exampleStates.open, expiresAt: at(90) }, { language: 'bn' });
    const { page } = await openPage({ viewport: { width: 320, height: 700 } });
    await page.goto(`${server.origin}/live`);
    const before = await page.locator('article').boundingBox();
    await page.getByText('৮৭ সেকেন্ড বাকি').waitFor();
    expect(await page.locator('article').boundingBox()).toEqual(before);
    await page.context().close();
  });
});
