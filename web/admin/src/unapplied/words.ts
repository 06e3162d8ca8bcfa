import type { UnappliedStatus } from '../../../../domain/unapplied-payment.ts';

const en = {
  title: 'Unapplied payments',
  why: 'Money that a gateway confirmed but that settles no payment: it came late, or too much was paid.',
  empty: 'No unapplied payment matches.',
  amount: 'Amount',
  payment: 'Payment',
  status: 'Status',
  kind: 'Why',
  gateway: 'Gateway',
  received: 'Received',
  decide: 'Decision',
  statuses: {
    HELD: 'Held',
    REFUNDING: 'Being refunded',
    REFUNDED: 'Refunded',
    KEPT: 'Kept',
  } satisfies Record<UnappliedStatus, string>,
  kinds: { LATE: 'Paid late', OVERPAYMENT: 'Paid too much' },
  refund: 'Refund',
  keep: 'Keep',
  refundAct: (amount: string, reference: string) => `Refund the ${amount} that came for ${reference}`,
  keepAct: (amount: string, reference: string) => `Keep the ${amount} that came for ${reference}`,
  reason: 'Why do you decide so?',
  waits: {
    refund: 'One person decided to refund it. A second has to agree.',
    keep: 'One person decided to keep it. A second has to agree.',
  },
};

const bn: typeof en = {
  title: 'হিসাবে না বসা টাকা',
  why: 'গেটওয়ে টাকা নিশ্চিত করেছে, কিন্তু কোনো পেমেন্টে বসেনি: দেরিতে এসেছে, অথবা বেশি দেওয়া হয়েছে।',
  empty: 'এমন কোনো টাকা নেই।',
  amount: 'পরিমাণ',
  payment: 'পেমেন্ট',
  status: 'অবস্থা',
  kind: 'কারণ',
  gateway: 'গেটওয়ে',
  received: 'এসেছে',
  decide: 'সিদ্ধান্ত',
  statuses: { HELD: 'রাখা আছে', REFUNDING: 'ফেরত যাচ্ছে', REFUNDED: 'ফেরত দেওয়া হয়েছে', KEPT: 'রেখে দেওয়া হয়েছে' },
  kinds: { LATE: 'দেরিতে দেওয়া', OVERPAYMENT: 'বেশি দেওয়া' },
  refund: 'ফেরত দিন',
  keep: 'রেখে দিন',
  refundAct: (amount, reference) => `${reference}-এর জন্য আসা ${amount} ফেরত দিন`,
  keepAct: (amount, reference) => `${reference}-এর জন্য আসা ${amount} রেখে দিন`,
  reason: 'কেন এই সিদ্ধান্ত?',
  waits: {
    refund: 'একজন ফেরত দিতে বলেছেন। আরেকজনের সম্মতি লাগবে।',
    keep: 'একজন রেখে দিতে বলেছেন। আরেকজনের সম্মতি লাগবে।',
  },
};

export const UNAPPLIED_WORDS = { en, bn } as const;
