import type { Language } from '../../../language.ts';
import { CALLBACK_WORDS } from '../callbacks/words.ts';
import { bangla } from '../words/bangla.ts';
import { english, type Words } from '../words/english.ts';
import { countOf } from '../words/format.ts';

type Code = keyof typeof CODES_IN_ENGLISH;

/** What the API calls by a code in a timeline and in tables, beside the statuses of payments and refunds. */
const CODES_IN_ENGLISH = {
  OPEN: 'Checkout opened',
  UNKNOWN: 'Outcome unknown',
  CONFIRMED: 'Confirmed',
  REFUSED: 'Refused',
  CLOSED: 'Closed',
  HELD: 'Held',
  REFUNDING: 'Being refunded',
  KEPT: 'Kept',
  PENDING: 'Pending',
  PARKED: 'Given up',
  accept: 'accept',
  reject: 'reject',
  refund: 'refund',
  keep: 'keep',
  retry: 'query again',
  refunded: 'was refunded',
  'not-refunded': 'was not refunded',
  review: 'review',
  manual: 'manual payment',
  'unapplied-payment': 'unapplied payment',
  ipn: 'notification',
  success: 'return after success',
  fail: 'return after failure',
  cancel: 'return after cancelling',
};

const CODES_IN_BANGLA: typeof CODES_IN_ENGLISH = {
  OPEN: 'চেকআউট খোলা',
  UNKNOWN: 'ফলাফল অজানা',
  CONFIRMED: 'নিশ্চিত',
  REFUSED: 'প্রত্যাখ্যাত',
  CLOSED: 'বন্ধ',
  HELD: 'রাখা আছে',
  REFUNDING: 'ফেরত যাচ্ছে',
  KEPT: 'রেখে দেওয়া হয়েছে',
  PENDING: 'অপেক্ষমাণ',
  PARKED: 'পাঠানো বন্ধ',
  accept: 'গ্রহণ',
  reject: 'প্রত্যাখ্যান',
  refund: 'রিফান্ড',
  keep: 'রেখে দেওয়া',
  retry: 'আবার জিজ্ঞাসা',
  refunded: 'ফেরত দেওয়া হয়েছে',
  'not-refunded': 'ফেরত দেওয়া হয়নি',
  review: 'পর্যালোচনা',
  manual: 'ম্যানুয়াল পেমেন্ট',
  'unapplied-payment': 'হিসাবে না বসা টাকা',
  ipn: 'বিজ্ঞপ্তি',
  success: 'সফল হয়ে ফেরা',
  fail: 'ব্যর্থ হয়ে ফেরা',
  cancel: 'বাতিল করে ফেরা',
};

const CODES = { en: CODES_IN_ENGLISH, bn: CODES_IN_BANGLA } as const satisfies Record<Language, Record<Code, string>>;
const WORDS = { en: english, bn: bangla } as const satisfies Record<Language, Words>;

/** Returns what a code means, such as `HELD`; a code that is not known stays as it is. */
export function codeInWords(code: string, language: Language): string {
  const { statuses, refundStatuses, reviews } = WORDS[language];
  const known: Readonly<Record<string, string>> = {
    ...CALLBACK_WORDS[language].outcomes,
    ...CODES[language],
    ...reviews,
    ...refundStatuses,
    ...statuses,
  };
  return Object.hasOwn(known, code) ? (known[code] ?? code) : code;
}

const REPEATED = /^(\w+), repeated (\d+) times$/;

/** Returns what a timeline adds to what happened: a code, or a code and how often it came again. */
export function detailInWords(detail: string, language: Language): string {
  const [, code, times] = REPEATED.exec(detail) ?? [];
  if (code === undefined || times === undefined) {
    return codeInWords(detail, language);
  }
  const repeats = countOf(Number(times), language);
  return `${codeInWords(code, language)} · ${language === 'en' ? `repeated ${repeats} times` : `আরও ${repeats} বার`}`;
}

type InBangla = (found: readonly string[], code: (code: string) => string) => string;

/** What happens in a timeline: how the API says it, and how it is said in Bangla. */
const EVENTS: readonly (readonly [RegExp, InBangla])[] = [
  [/^payment created$/, () => 'পেমেন্ট তৈরি হয়েছে'],
  [/^callback received \((\w+)\)$/, ([kind = ''], code) => `গেটওয়ের বার্তা এসেছে (${code(kind)})`],
  [/^cancellation requested by the payer$/, () => 'প্রদানকারী বাতিল চেয়েছেন'],
  [/^put under review$/, () => 'পর্যালোচনায় রাখা হয়েছে'],
  [/^ended: (\w+)$/, ([status = ''], code) => `শেষ হয়েছে: ${code(status)}`],
  [/^unapplied payment posted to suspense$/, () => 'হিসাবে না বসা টাকা সাময়িক হিসাবে লেখা হয়েছে'],
  [/^attempt (\d+) created$/, ([n]) => `চেষ্টা ${n} তৈরি হয়েছে`],
  [/^attempt (\d+): checkout opened$/, ([n]) => `চেষ্টা ${n}: চেকআউট খোলা হয়েছে`],
  [
    /^attempt (\d+): replaced, the payer chose another gateway$/,
    ([n]) => `চেষ্টা ${n}: প্রদানকারী অন্য গেটওয়ে বেছে নিয়েছেন`,
  ],
  [/^attempt (\d+): charge confirmed by the gateway$/, ([n]) => `চেষ্টা ${n}: গেটওয়ে চার্জ নিশ্চিত করেছে`],
  [/^attempt (\d+) ended without a charge$/, ([n]) => `চেষ্টা ${n} চার্জ ছাড়া শেষ হয়েছে`],
  [/^attempt (\d+) refused$/, ([n]) => `চেষ্টা ${n} প্রত্যাখ্যাত হয়েছে`],
  [/^refund (\d+) created$/, ([n]) => `রিফান্ড ${n} তৈরি হয়েছে`],
  [/^refund (\d+) accepted by the gateway$/, ([n]) => `রিফান্ড ${n} গেটওয়ে গ্রহণ করেছে`],
  [/^refund (\d+) put under review$/, ([n]) => `রিফান্ড ${n} পর্যালোচনায় রাখা হয়েছে`],
  [/^refund (\d+) ended: (\w+)$/, ([n, status = ''], code) => `রিফান্ড ${n} শেষ হয়েছে: ${code(status)}`],
  [/^dispute (\d+) opened$/, ([n]) => `ডিসপিউট ${n} শুরু হয়েছে`],
  [/^dispute (\d+) ended: (\w+)$/, ([n, status = ''], code) => `ডিসপিউট ${n} শেষ হয়েছে: ${code(status)}`],
  [
    /^an operator decided \(([\w-]+)\): ([\w-]+)$/,
    ([kind = '', decision = ''], code) => `একজন অপারেটর সিদ্ধান্ত নিয়েছেন (${code(kind)}): ${code(decision)}`,
  ],
  [
    /^a second operator decided the same \(([\w-]+)\): ([\w-]+)$/,
    ([kind = '', decision = ''], code) => `দ্বিতীয় অপারেটর একই সিদ্ধান্ত নিয়েছেন (${code(kind)}): ${code(decision)}`,
  ],
  [/^event (\S+) recorded$/, ([type]) => `ইভেন্ট ${type} লেখা হয়েছে`],
  [/^event (\S+) delivered$/, ([type]) => `ইভেন্ট ${type} পৌঁছেছে`],
  [/^event (\S+): attempt (\d+) failed$/, ([type, n]) => `ইভেন্ট ${type}: চেষ্টা ${n} ব্যর্থ হয়েছে`],
  [/^event (\S+) parked$/, ([type]) => `ইভেন্ট ${type} পাঠানো বন্ধ করা হয়েছে`],
];

/** Returns what happened; in Bangla if it is known, otherwise as the API says it. */
export function eventInWords(event: string, language: Language): string {
  if (language === 'en') {
    return event;
  }
  for (const [pattern, say] of EVENTS) {
    const found = pattern.exec(event);
    if (found !== null) {
      return say(found.slice(1), (code) => codeInWords(code, language));
    }
  }
  return event;
}
