import type { Code } from './codes.ts';
import { formatAmount, parseAmount } from './money.ts';

/** The checked content of a create call. */
export type PaymentRequest = {
  mode: string;
  intent: string;
  amount: string;
  currency: string;
  invoice: string;
  payerReference: string;
  callbackUrl: string;
};

const amountMin = 1_00n;
const textLengthMax = 255;
const mandatory = ['mode', 'payerReference', 'callbackURL', 'amount', 'currency', 'intent', 'merchantInvoiceNumber'];

/** Checks a create call as documented and returns the code of the first problem. Agreements are not supported. */
export function readPaymentRequest(body: Readonly<Record<string, unknown>>): PaymentRequest | { code: Code } {
  if (mandatory.some((name) => body[name] === undefined || body[name] === null || body[name] === '')) {
    return { code: '2065' };
  }
  const text = (name: string): string => String(body[name]);
  const amount = parseAmount(body['amount']);
  if (text('mode') !== '0011') {
    return { code: text('mode') === '0000' || text('mode') === '0001' ? '2064' : '2063' };
  }
  if (amount === undefined || amount < amountMin) {
    return { code: '2006' };
  }
  if (text('currency') !== 'BDT') {
    return { code: '2007' };
  }
  if (text('intent') !== 'sale') {
    return { code: '2008' };
  }
  if (!isPlainText(text('merchantInvoiceNumber'))) {
    return { code: '2031' };
  }
  if (!isPlainText(text('payerReference'))) {
    return { code: '2048' };
  }
  if (!/^https?:\/\/[^\s/]/i.test(text('callbackURL')) || !URL.canParse(text('callbackURL'))) {
    return { code: '2049' };
  }
  return {
    mode: text('mode'),
    intent: text('intent'),
    amount: formatAmount(amount),
    currency: text('currency'),
    invoice: text('merchantInvoiceNumber'),
    payerReference: text('payerReference'),
    callbackUrl: text('callbackURL'),
  };
}

function isPlainText(text: string): boolean {
  return [...text].length <= textLengthMax && !/[<>&]/.test(text);
}
