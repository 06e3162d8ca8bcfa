import type { InstallmentState } from '../../domain/installments.ts';
import type { ShownInvoiceStatus } from '../../domain/invoice.ts';
import type { Language } from '../language.ts';

/** Every text of a document. A language that lacks one does not compile. `#page` and `#pages` are placeholders for numbers. */
export interface DocumentWords {
  readonly invoice: string;
  readonly receipt: string;
  readonly customer: string;
  readonly reference: string;
  readonly issueDate: string;
  readonly dueDate: string;
  readonly amountDue: string;
  readonly description: string;
  readonly quantity: string;
  readonly unitPrice: string;
  readonly discount: string;
  readonly tax: string;
  readonly amount: string;
  readonly subtotal: string;
  readonly total: string;
  readonly paid: string;
  readonly inWords: string;
  readonly installments: string;
  readonly status: string;
  readonly notes: string;
  readonly scanToPay: string;
  readonly scanToView: string;
  readonly page: string;
  readonly test: string;
  readonly amountPaid: string;
  readonly paidAt: string;
  readonly paidThrough: string;
  readonly transaction: string;
  readonly payment: string;
  readonly refunded: string;
  readonly kept: string;
  readonly paidFor: string;
  readonly invoiceTotal: string;
  readonly paidOfInvoice: string;
  readonly statuses: Record<ShownInvoiceStatus, string>;
  readonly installmentStatuses: Record<InstallmentState['status'], string>;
}

const english: DocumentWords = {
  invoice: 'Invoice',
  receipt: 'Receipt',
  customer: 'Billed to',
  reference: 'Reference',
  issueDate: 'Issued',
  dueDate: 'Due',
  amountDue: 'Amount due',
  description: 'Description',
  quantity: 'Qty',
  unitPrice: 'Unit price',
  discount: 'Discount',
  tax: 'Tax',
  amount: 'Amount',
  subtotal: 'Subtotal',
  total: 'Total',
  paid: 'Paid',
  inWords: 'In words',
  installments: 'Installments',
  status: 'Status',
  notes: 'Notes',
  scanToPay: 'Scan to pay this invoice',
  scanToView: 'Scan to view this document',
  page: 'Page #page of #pages',
  test: 'TEST',
  amountPaid: 'Amount paid',
  paidAt: 'Paid at',
  paidThrough: 'Paid through',
  transaction: 'Transaction',
  payment: 'Payment',
  refunded: 'Refunded',
  kept: 'Paid after refunds',
  paidFor: 'Paid for',
  invoiceTotal: 'Invoice total',
  paidOfInvoice: 'Paid so far',
  statuses: {
    DRAFT: 'Draft',
    ISSUED: 'Issued',
    PARTIALLY_PAID: 'Partially paid',
    PAID: 'Paid',
    VOID: 'Void',
    OVERDUE: 'Overdue',
  },
  installmentStatuses: { OPEN: 'Open', PARTIALLY_PAID: 'Partially paid', PAID: 'Paid', OVERDUE: 'Overdue' },
};

const bangla: DocumentWords = {
  invoice: 'ইনভয়েস',
  receipt: 'রসিদ',
  customer: 'গ্রাহক',
  reference: 'রেফারেন্স',
  issueDate: 'ইস্যুর তারিখ',
  dueDate: 'পরিশোধের শেষ তারিখ',
  amountDue: 'বকেয়া',
  description: 'বিবরণ',
  quantity: 'পরিমাণ',
  unitPrice: 'একক মূল্য',
  discount: 'ছাড়',
  tax: 'কর',
  amount: 'মূল্য',
  subtotal: 'উপমোট',
  total: 'সর্বমোট',
  paid: 'পরিশোধিত',
  inWords: 'কথায়',
  installments: 'কিস্তি',
  status: 'অবস্থা',
  notes: 'মন্তব্য',
  scanToPay: 'স্ক্যান করে পরিশোধ করুন',
  scanToView: 'স্ক্যান করে দেখুন',
  page: 'পৃষ্ঠা #page / #pages',
  test: 'টেস্ট',
  amountPaid: 'পরিশোধিত টাকা',
  paidAt: 'পরিশোধের সময়',
  paidThrough: 'পরিশোধের মাধ্যম',
  transaction: 'লেনদেন নম্বর',
  payment: 'পেমেন্ট',
  refunded: 'ফেরত দেওয়া হয়েছে',
  kept: 'ফেরতের পর পরিশোধিত',
  paidFor: 'বাবদ',
  invoiceTotal: 'ইনভয়েসের সর্বমোট',
  paidOfInvoice: 'এ পর্যন্ত পরিশোধিত',
  statuses: {
    DRAFT: 'খসড়া',
    ISSUED: 'ইস্যু করা হয়েছে',
    PARTIALLY_PAID: 'আংশিক পরিশোধিত',
    PAID: 'পরিশোধিত',
    VOID: 'বাতিল',
    OVERDUE: 'মেয়াদোত্তীর্ণ',
  },
  installmentStatuses: { OPEN: 'বাকি', PARTIALLY_PAID: 'আংশিক পরিশোধিত', PAID: 'পরিশোধিত', OVERDUE: 'মেয়াদোত্তীর্ণ' },
};

export function documentWordsIn(language: Language): DocumentWords {
  return language === 'bn' ? bangla : english;
}
