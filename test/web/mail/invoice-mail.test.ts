import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parse } from 'node-html-parser';
import { invoiceEmail } from '../../../web/mail/invoice-mail.ts';
import type { InvoiceNotice } from '../../../web/mail/notice.ts';
import { xssCorpus } from '../xss-corpus.ts';

const NOTICE: InvoiceNotice = {
  kind: 'reminder',
  language: 'en',
  mode: 'LIVE',
  branding: {
    companyName: 'Padma Books',
    contactDetails: 'Phone 01700-000000\nbooks@padma.example',
    accentColor: '#0b6b4f',
  },
  number: 'INV-000042',
  amountMinor: 12_345_600n,
  dueMinor: 24_691_200n,
  currency: 'BDT',
  dueDate: '2026-11-21',
  payableUrl: 'https://pay.example/pay/pay_abc?lang=en',
};

/** Texts that try to be markup, a header or a placeholder, or that try to hide characters. */
const hostile = fc.oneof(
  fc.constantFrom(...xssCorpus, 'A\r\nBcc: x@evil.example', '#amount #date', '\u202eevil\u2066', '\u200b\u2028\u0000'),
  fc.string({ unit: 'binary', maxLength: 400 }),
  fc.string({ unit: 'grapheme', maxLength: 400 }),
);

describe('the notice of an invoice', () => {
  test('says in English who asks, for which invoice, how much, until when and where', () => {
    // Otherwise payers would have to guess who wants money and for what.
    const { subject, text } = invoiceEmail(NOTICE);
    expect(subject).toBe('Invoice INV-000042 from Padma Books: BDT 1,23,456.00 due on 21 November 2026');
    expect(text.split('\n')).toEqual([
      'This is a reminder of an invoice that is waiting to be paid.',
      '',
      'From: Padma Books',
      'Invoice: INV-000042',
      'To pay now: BDT 1,23,456.00',
      'Due on: 21 November 2026',
      'Left to pay in all: BDT 2,46,912.00',
      '',
      'View and pay the invoice:',
      'https://pay.example/pay/pay_abc?lang=en',
      '',
      'If you have paid in the meantime, you need not do anything.',
      '',
      'Contact:',
      'Phone 01700-000000',
      'books@padma.example',
      '',
      'This mail was sent automatically.',
      '',
    ]);
  });

  test('speaks Bangla with Bangla digits, and says that it is overdue', () => {
    // Otherwise readers of Bangla would get an email in two languages.
    const { subject, text, html } = invoiceEmail({ ...NOTICE, kind: 'overdue', language: 'bn' });
    expect(subject).toBe('মেয়াদোত্তীর্ণ ইনভয়েস INV-000042, Padma Books: ৳১,২৩,৪৫৬.০০');
    expect(text).toContain('পরিশোধের শেষ তারিখ: ২১ নভেম্বর, ২০২৬');
    expect(text).toContain('মোট বকেয়া: ৳২,৪৬,৯১২.০০');
    expect(parse(html).querySelector('html')?.getAttribute('lang')).toBe('bn');
  });

  test('names the whole rest only where it is another sum', () => {
    // Otherwise payers would read two amounts of which one is superfluous.
    expect(invoiceEmail({ ...NOTICE, dueMinor: NOTICE.amountMinor }).text).not.toContain('Left to pay');
  });

  test.each(['en', 'bn'] as const)('cannot be taken for a real bill in TEST mode (%s)', (language) => {
    // Otherwise a recipient could take a developer's email for a real bill.
    const { subject, text, html } = invoiceEmail({ ...NOTICE, mode: 'TEST', language });
    const mark = language === 'en' ? ['[TEST]', 'TEST mode'] : ['[টেস্ট]', 'টেস্ট মোড'];
    expect(subject.startsWith(mark[0] ?? '')).toBe(true);
    expect(text.startsWith(mark[1] ?? '')).toBe(true);
    expect(html).toContain(mark[1]);
    expect(invoiceEmail(NOTICE).subject).not.toContain('TEST');
  });

  test('has the same facts and the link in both parts', () => {
    // Otherwise readers of one part would learn less than readers of the other.
    for (const kind of ['reminder', 'overdue'] as const) {
      const { text, html } = invoiceEmail({ ...NOTICE, kind });
      const shown = parse(html).textContent.replaceAll('\u00a0', ' ');
      const facts = text.split('\n').flatMap((line) => /^[^:]+: (.+)$/.exec(line)?.[1] ?? []);
      expect(facts.length).toBe(5);
      expect(facts.filter((fact) => !shown.includes(fact))).toEqual([]);
      const links = parse(html)
        .querySelectorAll('a')
        .map((link) => link.getAttribute('href'));
      expect(links).toEqual([NOTICE.payableUrl, NOTICE.payableUrl]);
    }
  });

  test('loads nothing and runs nothing, whatever a company is called', () => {
    // The company name is a stranger's text, in an email that asks the payer for money.
    fc.assert(
      fc.property(
        hostile,
        hostile,
        hostile,
        fc.constantFrom('en', 'bn'),
        (companyName, contactDetails, number, language) => {
          const branding = { companyName, contactDetails, accentColor: companyName };
          const { subject, text, html } = invoiceEmail({ ...NOTICE, language, number, branding });
          const elements = parse(html).querySelectorAll('*');
          const tags = new Set(elements.map(({ tagName }) => tagName));
          expect([...tags].filter((tag) => !ALLOWED.has(tag))).toEqual([]);
          const attributes = new Set(elements.flatMap(({ attributes }) => Object.keys(attributes)));
          expect(
            [...attributes].filter((name) => !['lang', 'charset', 'name', 'content', 'style', 'href'].includes(name)),
          ).toEqual([]);
          expect(elements.filter(({ tagName }) => tagName === 'A').map((link) => link.getAttribute('href'))).toEqual([
            NOTICE.payableUrl,
            NOTICE.payableUrl,
          ]);
          expect(elements.filter((element) => /url|[{}<>]/i.test(element.getAttribute('style') ?? ''))).toEqual([]);
          expect(subject).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u);
          expect(subject.length).toBeLessThanOrEqual(300);
          expect([subject, text, html].every((part) => part.isWellFormed())).toBe(true);
          expect(text.match(/https:\/\/pay\.example\/pay\/pay_abc/g)).toHaveLength(1);
          expect(text.split('\n').length).toBeLessThanOrEqual(24);
        },
      ),
      { numRuns: 400 },
    );
  });

  test('puts a company called like a placeholder in as it is', () => {
    // Otherwise placeholders in a company's name would be filled in a second time.
    const branding = { ...NOTICE.branding, companyName: '#amount #date $& $1' };
    expect(invoiceEmail({ ...NOTICE, branding }).subject).toContain('from #amount #date $& $1:');
  });

  test('cuts a long name between letters', () => {
    // Otherwise a long name would push the amount, which follows it, out of the subject.
    const branding = { ...NOTICE.branding, companyName: 'ক্ষ্মী'.repeat(60) };
    const { subject } = invoiceEmail({ ...NOTICE, branding });
    expect(subject).toMatch(/(ক্ষ্মী)+…: BDT 1,23,456\.00/);
  });

  test('makes a pale accent colour dark enough to be read', () => {
    // Otherwise payers could not read the button's text on the application's colour.
    const { html } = invoiceEmail({ ...NOTICE, branding: { ...NOTICE.branding, accentColor: '#ffff00' } });
    expect(html).not.toContain('#ffff00');
    expect(html).toMatch(/background-color:#[0-9a-f]{6};color:#ffffff/);
  });

  test.each(['javascript:alert(1)', '/pay/x', 'https://user:pass@pay.example/', ''])(
    'is not made with the link %j',
    (payableUrl) => {
      // Otherwise the button could lead elsewhere.
      expect(() => invoiceEmail({ ...NOTICE, payableUrl })).toThrow('link');
    },
  );
});

const ALLOWED = new Set([
  'HTML',
  'HEAD',
  'META',
  'TITLE',
  'BODY',
  'DIV',
  'P',
  'H1',
  'A',
  'BR',
  'SPAN',
  'STRONG',
  'BDI',
]);
