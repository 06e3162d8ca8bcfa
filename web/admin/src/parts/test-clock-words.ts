const en = {
  title: 'Test clock',
  realTime: 'Its clock shows the real time.',
  ahead: (duration: string) => `Its clock is ${duration} ahead.`,
  moves: {
    hour: 'Forward an hour',
    expiry: 'To its expiry',
    'next-attempt': 'To the next attempt',
    month: 'By a month',
  },
  moved: (duration: string) => `Moved by ${duration}.`,
  passed: 'That time has passed already.',
  behind: 'Something is still in progress; press again to wait for it.',
  cannot: 'The Temporal server of this installation cannot skip time.',
};

const bn: typeof en = {
  title: 'পরীক্ষার ঘড়ি',
  realTime: 'এর ঘড়ি এখনকার আসল সময় দেখাচ্ছে।',
  ahead: (duration) => `এর ঘড়ি ${duration} এগিয়ে আছে।`,
  moves: {
    hour: 'এক ঘণ্টা এগিয়ে নিন',
    expiry: 'মেয়াদ শেষ পর্যন্ত',
    'next-attempt': 'পরের চেষ্টা পর্যন্ত',
    month: 'এক মাস এগিয়ে নিন',
  },
  moved: (duration) => `${duration} এগিয়ে নেওয়া হয়েছে।`,
  passed: 'সেই সময় আগেই পেরিয়ে গেছে।',
  behind: 'কিছু কাজ এখনো চলছে; অপেক্ষা করতে আবার চাপুন।',
  cannot: 'এই ইনস্টলেশনের Temporal সার্ভার সময় এগিয়ে নিতে পারে না।',
};

export const TEST_CLOCK_WORDS = { en, bn } as const;
