import { PayoutMapping } from '../../domain/payouts/mapping.ts';
import { SHIPPED_MAPPINGS } from '../../domain/payouts/shipped-mappings.ts';
import { type Fact, netOf } from './fact.ts';
import type { Pen } from './pen.ts';

export const GATEWAYS = ['sslcommerz', 'bkash', 'nagad', 'stripe'] as const;
export type GatewayName = (typeof GATEWAYS)[number];

/** A gateway as its merchant knows it: what it takes, and how its files look. */
export interface Gateway {
  readonly name: GatewayName;
  readonly currency: string;
  readonly feeBps: bigint;
  readonly taxBps: bigint;
  /** If not, it is stated in the files only, and the merchant knows the agreed rate. */
  readonly feeKnownWithTheCharge: boolean;
  /** A shipped mapping, completed as an operator would. */
  readonly mapping: PayoutMapping;
  readonly delimiter: string;
  readonly headings: readonly string[];
  readonly cells: (fact: Fact, pen: Pen) => string[];
  /** The sums below the last row. */
  readonly total: (pen: Pen) => string[];
}

type Words = Readonly<Record<Fact['kind'], string>>;

const SSLCOMMERZ_WORDS: Words = {
  CHARGE: 'Sale',
  REFUND: 'Refund',
  FEE: 'Fee',
  TAX: 'VAT',
  DISPUTE: 'Charge-back',
  RESERVE: 'Hold',
  ADJUSTMENT: 'Adjustment',
};

const NAGAD_WORDS: Words = {
  CHARGE: 'মার্চেন্ট পেমেন্ট',
  REFUND: 'রিফান্ড',
  FEE: 'ফি',
  TAX: 'ভ্যাট',
  DISPUTE: 'অভিযোগ',
  RESERVE: 'সংরক্ষিত',
  ADJUSTMENT: 'সমন্বয়',
};

/** Of bKash, by the direction of the money. */
const BKASH_WORDS: Readonly<Record<Fact['kind'], readonly [toUs: string, fromUs: string]>> = {
  CHARGE: ['Payment', 'Payment Reversal'],
  REFUND: ['Refund Reversal', 'Refund'],
  FEE: ['Service Charge', 'Service Charge'],
  TAX: ['VAT', 'VAT'],
  DISPUTE: ['Dispute Withdrawn', 'Dispute'],
  RESERVE: ['Reserve', 'Reserve'],
  ADJUSTMENT: ['Adjustment', 'Adjustment'],
};

/** bKash writes these without a sign. */
const BKASH_UNSIGNED: readonly Fact['kind'][] = ['CHARGE', 'REFUND', 'DISPUTE'];

function wordsOf(words: Words): { words: string[]; kind: Fact['kind'] }[] {
  return (Object.keys(words) as Fact['kind'][]).map((kind) => ({ words: [words[kind]], kind }));
}

const SSLCOMMERZ: Gateway = {
  name: 'sslcommerz',
  currency: 'BDT',
  feeBps: 250n,
  taxBps: 1500n,
  feeKnownWithTheCharge: true,
  mapping: PayoutMapping.parse({
    ...SHIPPED_MAPPINGS.sslcommerz,
    columns: {
      ...SHIPPED_MAPPINGS.sslcommerz.columns,
      kind: { headings: ['type'] },
      payoutReference: { headings: ['batch'] },
      lineReference: { headings: ['line'] },
      currency: { headings: ['currency'] },
      gross: { headings: ['amount'] },
      fee: { headings: ['fee'], blankIsZero: true },
      tax: { headings: ['vat'], blankIsZero: true },
      originalCurrency: { headings: ['paid_in'] },
      exchangeRate: { headings: ['rate'] },
    },
    kinds: wordsOf(SSLCOMMERZ_WORDS),
    fixed: {},
    totals: { headings: ['type'], words: ['Total'] },
  }),
  delimiter: ',',
  headings:
    'type,batch,line,tran_id,bank_tran_id,currency,amount,fee,vat,cr_amount,paid_in,rate,tran_date,sett_date'.split(
      ',',
    ),
  cells: (fact, pen) => [
    SSLCOMMERZ_WORDS[fact.kind],
    fact.payout,
    fact.lineId,
    pen.id(fact.attempt),
    pen.id(fact.txnId),
    fact.currency,
    pen.amount(fact.grossMinor),
    pen.amount(fact.feeMinor),
    pen.amount(fact.taxMinor),
    pen.amount(netOf(fact)),
    fact.paidIn,
    fact.rate,
    pen.time(fact.at, 'year-first'),
    pen.time(fact.paidOutOn, 'year-first'),
  ],
  total: (pen) => ['Total', '', '', '', '', '', pen.amount(1n), '', '', pen.amount(1n), '', '', '', ''],
};

const BKASH: Gateway = {
  name: 'bkash',
  currency: 'BDT',
  feeBps: 185n,
  taxBps: 1500n,
  feeKnownWithTheCharge: false,
  mapping: PayoutMapping.parse({
    ...SHIPPED_MAPPINGS.bkash,
    columns: {
      ...SHIPPED_MAPPINGS.bkash.columns,
      payoutReference: { headings: ['Settlement Id'] },
      attemptReference: { headings: ['Merchant Invoice'] },
      currency: { headings: ['Currency'] },
      tax: { headings: ['VAT'], blankIsZero: true },
      originalCurrency: { headings: ['Paid In'] },
      exchangeRate: { headings: ['Rate'] },
      paidOutOn: { headings: ['Settled On'] },
    },
    kinds: [
      ...SHIPPED_MAPPINGS.bkash.kinds,
      { words: ['Payment Reversal'], kind: 'CHARGE', direction: 'out' },
      { words: ['Refund Reversal'], kind: 'REFUND', direction: 'in' },
      { words: ['Dispute'], kind: 'DISPUTE', direction: 'out' },
      { words: ['Dispute Withdrawn'], kind: 'DISPUTE', direction: 'in' },
      { words: ['Service Charge'], kind: 'FEE' },
      { words: ['VAT'], kind: 'TAX' },
      { words: ['Reserve'], kind: 'RESERVE' },
      { words: ['Adjustment'], kind: 'ADJUSTMENT' },
    ],
    fixed: {},
  }),
  delimiter: ',',
  headings:
    'SL|Trx Id|Transaction Date|Trx Type|Sender|Receiver|Receiver Name|Reference|Transacted Amount|Fee|VAT|Balance|Currency|Merchant Invoice|Settlement Id|Settled On|Paid In|Rate'.split(
      '|',
    ),
  cells: (fact, pen) => [
    fact.lineId,
    pen.id(fact.txnId),
    pen.time(fact.at, 'day-first'),
    BKASH_WORDS[fact.kind][fact.grossMinor > 0n ? 0 : 1],
    '01700000000',
    '01800000000',
    'Shop, Ltd.',
    fact.text,
    pen.amount(BKASH_UNSIGNED.includes(fact.kind) && fact.grossMinor < 0n ? -fact.grossMinor : fact.grossMinor),
    pen.amount(fact.feeMinor),
    pen.amount(fact.taxMinor),
    '',
    fact.currency,
    pen.id(fact.attempt),
    fact.payout,
    pen.time(fact.paidOutOn, 'day-first'),
    fact.paidIn,
    fact.rate,
  ],
  total: (pen) => ['মোট', ...Array<string>(7).fill(''), pen.amount(1n), ...Array<string>(9).fill('')],
};

const NAGAD: Gateway = {
  name: 'nagad',
  currency: 'BDT',
  feeBps: 150n,
  taxBps: 1500n,
  feeKnownWithTheCharge: false,
  mapping: PayoutMapping.parse({
    version: 1,
    format: 'csv',
    columns: {
      kind: { headings: ['লেনদেনের ধরন'] },
      payoutReference: { headings: ['সেটেলমেন্ট'] },
      lineReference: { headings: ['ক্রমিক'] },
      gatewayTxnId: { headings: ['ইস্যুয়ার রেফারেন্স'] },
      attemptReference: { headings: ['অর্ডার'] },
      currency: { headings: ['মুদ্রা'] },
      gross: { headings: ['পরিমাণ'] },
      fee: { headings: ['ফি'], blankIsZero: true },
      tax: { headings: ['ভ্যাট'], blankIsZero: true },
      originalCurrency: { headings: ['মূল মুদ্রা'] },
      exchangeRate: { headings: ['হার'] },
      occurredAt: { headings: ['সময়'] },
      paidOutOn: { headings: ['পরিশোধ'] },
      description: { headings: ['বিবরণ'] },
    },
    kinds: wordsOf(NAGAD_WORDS),
    dateOrder: 'day-first',
    totals: { headings: ['ক্রমিক'], words: ['মোট'] },
  }),
  delimiter: ';',
  headings: 'ক্রমিক|লেনদেনের ধরন|সেটেলমেন্ট|ইস্যুয়ার রেফারেন্স|অর্ডার|মুদ্রা|পরিমাণ|ফি|ভ্যাট|মূল মুদ্রা|হার|সময়|পরিশোধ|বিবরণ'.split(
    '|',
  ),
  cells: (fact, pen) => [
    fact.lineId,
    NAGAD_WORDS[fact.kind],
    fact.payout,
    pen.id(fact.txnId),
    pen.id(fact.attempt),
    fact.currency,
    pen.amount(fact.grossMinor),
    pen.amount(fact.feeMinor),
    pen.amount(fact.taxMinor),
    fact.paidIn,
    fact.rate,
    pen.time(fact.at, 'day-first'),
    pen.time(fact.paidOutOn, 'day-first'),
    fact.text,
  ],
  total: (pen) => ['মোট', ...Array<string>(5).fill(''), pen.amount(1n), ...Array<string>(7).fill('')],
};

function stripeCategory({ kind, grossMinor }: Fact): string {
  switch (kind) {
    case 'CHARGE':
      return 'charge';
    case 'REFUND':
      return grossMinor > 0n ? 'refund_failure' : 'refund';
    case 'FEE':
      return 'fee';
    case 'TAX':
      return 'tax';
    case 'DISPUTE':
      return grossMinor > 0n ? 'dispute_reversal' : 'dispute';
    case 'RESERVE':
      return grossMinor > 0n ? 'payment_network_reserve_release' : 'payment_network_reserve_hold';
    case 'ADJUSTMENT':
      return 'other_adjustment';
  }
}

const STRIPE: Gateway = {
  name: 'stripe',
  currency: 'USD',
  feeBps: 290n,
  taxBps: 1500n,
  feeKnownWithTheCharge: true,
  mapping: PayoutMapping.parse({
    ...SHIPPED_MAPPINGS.stripe,
    columns: {
      ...SHIPPED_MAPPINGS.stripe.columns,
      tax: { headings: ['tax'] },
      originalCurrency: { headings: ['customer_facing_currency'] },
      exchangeRate: { headings: ['exchange_rate'] },
    },
    totals: { headings: ['reporting_category'], words: ['total'] },
  }),
  delimiter: ',',
  headings:
    'automatic_payout_id|automatic_payout_effective_at_utc|balance_transaction_id|created_utc|currency|gross|fee|tax|net|reporting_category|description|payment_intent_id|payment_metadata[attempt_reference]|customer_facing_currency|exchange_rate'.split(
      '|',
    ),
  cells: (fact, pen) => [
    fact.payout,
    pen.time(fact.paidOutOn, 'year-first'),
    fact.lineId,
    pen.time(fact.at, 'year-first'),
    fact.currency.toLowerCase(),
    pen.amount(fact.grossMinor),
    pen.amount(fact.feeMinor),
    pen.amount(fact.taxMinor),
    pen.amount(netOf(fact)),
    stripeCategory(fact),
    fact.text,
    pen.id(fact.txnId),
    pen.id(fact.attempt),
    fact.paidIn.toLowerCase(),
    fact.rate,
  ],
  total: (pen) => ['', '', '', '', '', pen.amount(1n), '', '', pen.amount(1n), 'Total', '', '', '', '', ''],
};

export const GATEWAY: Readonly<Record<GatewayName, Gateway>> = {
  sslcommerz: SSLCOMMERZ,
  bkash: BKASH,
  nagad: NAGAD,
  stripe: STRIPE,
};
