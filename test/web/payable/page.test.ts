import { describe, expect, test } from '@jest/globals';
import { pageAssets, payableAssets } from '../../../web/assets.ts';
import { renderPayablePage } from '../../../web/payable/page.ts';
import type { PayableView } from '../../../web/payable/view.ts';
import { payableWordsIn } from '../../../web/payable/words.ts';
import { at, now } from '../example-views.ts';
import { exampleInvoices, examplePayable, pagePath, plain } from './example-invoices.ts';

type Name = keyof typeof exampleInvoices;
const names = Object.keys(exampleInvoices).filter((name): name is Name => name in exampleInvoices);

function pageOf(name: Name, changes: Partial<PayableView> = {}): string {
  return renderPayablePage({ ...examplePayable(exampleInvoices[name]), ...changes });
}

/** Returns a page without the markup around names and amounts. */
function wordsOf(page: string): string {
  return page.replace(/<\/?(?:span|bdi)[^>]*>/g, '');
}

/** Returns choice and expected amount of every form, in order. */
function formsOf(page: string): string[] {
  const pattern = /name="choice" value="(\w+)" \/>\s*<input type="hidden" name="expected" value="(\d+)"/g;
  return Array.from(page.matchAll(pattern), ([, choice = '', expected = '']) => `${choice} ${expected}`);
}

describe('the page of an invoice', () => {
  test('tells an open invoice: whose, which, how much, until when, for what', () => {
    // Otherwise the payer could not decide whether to pay.
    const page = pageOf('issued');
    expect(page).toContain('<title>Invoice INV-000042 · Shapla Studio &#38; Sons</title>');
    expect(page).toContain('<p class="amount"><span class="money wide">BDT\u00a076,350.00</span></p>');
    expect(page).toMatch(/Due by\s+<time datetime="2026-12-05">5 December 2026<\/time>/);
    expect(page).toContain('Web site for the shop, design and text in two languages');
    expect(wordsOf(page)).toContain('12\u00a0×\u00a02,500.00 · Discount\u00a0−3,000.00 · Tax\u00a01,350.00');
    expect(page).toContain('VAT 5%');
    expect(page).toContain('Thank you for your order.\nThe site goes live on 1 December.');
    expect(page).toContain('Dhanmondi, Dhaka 1205');
    expect(page).toContain(`href="${pagePath}/pdf"`);
  });

  test('writes sums and dates in Bangla in Bangla', () => {
    // Otherwise payers who read only Bangla could not use the page.
    const page = pageOf('installments', { language: 'bn' });
    expect(page).toContain('<p class="amount"><span class="money">৳১৫,০০০.০০</span></p>');
    expect(page).toContain('৫ ডিসেম্বর, ২০২৬');
    expect(page).toContain('VAT ৫%');
    expect(wordsOf(page)).toContain('১২\u00a0×\u00a0২,৫০০.০০');
    expect(page).toContain(`href="${pagePath}?lang=en" lang="en"`);
    expect(page).toContain(`action="${pagePath}/pay?lang=bn"`);
  });

  test.each([
    ['issued', ['asked 7635000']],
    ['any_amount', ['asked 7635000', 'amount 7635000']],
    ['installments', ['asked 1500000', 'rest 3135000', 'amount 3135000']],
    ['overdue', ['asked 2000000', 'rest 5635000', 'amount 5635000']],
    ['in_progress', ['rest 3135000', 'amount 3135000']],
    ['in_progress_all', []],
    ['not_online', []],
    ['paid', []],
    ['void', []],
  ] as const)('%s offers %j', (name, forms) => {
    // Otherwise customers could pay what is not due, or pay twice.
    expect(formsOf(pageOf(name))).toEqual(forms);
  });

  test('says of every installment how it stands, in words', () => {
    // Otherwise customers who cannot distinguish colours could not read the state of an installment.
    const page = pageOf('overdue');
    const states = Array.from(page.matchAll(/<span class="chip \w+">([^<]+)<\/span>\s*<\/td>/g), ([, word]) => word);
    expect(states).toEqual(['Paid', 'Overdue', 'Open', 'Open']);
    expect(page).toMatch(/Was due on\s+<time datetime="2026-11-05">/);
    expect(wordsOf(pageOf('installments'))).toContain('Paid 5,000.00');
  });

  test('shows the payments that settled and what was given back of them', () => {
    // Otherwise customers could not see who has already paid.
    const invoice = {
      ...exampleInvoices.overdue.invoice,
      payments: exampleInvoices.overdue.invoice.payments.map((payment) => ({ ...payment, refundedMinor: 123_456n })),
    };
    const page = pageOf('overdue', { invoice });
    expect(page).toContain('7 October 2026 at 14:05 GMT+6');
    expect(page).toContain('<bdi>SSLCOMMERZ</bdi> · <code>251007101512a1B2c3D4e5F6</code>');
    expect(wordsOf(page)).toContain('Refunded −1,234.56');
  });

  test.each([
    [
      'en',
      'You paid BDT\u00a010,000.00 more than was asked for. It is held safely until Shapla Studio &#38; Sons decides',
    ],
    ['en', 'You paid BDT\u00a01,000.00 more than was asked for. It has been refunded;'],
    ['bn', 'যত চাওয়া হয়েছিল তার চেয়ে ৳১০,০০০.০০ বেশি দিয়েছেন। টাকাটি নিরাপদে জমা আছে;'],
    ['bn', 'যত চাওয়া হয়েছিল তার চেয়ে ৳১,০০০.০০ বেশি দিয়েছেন। টাকাটি ফেরত দেওয়া হয়েছে;'],
  ] as const)(
    'says in %s what becomes of what was paid beyond it, as the page of the payment does',
    (language, text) => {
      // Otherwise customers who paid too much would believe that the money is lost.
      expect(wordsOf(pageOf('overpayment', { language }))).toContain(text);
      expect(wordsOf(pageOf('paid', { language }))).not.toMatch(/more than was asked|বেশি দিয়েছেন/);
    },
  );

  test('thanks for a paid invoice, and warns of one that is void or has expired', () => {
    // Otherwise customers might pay again.
    const paid = pageOf('paid');
    expect(paid).toContain('Thank you, this invoice is paid');
    expect(paid).toContain('Paid on 21 November 2026.');
    expect(paid).not.toContain('<form');
    const voided = pageOf('void');
    expect(voided).toContain('Please do not pay it.');
    expect(voided).not.toContain('<form');
    const expired = pageOf('expired');
    expect(expired).toContain('This invoice has expired');
    expect(expired).not.toContain('<form');
  });

  test.each(['VOID', 'EXPIRED'] as const)('calls no installment of an invoice that is %s open or overdue', (status) => {
    // Otherwise customers might pay what the shop no longer asks for.
    const { invoice } = exampleInvoices.overdue;
    for (const language of ['en', 'bn'] as const) {
      const shown = pageOf('void', { language, invoice: { ...invoice, status } });
      expect(shown.match(/class="chip [a-z]+"/g)).toEqual(['class="chip good"']);
    }
  });

  test('the day of the last payment is the one in the shown zone', () => {
    // Otherwise the date of a payment around midnight would be wrong.
    const { invoice } = exampleInvoices.paid;
    const [first] = invoice.payments;
    const night = new Date('2026-11-21T18:30:00Z');
    const payments = first === undefined ? [] : [{ ...first, paidAt: night }];
    expect(pageOf('paid', { invoice: { ...invoice, payments } })).toContain('Paid on 22 November 2026.');
    expect(pageOf('paid', { invoice: { ...invoice, payments: [] } })).not.toContain('Paid on');
  });

  test.each([
    ['not_an_amount', 'such as 31,350.00.', '1,5 hundred'],
    ['too_little', 'at least BDT\u00a010.00.', '5'],
    ['too_much', 'at most BDT\u00a031,350.00.', '৯৯,৯৯৯'],
  ] as const)('%s is said beside the field, which keeps what was typed', (name, text, typed) => {
    // Otherwise payers would have to guess what is wrong.
    const page = pageOf(name);
    expect(wordsOf(page)).toContain(text);
    expect(page).toContain(`value="${typed}"`);
    expect(page).toContain('aria-invalid="true"');
    expect(page).toContain('aria-describedby="wrong range"');
    expect(page).toContain('<details open>');
  });

  test.each(['changed', 'unavailable'] as const)('%s is said before anything can be paid', (name) => {
    // Otherwise payers would pay an amount that they have not seen, or fear that they have already paid.
    const page = pageOf(name);
    const text = payableWordsIn('en').problems[name];
    expect(page.indexOf(text)).toBeGreaterThan(0);
    expect(page.indexOf(text)).toBeLessThan(page.indexOf('<form'));
    expect(page).toContain('aria-invalid="false"');
  });

  test('leads back to the payment that is under way, and looks again by itself', () => {
    // Otherwise a payer who is unsure might pay a second time.
    const page = pageOf('in_progress_all');
    expect(page).toContain('href="/checkout/pay_y?lang=en"');
    expect(page).toContain('<meta http-equiv="refresh" content="15" />');
    expect(page).toContain('data-state="issued_in_progress"');
    const typing = pageOf('in_progress');
    expect(typing).toContain('<meta http-equiv="refresh" content="60" />');
    expect(typing).toContain('data-state="partially_paid_in_progress"');
  });

  test('stands still while nothing is under way, while a problem is read, and after a day', () => {
    // Otherwise the page would move while a customer reads it, or pages left open would keep the server busy.
    const inProgress = { checkoutPath: '/checkout/pay_y', amountMinor: 1_500_000n, since: at(-70) };
    expect(pageOf('issued')).not.toContain('http-equiv');
    expect(pageOf('changed', { inProgress })).not.toContain('http-equiv');
    expect(pageOf('issued', { inProgress: { ...inProgress, since: at(-100_000) } })).not.toContain('http-equiv');
  });

  test('marks TEST in every state and nothing on LIVE', () => {
    // Otherwise a customer could take a test page for a real one, or a real one for a test.
    for (const name of names) {
      expect(pageOf(name, { mode: 'TEST' })).toContain('TEST mode');
      expect(pageOf(name)).not.toContain('TEST');
    }
  });

  test('loads our own files only and has no style or handler of its own', () => {
    // Otherwise the list of scripts on the payment page would be incomplete.
    const page = pageOf('installments');
    const { path, integrity } = payableAssets.stylesheet;
    expect(page).toContain(`<link rel="stylesheet" href="${path}" integrity="${integrity}" />`);
    expect(page).toContain(`<link rel="stylesheet" href="${pagePath}/brand.css" />`);
    expect(page).not.toMatch(/\s(style|on[a-z]+)=/);
    expect(page.match(/<script/g)).toHaveLength(1);
  });

  test('refuses paths that are none of ours', () => {
    // Otherwise a form could be sent to another site, or an image could tell that site who opens the page.
    const { paying } = exampleInvoices.issued;
    const { branding } = examplePayable(exampleInvoices.issued);
    const away = 'https://evil.example/';
    expect(() => pageOf('issued', { paying: { ...paying, action: away } })).toThrow('Not a path');
    expect(() => pageOf('issued', { branding: { ...branding, logoPath: away } })).toThrow('Not a path');
    expect(() => pageOf('issued', { pdfPath: '//evil.example/' })).toThrow('Not a path');
    expect(() => pageOf('issued', { pagePath: 'javascript:alert(1)' })).toThrow('Not a path');
  });

  test('leaves out what there is none of', () => {
    // Otherwise the page would show headings without content.
    const branding = {
      companyName: 'Shapla',
      companyAddress: null,
      contactDetails: null,
      footerNote: null,
      logoPath: null,
    };
    const page = pageOf('bare', { branding });
    for (const absent of ['<img', 'Installments', 'Payments so far', 'Notes', 'Due by', 'Issued</dt>', 'Discount</']) {
      expect({ absent, found: page.includes(absent) }).toEqual({ absent, found: false });
    }
  });

  test('names what is typed in the name of an invoice as it is', () => {
    // Otherwise replacement patterns in an invoice number would change the title.
    const page = renderPayablePage({
      ...examplePayable(exampleInvoices.issued),
      invoice: { ...plain, number: "$&$'" },
    });
    expect(page).toContain('<title>Invoice $&#38;$&#39; ·');
  });

  test('weighs at most 25 kB with its stylesheets where the invoice is short', () => {
    // Otherwise customers on slow networks would wait.
    const weight =
      Buffer.byteLength(pageOf('installments', { language: 'bn', now })) +
      payableAssets.stylesheet.body.length +
      pageAssets.stylesheet.body.length;
    expect(weight).toBeLessThanOrEqual(25_000);
  });
});

test('every phrase keeps its placeholders in both languages', () => {
  // Otherwise a translation could lose a name, an amount or a date.
  const placeholders = (words: object): string[] =>
    Object.entries(words).flatMap(([key, value]: [string, unknown]) => {
      const inner = typeof value === 'object' && value !== null ? placeholders(value) : String(value).match(/#[a-z]+/g);
      return (inner ?? []).map((name) => `${key}.${name}`);
    });
  expect(placeholders(payableWordsIn('bn')).sort()).toEqual(placeholders(payableWordsIn('en')).sort());
});
