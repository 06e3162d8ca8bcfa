import type { Mode } from '../../domain/mode.ts';
import type { PlainDate } from '../../domain/plain-date.ts';
import { inDigits } from '../money-text.ts';
import type { Language } from '../language.ts';
import { SafeUrl } from '../safe-url.ts';
import { readableAccent } from '../accent.ts';
import type { Branding, Customer } from './document.ts';
import type { Printable } from './printable.ts';
import { qrOf } from './qr.ts';
import { documentWordsIn } from './words.ts';

/** The most lines of an address or note; the rest is omitted. */
const LINES_MAX = { address: 8, contact: 6, footer: 4 };

export interface Field {
  readonly label: string;
  readonly lines: readonly string[];
}

/** A row of a list of amounts. */
export interface Row {
  readonly label: string;
  readonly value: string;
  readonly strong: boolean;
}

/** What both templates need, as final texts. Typst reads it as JSON. */
export interface CommonContent {
  readonly language: Language;
  readonly metadata: { readonly title: string; readonly author: string; readonly date: readonly number[] | null };
  readonly accent: string;
  readonly watermark: string | null;
  /** `#page` and `#pages` are placeholders for numbers, in these digits. */
  readonly page: string;
  readonly digits: readonly string[];
  readonly company: {
    readonly name: string;
    readonly address: readonly string[];
    readonly contact: readonly string[];
    readonly footer: readonly string[];
    readonly logo: 'png' | 'jpg' | null;
  };
  readonly customer: { readonly label: string; readonly name: string; readonly lines: readonly string[] };
  readonly link: {
    readonly qr: string | null;
    readonly url: string;
    readonly shown: string;
    readonly label: string;
  } | null;
}

export interface CommonFacts {
  readonly language: Language;
  readonly mode: Mode;
  readonly branding: Branding;
  readonly customer: Customer;
  readonly title: string;
  readonly date: PlainDate | null;
  readonly url: string | null;
  readonly linkLabel: string;
}

export function commonContent(facts: CommonFacts, print: Printable): CommonContent {
  const { language, branding } = facts;
  const words = documentWordsIn(language);
  return {
    language,
    metadata: {
      title: print.bare(facts.title),
      author: print.bare(branding.companyName),
      date: facts.date?.split('-').map(Number) ?? null,
    },
    accent: readableAccent(branding.accentColor),
    watermark: facts.mode === 'TEST' ? words.test : null,
    page: words.page,
    digits: Array.from('0123456789', (digit) => inDigits(digit, language)),
    company: {
      name: print.text(branding.companyName),
      address: print.lines(branding.companyAddress, LINES_MAX.address),
      contact: print.lines(branding.contactDetails, LINES_MAX.contact),
      footer: print.lines(branding.footerNote, LINES_MAX.footer),
      logo: branding.logo === null ? null : branding.logo.type === 'png' ? 'png' : 'jpg',
    },
    customer: customerContent(facts, print),
    link: linkContent(facts, print),
  };
}

function customerContent({ customer, language }: CommonFacts, print: Printable): CommonContent['customer'] {
  const words = documentWordsIn(language);
  const name = print.text(customer.name ?? '');
  const reference = print.text(customer.reference ?? '');
  return {
    label: words.customer,
    name: name === '' ? reference : name,
    lines: [
      ...print.lines(customer.address, LINES_MAX.address),
      ...(name === '' || reference === '' ? [] : [`${words.reference}: ${reference}`]),
    ],
  };
}

/** Returns no link if the URL is not an http or https address. */
function linkContent({ url, linkLabel }: CommonFacts, print: Printable): CommonContent['link'] {
  const safe = url === null ? null : SafeUrl.externalUrl(url);
  if (safe === null) {
    return null;
  }
  return { qr: qrOf(safe), url: safe.toString(), shown: print.text(safe.toString()), label: linkLabel };
}
