import type { RefundReviewReason } from '../../../../domain/refund.ts';

const en = {
  title: 'Under review',
  why: {
    GATEWAY_CANCELLED: 'The gateway says that the refund was cancelled.',
    REFUSED_AFTER_DOUBT: 'An earlier try may have refunded already, and the gateway refuses another.',
    STUCK_AT_GATEWAY: 'The gateway has not carried out the refund for a long time.',
    REJECTED_AFTER_DOUBT: 'It was rejected here, but the gateway may have it: an older database was restored.',
    PAID_BACK_BY_HAND: 'No gateway can make this refund. Pay it back by hand, then say so here.',
    FAILED_AFTER_SUCCESS: 'The gateway says that it failed, after it had said that it succeeded.',
  } satisfies Record<RefundReviewReason, string>,
  look: 'Look in the gateway’s own dashboard before you decide.',
  retry: 'Try again',
  refunded: 'It was refunded',
  'not-refunded': 'It was not refunded',
  acts: {
    retry: (number: string) => `Ask the gateway for refund ${number} again`,
    refunded: (number: string) => `Say that refund ${number} reached the payer`,
    'not-refunded': (number: string) => `Say that refund ${number} did not reach the payer`,
  },
  reason: 'What did you see?',
  waits: 'Your decision is recorded. A second person has to make the same one.',
  done: 'Decided.',
};

const bn: typeof en = {
  title: 'পর্যালোচনায়',
  why: {
    GATEWAY_CANCELLED: 'গেটওয়ে বলছে রিফান্ড বাতিল হয়েছে।',
    REFUSED_AFTER_DOUBT: 'আগের চেষ্টায় হয়তো ফেরত গেছে, গেটওয়ে আরেকটি নিচ্ছে না।',
    STUCK_AT_GATEWAY: 'গেটওয়ে অনেকক্ষণ রিফান্ড করেনি।',
    REJECTED_AFTER_DOUBT: 'এখানে প্রত্যাখ্যান হয়েছিল, কিন্তু গেটওয়েতে থাকতে পারে: পুরোনো ডেটাবেজ ফেরানো হয়েছে।',
    PAID_BACK_BY_HAND: 'কোনো গেটওয়ে এই রিফান্ড করতে পারে না। হাতে ফেরত দিয়ে এখানে জানান।',
    FAILED_AFTER_SUCCESS: 'গেটওয়ে আগে সফল বলেছিল, এখন বলছে ব্যর্থ।',
  },
  look: 'সিদ্ধান্তের আগে গেটওয়ের নিজস্ব ড্যাশবোর্ডে দেখুন।',
  retry: 'আবার চেষ্টা করুন',
  refunded: 'ফেরত গেছে',
  'not-refunded': 'ফেরত যায়নি',
  acts: {
    retry: (number) => `গেটওয়েকে রিফান্ড ${number} আবার করতে বলুন`,
    refunded: (number) => `রিফান্ড ${number} ক্রেতা পেয়েছেন, জানান`,
    'not-refunded': (number) => `রিফান্ড ${number} ক্রেতা পাননি, জানান`,
  },
  reason: 'কী দেখেছেন?',
  waits: 'আপনার সিদ্ধান্ত রাখা হয়েছে। দ্বিতীয় জনকেও একই সিদ্ধান্ত দিতে হবে।',
  done: 'সিদ্ধান্ত হয়েছে।',
};

export const REFUND_REVIEW_WORDS = { en, bn } as const;
