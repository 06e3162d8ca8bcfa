import { DEFAULT_ACCENT } from '../accent.ts';
import { moneyText } from '../money-text.ts';
import { dateText } from '../time-text.ts';
import { frameWordsIn } from '../frame/words.ts';
import { SafeUrl } from '../safe-url.ts';
import { visibleText } from '../visible-text.ts';
import { noticeHtml } from './notice-html.ts';
import { noticeText } from './notice-text.ts';
import type { InvoiceNotice, NoticeContent, NoticeFact, RenderedEmail } from './notice.ts';
import { mailWordsIn } from './words.ts';

const COMPANY_MAX = 80;
const NUMBER_MAX = 40;
const CONTACT_LINES_MAX = 6;
const CONTACT_LINE_MAX = 200;

const graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' });

/**
 * Renders the reminder of an invoice, or the notice that it is overdue.
 * @throws Error when the link is not an http or https address, which is a programming error.
 */
export function invoiceEmail(notice: InvoiceNotice): RenderedEmail {
  const content = contentOf(notice);
  return { subject: content.subject, text: noticeText(content), html: noticeHtml(content).toString() };
}

function contentOf(notice: InvoiceNotice): NoticeContent {
  const { kind, language, mode, branding, currency, amountMinor, dueMinor } = notice;
  const words = mailWordsIn(language);
  const url = SafeUrl.externalUrl(notice.payableUrl);
  if (url === null) {
    throw new Error('The link of an invoice must be an http or https URL.');
  }
  const company = cut(visibleText(branding.companyName), COMPANY_MAX);
  const number = cut(visibleText(notice.number), NUMBER_MAX);
  const amount = moneyText({ amountMinor, currency }, language);
  const date = dateText(notice.dueDate, language);
  const fact = (label: string, value: string, strong = false): NoticeFact => ({ label, value, strong });
  return {
    language,
    subject: subjectOf({
      pattern: words.subjects[kind],
      mark: mode === 'TEST' ? words.test : null,
      number,
      company,
      amount,
      date,
    }),
    testMode: mode === 'TEST' ? frameWordsIn(language).testMode : null,
    heading: words.headings[kind],
    intro: words.intros[kind],
    facts: [
      fact(words.company, company),
      fact(words.number, number),
      fact(words.amount, amount, true),
      fact(words.dueDate, date),
      ...(dueMinor === amountMinor
        ? []
        : [fact(words.wholeDue, moneyText({ amountMinor: dueMinor, currency }, language))]),
    ],
    pay: words.pay,
    address: words.address,
    url,
    alreadyPaid: words.alreadyPaid,
    contact: contactOf(branding.contactDetails, words.contact),
    automatic: words.automatic,
    accentColor: branding.accentColor ?? DEFAULT_ACCENT,
  };
}

/** Replaces all placeholders at once, so that a company named `#amount` stays unchanged. */
function subjectOf(given: {
  pattern: string;
  mark: string | null;
  number: string;
  company: string;
  amount: string;
  date: string;
}): string {
  const { pattern, mark, number, company, amount, date } = given;
  const parts: Readonly<Record<string, string>> = {
    '#number': number,
    '#company': company,
    '#amount': amount.replaceAll('\u00a0', ' '),
    '#date': date,
  };
  const subject = pattern.replace(/#[a-z]+/g, (name) => parts[name] ?? name);
  return mark === null ? subject : `${mark} ${subject}`;
}

function contactOf(details: string | null, label: string): NoticeContent['contact'] {
  const lines = (details ?? '')
    .split(/\r\n|[\r\n\u2028\u2029]/, CONTACT_LINES_MAX)
    .map((line) => cut(visibleText(line), CONTACT_LINE_MAX))
    .filter((line) => line !== '');
  return lines.length === 0 ? null : { label, lines };
}

/** Cuts a text to `max` UTF-16 units, between graphemes only. */
function cut(text: string, max: number): string {
  if (text.length <= max) {
    return text;
  }
  let kept = '';
  for (const { segment } of graphemes.segment(text)) {
    if (kept.length + segment.length > max - 1) {
      break;
    }
    kept += segment;
  }
  return `${kept}…`;
}
