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
import { accessibilityFindings, brokenAmountsAt, overflowAt, SCREENS } from './page-checks.ts';
import { RUNS_EVERYTHING } from '../support/long.ts';
import { openWatchedPage, type WatchedPage } from './watched-page.ts';
import { xssCorpus } from './xss-corpus.ts';
import { until } from '../support/until.ts';
import { oneOfEach } from '../support/long.ts';

const names = [...Object.keys(exampleStates), ...errorKinds];
const SAMPLE: readonly string[] = ['open', 'choosing', 'manual', 'paid_twice', 'unapplied_held', 'unavailable'];
const checked = names.filter((name) => RUNS_EVERYTHING || SAMPLE.includes(name));
const longText = 'Pneumonoultramicroscopicsilicovolcanoconiosis'.repeat(4);

/** Typical injections. The policy must block each part. */
const smuggled =
  '<script>alert(1)</script><b onclick="alert(1)" style="color:red">x</b><img src="https://evil.example/x.png">' +
  '<iframe src="https://evil.example/"></iframe>';

let browser: Browser;
let server: PageServer;
let gateway: PageServer;
/** The state that `/live` shows. Tests change it between two requests. */
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

/**
 * Returns the page at a path: `/state?lang=…` in that state, `/long/…` with very long words, `/xss/n?state=…` with an
 * entry of the corpus.
 */
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

/** Returns a page in that state with that amount in every place. */
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

/** Opens a watched page that may connect to our server and to the gateway's. */
function openPage(options: BrowserContextOptions = {}): Promise<WatchedPage> {
  return openWatchedPage({ browser, origins: [server.origin, gateway.origin], options });
}

describe('every page', () => {
  test('fits screens of 320, 390 and 1280 px, endless words included', async () => {
    // Otherwise small phones would scroll sideways.
    const { page, complaints } = await openPage();
    for (const path of checked.flatMap((name) => [`/${name}?lang=en`, `/${name}?lang=bn`, `/long/${name}`])) {
      await page.goto(server.origin + path);
      expect({ path, overflow: await overflowAt(page, SCREENS) }).toEqual({ path, overflow: SCREENS.map(() => 0) });
    }
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('writes no amount on two lines or past its card at 320, 390 and 1280 px, the greatest included', async () => {
    // Otherwise payers could read half of an amount.
    const { page } = await openPage();
    const states = checked.filter((name) => stateOf(name) !== null);
    const paths = states.flatMap((name) => [`/${name}`, `/lakhs/${name}`, `/greatest/${name}`]);
    for (const path of paths.flatMap((name) => [`${name}?lang=en`, `${name}?lang=bn`])) {
      await page.goto(server.origin + path);
      expect({ path, broken: await brokenAmountsAt(page, SCREENS) }).toEqual({ path, broken: [] });
    }
    await page.context().close();
  });

  test.each(oneOfEach(languages))('has no accessibility finding in %s, light and dark', async (language) => {
    // Otherwise payers who cannot see, use a pointer, or distinguish colours could not pay.
    const { page } = await openPage({ viewport: { width: 390, height: 800 } });
    for (const name of checked) {
      await page.goto(`${server.origin}/${name}?lang=${language}`);
      expect({ name, found: await accessibilityFindings(page) }).toEqual({ name, found: [] });
    }
    await page.context().close();
  });

  test('loads exactly the inventory, and no part of it is blocked', async () => {
    // Otherwise the list of scripts on the payment page would be incomplete (PCI DSS 6.4.3).
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

  test.each(oneOfEach(['manual', 'open', 'submitted', 'review', 'partially_refunded', 'failed', 'error']))(
    'runs nothing of the XSS corpus in any text of %s',
    async (state) => {
      // Otherwise a name chosen by an application or gateway could run a script in the payer's browser.
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
    // The policy alone must protect payers if the escaping ever fails.
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
    // Otherwise a window that opened the page could control it.
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
    // Otherwise an attacker could steal clicks through a frame.
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
  test.each(oneOfEach([true, false]))('works through our redirect (script: %s)', async (javaScriptEnabled) => {
    // Otherwise payers could not reach the gateway.
    live = exampleView({ ...exampleStates.open, continueAction: '/continue/pay' });
    const { page, complaints } = await openPage({ javaScriptEnabled });
    await page.goto(`${server.origin}/live`);
    await page.getByRole('button', { name: 'Continue to payment' }).click();
    await page.waitForURL(`${gateway.origin}/pay`);
    expect(server.requests.at(-1)).toMatchObject({ method: 'POST', path: '/continue/pay?lang=en' });
    // With no-referrer, a form's Origin is "null", so a route that checks the origin of a POST can only use Sec-Fetch-Site.
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
    // Otherwise payers on slow networks could send the form several times.
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
  test.each(oneOfEach([true, false]))('asks first (script: %s)', async (javaScriptEnabled) => {
    // Otherwise one wrong tap could cancel a payment.
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
    // Otherwise payers who cannot use a pointer could not cancel.
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
    // Otherwise payers would see an outdated state.
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
    // Otherwise screen reader users would lose their place every few seconds.
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
    // Otherwise the layout would jump, or the server and the script would show different text.
    live = exampleView({ ...exampleStates.open, expiresAt: at(90) }, { language: 'bn' });
    const { page } = await openPage({ viewport: { width: 320, height: 700 } });
    await page.goto(`${server.origin}/live`);
    const before = await page.locator('article').boundingBox();
    await page.getByText('৮৭ সেকেন্ড বাকি').waitFor();
    expect(await page.locator('article').boundingBox()).toEqual(before);
    await page.context().close();
  });
});
