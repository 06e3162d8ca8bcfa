import type { Language } from '../language.ts';
import type { PayProblem } from './view.ts';

/**
 * Every text of an invoice's page that its PDF does not have. A language that lacks one does not compile. Words that begin with `#` are placeholders
 * for names, amounts and dates.
 */
export interface PayableWords {
  readonly title: string;
  readonly logo: string;
  readonly dueNow: string;
  readonly nextInstallment: string;
  readonly dueBy: string;
  readonly wasDue: string;
  readonly stillToPay: string;
  readonly paidOf: string;
  readonly pay: string;
  readonly payRest: string;
  readonly payOwn: string;
  readonly ownAmount: string;
  readonly range: string;
  readonly payThis: string;
  readonly payNote: string;
  readonly cannotPay: string;
  readonly inProgress: string;
  readonly goOn: string;
  readonly payOther: string;
  readonly payOtherNote: string;
  readonly downloadPdf: string;
  readonly items: string;
  readonly payments: string;
  readonly issuedBy: string;
  readonly paidTitle: string;
  readonly paidText: string;
  readonly paidOn: string;
  readonly voidTitle: string;
  readonly voidText: string;
  readonly expiredTitle: string;
  readonly expiredText: string;
  readonly problems: Record<PayProblem, string>;
}

const english: PayableWords = {
  title: 'Invoice #number',
  logo: 'Logo',
  dueNow: 'Due now',
  nextInstallment: 'Next installment',
  dueBy: 'Due by #date',
  wasDue: 'Was due on #date',
  stillToPay: '#amount of #total left to pay',
  paidOf: '#amount of #total paid',
  pay: 'Pay #amount',
  payRest: 'Pay all of it: #amount',
  payOwn: 'Pay another amount',
  ownAmount: 'Amount in #currency',
  range: 'From #amount to #total',
  payThis: 'Pay this amount',
  payNote: 'You pay on the secure page of a payment provider. This page never asks for card or wallet details.',
  cannotPay: 'This invoice cannot be paid online at the moment. Please ask #company.',
  inProgress: 'A payment of #amount for this invoice was begun at #time. If it has just been made, wait a moment.',
  goOn: 'Go on with this payment',
  payOther: 'Pay a different amount',
  payOtherNote: 'Only if the payment above is not meant to be made: both would be counted.',
  downloadPdf: 'Download PDF',
  items: 'Items',
  payments: 'Payments so far',
  issuedBy: 'Issued by',
  paidTitle: 'Thank you, this invoice is paid',
  paidText: '#company has received the whole amount.',
  paidOn: 'Paid on #date.',
  voidTitle: 'This invoice is void',
  voidText: 'Please do not pay it. If you have a question, ask #company.',
  expiredTitle: 'This invoice has expired',
  expiredText: 'It can no longer be paid. If you have a question, ask #company.',
  problems: {
    not_an_amount: 'That could not be read as an amount. Write it in figures, such as #amount.',
    too_little: 'That is less than can be paid here. Please enter at least #amount.',
    too_much: 'That is more than is due. Please enter at most #amount.',
    changed: 'The amount has changed since you opened this page. Nothing was paid; please look at it again.',
    unavailable: 'The payment provider cannot be reached at the moment. Nothing was paid; please try again.',
  },
};

const bangla: PayableWords = {
  title: 'ইনভয়েস #number',
  logo: 'লোগো',
  dueNow: 'এখন দিতে হবে',
  nextInstallment: 'পরবর্তী কিস্তি',
  dueBy: 'পরিশোধের শেষ তারিখ #date',
  wasDue: 'পরিশোধের তারিখ ছিল #date',
  stillToPay: 'মোট #total, বাকি #amount',
  paidOf: 'মোট #total, পরিশোধিত #amount',
  pay: '#amount পরিশোধ করুন',
  payRest: 'পুরো #amount পরিশোধ করুন',
  payOwn: 'অন্য পরিমাণ পরিশোধ করুন',
  ownAmount: 'টাকার পরিমাণ (#currency)',
  range: '#amount থেকে #total পর্যন্ত',
  payThis: 'এই পরিমাণ পরিশোধ করুন',
  payNote: 'টাকা পরিশোধ করবেন পেমেন্ট সেবার নিরাপদ পেজে। এই পেজে কখনো কার্ড বা ওয়ালেটের তথ্য চাওয়া হয় না।',
  cannotPay: 'এই মুহূর্তে ইনভয়েসটি অনলাইনে পরিশোধ করা যাচ্ছে না। অনুগ্রহ করে যোগাযোগ করুন: #company।',
  inProgress: 'এই ইনভয়েসের #amount পরিশোধ শুরু হয়েছে #time সময়ে। এইমাত্র পরিশোধ করে থাকলে একটু অপেক্ষা করুন।',
  goOn: 'এই পেমেন্ট চালিয়ে যান',
  payOther: 'ভিন্ন পরিমাণ পরিশোধ করুন',
  payOtherNote: 'উপরের পেমেন্টটি করতে না চাইলেই কেবল। নইলে দুটিই হিসাবে ধরা হবে।',
  downloadPdf: 'পিডিএফ ডাউনলোড করুন',
  items: 'পণ্য ও সেবা',
  payments: 'এ পর্যন্ত পরিশোধ',
  issuedBy: 'ইস্যুকারী',
  paidTitle: 'ধন্যবাদ, ইনভয়েসটি পরিশোধিত হয়েছে',
  paidText: 'সম্পূর্ণ টাকা পাওয়া গেছে: #company।',
  paidOn: 'পরিশোধের তারিখ #date।',
  voidTitle: 'ইনভয়েসটি বাতিল করা হয়েছে',
  voidText: 'অনুগ্রহ করে এটি পরিশোধ করবেন না। প্রশ্ন থাকলে যোগাযোগ করুন: #company।',
  expiredTitle: 'ইনভয়েসটির মেয়াদ শেষ হয়েছে',
  expiredText: 'এটি আর পরিশোধ করা যাবে না। প্রশ্ন থাকলে যোগাযোগ করুন: #company।',
  problems: {
    not_an_amount: 'লেখাটি টাকার পরিমাণ হিসেবে পড়া গেল না। সংখ্যায় লিখুন, যেমন #amount।',
    too_little: 'এর চেয়ে বেশি দিতে হবে। অনুগ্রহ করে অন্তত #amount লিখুন।',
    too_much: 'এটি বকেয়ার চেয়ে বেশি। অনুগ্রহ করে সর্বোচ্চ #amount লিখুন।',
    changed: 'পেজটি খোলার পর টাকার পরিমাণ বদলেছে। কোনো টাকা কাটা হয়নি; অনুগ্রহ করে আবার দেখে নিন।',
    unavailable: 'এই মুহূর্তে পেমেন্ট সেবার সঙ্গে সংযোগ করা যাচ্ছে না। কোনো টাকা কাটা হয়নি; আবার চেষ্টা করুন।',
  },
};

export function payableWordsIn(language: Language): PayableWords {
  return language === 'bn' ? bangla : english;
}
