import { describe, expect, test } from '@jest/globals';
import { pageAssets } from '../../web/assets.ts';
import { renderErrorPage } from '../../web/checkout/error-page.ts';
import { renderCheckoutPage } from '../../web/checkout/page.ts';
import { refreshAfterSeconds } from '../../web/checkout/refresh.ts';
import { type CheckoutState, errorPageStatus } from '../../web/checkout/view.ts';
import { banglaWords } from '../../web/checkout/words-bangla.ts';
import { englishWords } from '../../web/checkout/words-english.ts';
import { languages } from '../../web/language.ts';
import { at, errorKinds, exampleError, exampleStates, exampleView, now } from './example-views.ts';

const finalStates = ['succeeded', 'failed', 'cancelled', 'expired', 'partially_refunded', 'refunded'] as const;

const waitingStates = ['opening', 'confirming', 'unpaid', 'cancelling', 'review'] as const;

/** Returns what a payer can do in a state. */
function actionsOf(state: CheckoutState): string[] {
  switch (state.kind) {
    case 'open':
      return ['continue', 'cancel'];
    case 'choosing':
      return ['gateway', 'cancel'];
    case 'manual':
      return ['submission', 'cancel'];
    case 'submitted':
      return state.correctAction === null ? [] : ['submission'];
    default:
      return [];
  }
}

describe('the checkout page', () => {
  test('tells an open payment: whom, how much, what for, until when', () => {
    // Otherwise the payer could not decide whether to pay.
    const page = renderCheckoutPage(exampleView(exampleStates.open));
    expect(page).toContain('<bdi>Rupali Books &#38; Stationery</bdi>');
    expect(page).toContain('BDT\u00a01,23,456.00');
    expect(page).toContain('Order 1042: three novels and a desk lamp');
    expect(page).toContain('14:17 GMT+6');
    expect(page).toContain('12 minutes left');
    expect(page).toContain('pay_7Hq2mX9vKcT4nB8sLdR1wE');
  });

  test('offers to continue and to cancel only while that is possible', () => {
    // Otherwise a payer could pay a second time from an old page.
    for (const [name, state] of Object.entries(exampleStates)) {
      const page = renderCheckoutPage(exampleView(state));
      const forms = page.match(/<form method="post" action="[^"]+"/g) ?? [];
      expect({ name, forms }).toEqual({
        name,
        forms: actionsOf(state).map((verb) => `<form method="post" action="/checkout/pay_x/${verb}?lang=en"`),
      });
    }
  });

  test('asks how to pay by one button for each gateway, in the order given', () => {
    // One press without scripts must be enough, and each button must name its gateway.
    const page = renderCheckoutPage(exampleView(exampleStates.choosing));
    const buttons = page.match(/<button name="gateway"[^]*?<\/button>/g);
    expect(buttons).toEqual([
      '<button name="gateway" value="bkash"><bdi>bKash</bdi></button>',
      '<button name="gateway" value="sslcommerz"><bdi>SSLCOMMERZ</bdi></button>',
    ]);
    expect(page).toContain('12 minutes left');
  });

  test('a payer who came back without having paid is told so, and chooses again', () => {
    // A payer who failed at one gateway must know that no money was taken.
    const told = 'Nothing was paid. Try again, or choose another way.';
    expect(renderCheckoutPage(exampleView(exampleStates.choosing))).not.toContain(told);
    const page = renderCheckoutPage(exampleView({ ...exampleStates.choosing, triedUnpaid: true }));
    expect(page).toContain(told);
    expect(page).toContain('name="gateway" value="bkash"');
  });

  test.each(['chosen', 'opening_chosen'] as const)(
    '%s leads back to the choice, in the language of the page',
    (name) => {
      // A payer who pressed the wrong button must find the way back.
      expect(renderCheckoutPage(exampleView(exampleStates[name], { language: 'bn' }))).toContain(
        'href="/checkout/pay_x?choose=1&#38;lang=bn"',
      );
      expect(renderCheckoutPage(exampleView(exampleStates.open))).not.toContain('choose=1');
    },
  );

  test('marks TEST on every state and nothing on LIVE', () => {
    // Otherwise a payer could take a test page for a real one, or a real one for a test.
    for (const state of Object.values(exampleStates)) {
      expect(renderCheckoutPage(exampleView(state))).toContain('TEST mode');
      expect(renderCheckoutPage(exampleView(state, { mode: 'LIVE' }))).not.toContain('TEST');
    }
  });

  test.each(finalStates)('%s leads back to the shop and names its host', (name) => {
    // Otherwise payers could not return to the shop, or could not see where the link leads.
    const page = renderCheckoutPage(exampleView(exampleStates[name]));
    expect(page).toContain('href="https://shop.example/orders/1042?from=checkout" rel="noreferrer"');
    expect(page).toContain('<bdi>shop.example</bdi>');
    expect(page).not.toContain('http-equiv');
  });

  test.each(finalStates)('%s has no link when the stored address is unsafe or absent', (name) => {
    // Otherwise a javascript: URL from old data could become a link.
    for (const returnUrl of ['javascript:alert(1)', null]) {
      const page = renderCheckoutPage(exampleView(exampleStates[name], { returnUrl }));
      expect(page).not.toContain('class="button"');
      expect(page).not.toContain('javascript:');
    }
  });

  test.each(waitingStates)('%s looks again by itself and by a link, and does not lead away', (name) => {
    // Otherwise payers without scripts would wait in vain.
    const page = renderCheckoutPage(exampleView(exampleStates[name]));
    expect(page).toMatch(/<noscript><meta http-equiv="refresh" content="\d+" \/><\/noscript>/);
    expect(page).toContain('href="/checkout/pay_x?lang=en"');
    expect(page).not.toContain('shop.example');
  });

  test('says the same about every failure', () => {
    // If the page named a reason, thieves could test stolen cards with it.
    const page = renderCheckoutPage(exampleView(exampleStates.failed));
    expect(page).toContain('The payment did not go through.');
    expect(page).not.toContain('251121140430');
  });

  test('shows what was refunded and what is left', () => {
    // Otherwise the amounts in the payer's record would be wrong.
    const page = renderCheckoutPage(exampleView(exampleStates.partially_refunded, { language: 'bn' }));
    expect(page).toContain('৳২৫,০০০.৫০');
    expect(page).toContain('৳৯৮,৪৫৫.৫০');
  });

  test.each(['succeeded', 'partially_refunded', 'refunded'] as const)(
    '%s links to its receipt where there is one',
    (name) => {
      // Otherwise payers would miss their receipt, or follow a link that leads nowhere.
      const state = exampleStates[name];
      const receipt = { ...state.receipt, receiptPath: '/checkout/pay_x/receipt' };
      const link = 'href="/checkout/pay_x/receipt">রসিদ ডাউনলোড করুন</a>';
      expect(renderCheckoutPage(exampleView({ ...state, receipt }, { language: 'bn' }))).toContain(link);
      expect(renderCheckoutPage(exampleView(state, { language: 'bn' }))).not.toContain('রসিদ ডাউনলোড');
      const elsewhere = { ...state.receipt, receiptPath: 'https://evil.example/' };
      expect(() => renderCheckoutPage(exampleView({ ...state, receipt: elsewhere }))).toThrow('Not a path');
    },
  );

  test('speaks the language asked for and links to the other one', () => {
    // Otherwise payers who read only one of the languages could not use the page.
    const bangla = renderCheckoutPage(exampleView(exampleStates.open, { language: 'bn' }));
    expect(bangla).toContain('<html lang="bn">');
    expect(bangla).toContain('১২ মিনিট বাকি');
    expect(bangla).toContain('href="/checkout/pay_x?lang=en" lang="en" hreflang="en"');
    expect(renderCheckoutPage(exampleView(exampleStates.open))).toContain('href="/checkout/pay_x?lang=bn" lang="bn"');
  });

  test('loads our own files only, with integrity', () => {
    // Otherwise the list of scripts on the payment page would be incomplete.
    const page = renderCheckoutPage(exampleView(exampleStates.open));
    expect(page.match(/<script[^>]*>/g)).toEqual([
      `<script defer src="${pageAssets.script.path}" integrity="${pageAssets.script.integrity}">`,
    ]);
    expect(page).not.toMatch(/\s(style|on[a-z]+)=/);
  });

  test('refuses an action that is not a path of ours', () => {
    // Otherwise a form could be sent to another site.
    const state: CheckoutState = { ...exampleStates.open, continueAction: '//evil.example/' };
    expect(() => renderCheckoutPage(exampleView(state))).toThrow('Not a path');
  });

  test('weighs at most 15 kB with its stylesheet, in every state and language', () => {
    // Otherwise payers on slow networks would wait.
    for (const language of languages) {
      for (const state of Object.values(exampleStates)) {
        const page = renderCheckoutPage(exampleView(state, { language }));
        expect(Buffer.byteLength(page) + pageAssets.stylesheet.body.length).toBeLessThanOrEqual(15_000);
      }
    }
  });
});

describe('refreshing', () => {
  test('gets slower with the time waited and stops after a day', () => {
    // Otherwise pages left open would keep the server busy.
    const ages = [0, 30, 120, 600, 7_200, 100_000];
    const every = ages.map((age) => refreshAfterSeconds({ kind: 'review', since: at(-age) }, now));
    expect(every).toEqual([3, 5, 15, 60, 300, null]);
  });

  test('happens just after the deadline while the payer can act', () => {
    // Otherwise the page would move while a payer reads it.
    expect(refreshAfterSeconds(exampleStates.open, now)).toBe(743);
    expect(refreshAfterSeconds({ ...exampleStates.open, expiresAt: at(-5) }, now)).toBe(3);
    expect(refreshAfterSeconds({ ...exampleStates.open, expiresAt: at(900_000) }, now)).toBe(3_600);
    expect(refreshAfterSeconds({ ...exampleStates.open, returnedUnpaid: true }, now)).toBe(60);
  });
});

describe('error pages', () => {
  test.each(errorKinds)('%s says what happened in both languages and shows nothing of a payment', (kind) => {
    // Otherwise payers would get stuck, or strangers could guess payments.
    expect(renderErrorPage(exampleError(kind, 'en'))).toContain(englishWords.errors[kind].title);
    expect(renderErrorPage(exampleError(kind, 'bn'))).toContain(banglaWords.errors[kind].title);
    expect(errorPageStatus[kind]).toBeGreaterThanOrEqual(400);
  });

  test.each(['unavailable', 'internal_error'] as const)(
    'of kind %s do not send a payer to pay a second time',
    (kind) => {
      // The payer may just have paid: our database is unavailable, not the gateway.
      expect(renderErrorPage(exampleError(kind, 'en'))).toContain('please do not pay a second time');
      expect(renderErrorPage(exampleError(kind, 'bn'))).toContain('অনুগ্রহ করে দ্বিতীয়বার দেবেন না');
    },
  );

  test('say how long to wait and what to quote', () => {
    // Otherwise payers would not know how to continue after an error.
    expect(renderErrorPage(exampleError('too_many_requests', 'en'))).toContain('Please wait 30 seconds');
    expect(renderErrorPage(exampleError('internal_error', 'en'))).toContain('<code>req_4f9a21</code>');
    expect(renderErrorPage(exampleError('unavailable', 'bn'))).toContain('href="/checkout/pay_x?lang=bn"');
    expect(renderErrorPage(exampleError('not_found', 'en'))).not.toContain('class="button"');
  });
});

test('every phrase keeps its placeholders in both languages', () => {
  // Otherwise a translation could lose a name or a time.
  const placeholders = (words: object): string[] =>
    Object.entries(words).flatMap(([key, value]: [string, unknown]) => {
      const inner = typeof value === 'object' && value !== null ? placeholders(value) : String(value).match(/#[a-z]+/g);
      return (inner ?? []).map((name) => `${key}.${name}`);
    });
  expect(placeholders(banglaWords).sort()).toEqual(placeholders(englishWords).sort());
});
