import type { Schemas } from '../api/client.ts';

const en = {
  title: 'Disputes',
  why: 'Payers who dispute a charge at their bank. The shop answers in the gateway’s own dashboard.',
  empty: 'No dispute matches.',
  amount: 'Amount',
  payment: 'Payment',
  status: 'Status',
  reason: 'Reason',
  respondBy: 'Answer until',
  application: 'Application',
  statuses: {
    NOTICED: 'Noticed',
    OPEN: 'Open',
    WON: 'Won',
    LOST: 'Lost',
    CLOSED: 'Closed',
  } satisfies Record<Schemas['DisputeDetail']['status'], string>,
};

const bn: typeof en = {
  title: 'ডিসপিউট',
  why: 'যেসব ক্রেতা ব্যাংকের কাছে টাকা কাটা নিয়ে আপত্তি করেছেন। দোকান গেটওয়ের নিজস্ব ড্যাশবোর্ডে উত্তর দেয়।',
  empty: 'এমন কোনো ডিসপিউট নেই।',
  amount: 'পরিমাণ',
  payment: 'পেমেন্ট',
  status: 'অবস্থা',
  reason: 'কারণ',
  respondBy: 'উত্তরের শেষ সময়',
  application: 'অ্যাপ্লিকেশন',
  statuses: { NOTICED: 'জানা গেছে', OPEN: 'খোলা', WON: 'জেতা', LOST: 'হারা', CLOSED: 'বন্ধ' },
};

export const DISPUTE_WORDS = { en, bn } as const;
