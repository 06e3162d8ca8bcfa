import type { Language } from '../language.ts';

/**
 * Every text of an email. A language that lacks one does not compile. Names and figures stand apart from the sentence, because no case ending fits
 * all of them.
 */
export interface MailWords {
  /** Precedes the subject. */
  readonly test: string;
  /** `#number`, `#company`, `#amount` and `#date` are placeholders. */
  readonly subjects: Record<NoticeKind, string>;
  readonly headings: Record<NoticeKind, string>;
  readonly intros: Record<NoticeKind, string>;
  readonly company: string;
  readonly number: string;
  readonly amount: string;
  readonly dueDate: string;
  readonly wholeDue: string;
  readonly pay: string;
  readonly address: string;
  readonly alreadyPaid: string;
  readonly contact: string;
  readonly automatic: string;
}

/** Before an installment is due, and after it is overdue. */
export type NoticeKind = 'reminder' | 'overdue';

const english: MailWords = {
  test: '[TEST]',
  subjects: {
    reminder: 'Invoice #number from #company: #amount due on #date',
    overdue: 'Overdue: invoice #number from #company, #amount',
  },
  headings: { reminder: 'A payment is coming due', overdue: 'A payment is overdue' },
  intros: {
    reminder: 'This is a reminder of an invoice that is waiting to be paid.',
    overdue: 'The date by which this invoice was to be paid has passed.',
  },
  company: 'From',
  number: 'Invoice',
  amount: 'To pay now',
  dueDate: 'Due on',
  wholeDue: 'Left to pay in all',
  pay: 'View and pay the invoice',
  address: 'If the button does not work, open this address:',
  alreadyPaid: 'If you have paid in the meantime, you need not do anything.',
  contact: 'Contact',
  automatic: 'This mail was sent automatically.',
};

const bangla: MailWords = {
  test: '[টেস্ট]',
  subjects: {
    reminder: 'ইনভয়েস #number, #company: #amount, পরিশোধের শেষ তারিখ #date',
    overdue: 'মেয়াদোত্তীর্ণ ইনভয়েস #number, #company: #amount',
  },
  headings: { reminder: 'পরিশোধের সময় ঘনিয়ে এসেছে', overdue: 'পরিশোধের তারিখ পেরিয়ে গেছে' },
  intros: {
    reminder: 'একটি ইনভয়েস পরিশোধের অপেক্ষায় আছে, সেটি মনে করিয়ে দেওয়া হচ্ছে।',
    overdue: 'যে তারিখের মধ্যে এই ইনভয়েস পরিশোধ করার কথা ছিল, তা পেরিয়ে গেছে।',
  },
  company: 'প্রতিষ্ঠান',
  number: 'ইনভয়েস',
  amount: 'এখন পরিশোধ করতে হবে',
  dueDate: 'পরিশোধের শেষ তারিখ',
  wholeDue: 'মোট বকেয়া',
  pay: 'ইনভয়েস দেখুন ও পরিশোধ করুন',
  address: 'বোতামটি কাজ না করলে এই ঠিকানা খুলুন:',
  alreadyPaid: 'এর মধ্যে পরিশোধ করে থাকলে আর কিছু করতে হবে না।',
  contact: 'যোগাযোগ',
  automatic: 'এই ইমেইলটি স্বয়ংক্রিয়ভাবে পাঠানো হয়েছে।',
};

export function mailWordsIn(language: Language): MailWords {
  return language === 'bn' ? bangla : english;
}
