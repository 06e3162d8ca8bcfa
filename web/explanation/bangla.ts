import { BUSINESS_TIME_ZONE } from '../../domain/calendar.ts';
import type { StatedDisputeStatus } from '../../domain/dispute.ts';
import type { ExplanationWords } from '../../domain/explanation-words.ts';
import type { Money } from '../../domain/money.ts';
import type { PaymentStatus, ReviewReason } from '../../domain/payment.ts';
import type { RefundReviewReason } from '../../domain/refund.ts';
import { moneyText } from '../money-text.ts';
import { momentText } from '../time-text.ts';

const REVIEWS: Readonly<Record<ReviewReason, string>> = {
  AMOUNT_MISMATCH: 'গেটওয়ে ভিন্ন পরিমাণ নিশ্চিত করেছে',
  CURRENCY_MISMATCH: 'গেটওয়ে ভিন্ন মুদ্রা নিশ্চিত করেছে',
  REFERENCE_MISMATCH: 'গেটওয়ে ভিন্ন রেফারেন্সের চার্জ নিশ্চিত করেছে',
  STORE_MISMATCH: 'গেটওয়ে ভিন্ন স্টোরের চার্জ নিশ্চিত করেছে',
  RISK_FLAGGED: 'গেটওয়ে টাকা নিয়েছে, কিন্তু চার্জটিকে ঝুঁকিপূর্ণ বলেছে',
  GATEWAY_UNREACHABLE: 'পেমেন্টের মেয়াদ শেষ হওয়ার পর ৭২ ঘণ্টা গেটওয়ের সঙ্গে যোগাযোগ করা যায়নি',
  EVIDENCE_REUSED: 'গেটওয়ের নিশ্চিতকরণটি আগেই অন্য পেমেন্টে ব্যবহার হয়েছে',
};

const REFUND_REVIEWS: Readonly<Record<RefundReviewReason, string>> = {
  GATEWAY_CANCELLED: 'গেটওয়ে বলছে, এটি বাতিল হয়েছে',
  REFUSED_AFTER_DOUBT: 'গেটওয়েতে এর ফল স্পষ্ট নয়',
  STUCK_AT_GATEWAY: 'গেটওয়ে ৩০ দিনেও এটি শেষ করেনি',
  REJECTED_AFTER_DOUBT: 'এটি অনুমোদিত হয়নি, তবে ব্যাকআপ ফেরানোর আগে গেটওয়েতে গিয়ে থাকতে পারে',
  PAID_BACK_BY_HAND: 'গেটওয়ে রিফান্ড করে না, তাই একজন অপারেটর হাতে টাকা ফেরত দেন',
  FAILED_AFTER_SUCCESS: 'সফল হওয়ার পর গেটওয়ে জানিয়েছে, এটি ব্যর্থ হয়েছে',
};

const DECISIONS: Readonly<Record<string, string>> = {
  approve: 'অনুমোদন',
  reject: 'প্রত্যাখ্যান',
  accept: 'গ্রহণ',
  refund: 'রিফান্ড',
  keep: 'রেখে দেওয়া',
  retry: 'আবার জিজ্ঞাসা',
  refunded: 'ফেরত দেওয়া হয়েছে',
  'not-refunded': 'ফেরত দেওয়া হয়নি',
};

const DISPUTES = {
  WON: 'দোকান জিতেছে: টাকা দোকানেরই থাকছে',
  LOST: 'দোকান হেরেছে: গেটওয়ে টাকা ফেরত নিয়েছে',
  CLOSED: 'টাকা কাটার আগেই শেষ হয়েছে',
} as const satisfies Record<Exclude<StatedDisputeStatus, 'OPEN'>, string>;

const amountOf = (money: Money): string => moneyText(money, 'bn');
const momentOf = (at: Date): string => momentText(at, 'bn', BUSINESS_TIME_ZONE);
const countOf = (count: number): string => new Intl.NumberFormat('bn-BD').format(count);
const came = (status: PaymentStatus): string => `পেমেন্টটি ${status} হিসেবে শেষ হয়েছে। এরপর আসা টাকা`;
const decisionOf = (decision: string): string => DECISIONS[decision] ?? decision;
const errorOf = (error: string | null): string => error ?? 'সাড়া নেই';

/** The sentences of an explanation in Bangla. Codes and names of states stay as the API has them. */
export const BANGLA: ExplanationWords = {
  nothing: 'আর কিছু করার নেই।',
  noDeadline: 'কোনো সময়সীমা নেই।',
  decided: (decision) => `সিদ্ধান্ত হয়ে গেছে: ${decisionOf(decision)}। Lenden তা কার্যকর করছে।`,
  decidedByOne: (decision) =>
    `একজন অপারেটর সিদ্ধান্ত দিয়েছেন: ${decisionOf(decision)}। দ্বিতীয় একজনকে একই সিদ্ধান্ত দিতে হবে।`,

  held: (status) => ({
    summary: `${came(status)} আলাদা করে রাখা আছে।`,
    next: 'একজন অপারেটর এই টাকা ফেরত দেবেন বা রেখে দেবেন।',
  }),
  underReview: (reason) => `পর্যালোচনায়: ${REVIEWS[reason]}।`,
  reviewNext: 'একজন অপারেটর পেমেন্টটি গ্রহণ বা প্রত্যাখ্যান করবেন। কোনো সময়সীমা নেই।',
  created: {
    summary: 'পেমেন্টটি তৈরি হয়েছে। গেটওয়ের চেকআউট এখনো খোলেনি।',
    next: 'পেমেন্টের মেয়াদ শেষ না হওয়া পর্যন্ত Lenden চেকআউট খোলার চেষ্টা করবে।',
  },
  succeeded: {
    summary: 'গেটওয়ে চার্জ নিশ্চিত করেছে, এবং তা লেজারে লেখা হয়েছে।',
    next: 'রিফান্ড না হলে পেমেন্টটি চূড়ান্ত।',
  },
  failed: (code) => ({
    summary: `পেমেন্টটি ব্যর্থ হয়েছে, কোনো টাকা নেওয়া হয়নি (${code ?? 'declined'})।`,
    next: 'পেমেন্টটি চূড়ান্ত। নতুন একটি তৈরি করা যায়।',
  }),
  cancelled: {
    summary: 'গ্রাহক পেমেন্টটি বাতিল করেছেন। কোনো টাকা নেওয়া হয়নি।',
    next: 'পেমেন্টটি চূড়ান্ত। নতুন একটি তৈরি করা যায়।',
  },
  expired: {
    summary: 'পেমেন্টের মেয়াদ শেষ, এবং গেটওয়ে নিশ্চিত করেছে যে কোনো টাকা নেওয়া হয়নি।',
    next: 'পেমেন্টটি চূড়ান্ত। পরে টাকা এলে তা আলাদা করে রাখা হবে।',
  },
  partiallyRefunded: {
    summary: 'পেমেন্টের একটি অংশ ফেরত দেওয়া হয়েছে।',
    next: 'আরও রিফান্ড না হলে পেমেন্টটি চূড়ান্ত।',
  },
  refunded: { summary: 'পুরো পেমেন্ট ফেরত দেওয়া হয়েছে।', next: 'পেমেন্টটি চূড়ান্ত।' },
  lateRefunding: (status) => ({
    summary: `${came(status)} ফেরত দেওয়া হচ্ছে।`,
    next: 'রিফান্ড নিজে থেকেই চলে, এবং গেটওয়ে ফল জানালে শেষ হয়।',
  }),
  final: 'পেমেন্টটি চূড়ান্ত।',
  lateKept: (status) => ({ summary: `${came(status)} রেখে দেওয়া হয়েছে।`, next: 'পেমেন্টটি চূড়ান্ত।' }),
  lateRefunded: (status) => ({
    summary: `${came(status)} ফেরত দেওয়া হয়েছে।`,
    next: 'পেমেন্টটি চূড়ান্ত। নতুন একটি তৈরি করা যায়।',
  }),
  expiring: {
    summary: 'পেমেন্টের মেয়াদ শেষ। Lenden গেটওয়েকে ফল জিজ্ঞাসা করছে।',
    next: 'গেটওয়ের উত্তরেই ফল ঠিক হবে। ৭২ ঘণ্টা যোগাযোগ করা না গেলে একজন অপারেটর সিদ্ধান্ত দেবেন।',
  },
  asking: {
    summary: 'গেটওয়ের কলব্যাক বা বাতিলের অনুরোধ এসেছে। নিশ্চিত হতে Lenden গেটওয়েকে জিজ্ঞাসা করছে।',
    next: 'গেটওয়ের উত্তরেই ফল ঠিক হবে। শুধু কলব্যাকের ওপর কখনো ভরসা করা হয় না।',
  },
  choosing: 'গ্রাহক এখনো গেটওয়ে বেছে নেননি।',
  submissionRejected: 'গ্রাহকের জানানো ট্রান্সফারটি পাওয়া যায়নি। তিনি ট্রানজ্যাকশন নম্বরটি ঠিক করে দিতে পারেন।',
  unfinished: 'চেকআউট খোলা আছে। গ্রাহক এখনো শেষ করেননি।',
  unfinishedNext:
    'গ্রাহক টাকা দেবেন বা বাতিল করবেন। না হলে Lenden শেষবার গেটওয়েকে জিজ্ঞাসা করবে, এবং পেমেন্টের মেয়াদ শেষ হবে।',
  submitted: {
    summary: 'গ্রাহক একটি ট্রান্সফার জানিয়েছেন, যা এখনো কেউ নিশ্চিত করেননি।',
    next: 'একজন অপারেটর হিসাবের বিবরণীর সঙ্গে মিলিয়ে নিশ্চিত বা প্রত্যাখ্যান করবেন। কোনো সময়সীমা নেই।',
  },

  refund: (money, ofUnapplied) =>
    ofUnapplied ? `আলাদা রাখা ${amountOf(money)} এর রিফান্ড` : `${amountOf(money)} এর রিফান্ড`,
  refundAtGateway: (refund) =>
    `${refund} গেটওয়েতে আছে। ফল না জানানো পর্যন্ত Lenden জিজ্ঞাসা করতে থাকবে; ৩০ দিন পর একজন অপারেটর সিদ্ধান্ত দেবেন।`,
  refundUnderReview: (refund, reason) => `${refund} পর্যালোচনায় আছে: ${REFUND_REVIEWS[reason]}।`,
  refundReviewNext: 'এটি কীভাবে শেষ হলো, তা অপারেটররা ঠিক করবেন। কোনো সময়সীমা নেই।',
  refundAwaited: (refund) => `${refund} অনুমোদনের অপেক্ষায় ছিল।`,
  refundAwaits: (refund, until) =>
    until === null
      ? `${refund} দ্বিতীয় একজনের অনুমোদনের অপেক্ষায়।`
      : `${refund} দ্বিতীয় একজনের অনুমোদনের অপেক্ষায়, ${momentOf(until)} পর্যন্ত; এরপর তা প্রত্যাখ্যাত হবে।`,
  moreRefunds: (count) => `আরও ${countOf(count)}টি রিফান্ড খোলা আছে।`,

  disputed: (money) => `গ্রাহক তাঁর ব্যাংকে চার্জের ${amountOf(money)} নিয়ে আপত্তি তুলেছেন।`,
  disputeAnswered: (until) =>
    `দোকান গেটওয়ের ড্যাশবোর্ডে ${momentOf(until)} পর্যন্ত উত্তর দিতে পারে; এরপর ব্যাংক সিদ্ধান্ত দেবে।`,
  disputeDecided: 'ব্যাংক সিদ্ধান্ত দেবে; Lenden দিনে একবার গেটওয়েকে ফল জিজ্ঞাসা করে।',
  disputeEnded: (money, status) => `${amountOf(money)} নিয়ে আপত্তি: ${DISPUTES[status]}।`,

  recovering: (type) => `${type} ইভেন্টটি আটকে ছিল, এখনই আবার পাঠানো হবে।`,
  parked: (type, why) => `${type} ইভেন্টটি আটকে আছে: ${why}।`,
  parkedWithoutEndpoint: 'অ্যাপ্লিকেশনের কোনো এন্ডপয়েন্ট ছিল না',
  parkedDisabled: 'এর এন্ডপয়েন্ট বন্ধ ছিল',
  parkedFailed: (attempts, error) => `${countOf(attempts)} নম্বর চেষ্টা ব্যর্থ (${errorOf(error)}), আর চেষ্টা হবে না`,
  resendWithUrl: 'অ্যাপ্লিকেশনে ওয়েবহুকের ঠিকানা দিলে একজন অপারেটর আবার পাঠাতে পারবেন।',
  resendEnabled: 'এন্ডপয়েন্ট চালু করলে একজন অপারেটর আবার পাঠাতে পারবেন।',
  resend: 'একজন অপারেটর আবার পাঠাতে পারেন।',
  noUrl: 'অ্যাপ্লিকেশনে ওয়েবহুকের ঠিকানা নেই',
  disabled: 'এর এন্ডপয়েন্ট বন্ধ',
  undeliverable: (type, why) => `${type} ইভেন্টটি পৌঁছায়নি: ${why}। পরের চেষ্টার সময় হলে এটি আটকে রাখা হবে।`,
  undelivered: (type) => `${type} ইভেন্টটি এখনো পৌঁছায়নি।`,
  attemptFailed: (type, attempts, error) =>
    `${type} ইভেন্টটি পৌঁছায়নি: ${countOf(attempts)} নম্বর চেষ্টা ব্যর্থ (${errorOf(error)})।`,
  circuitOpen: (until, attempt) =>
    `এর এন্ডপয়েন্টে পাঠানো ${momentOf(until)} পর্যন্ত থামানো আছে; এরপর ${countOf(attempt)} নম্বর চেষ্টা হবে।`,
  attemptDue: (attempt, at) =>
    at === null
      ? `${countOf(attempt)} নম্বর চেষ্টার সময় হয়েছে।`
      : `${countOf(attempt)} নম্বর চেষ্টা ${momentOf(at)} তারিখে হবে।`,
  moreEvents: (count) => `আরও ${countOf(count)}টি ইভেন্ট পৌঁছায়নি।`,
};
