import { PayoutMapping, type PayoutMappingInput } from './mapping.ts';

/**
 * The paged settlement records of SSLCOMMERZ as columns. It publishes no format of its exports, so the names are those that public programs read: an
 * operator compares them with their file first. `cr_amount` is what was credited, so gross equals net and the fee reads 0.
 */
const SSLCOMMERZ: PayoutMappingInput = {
  version: 1,
  format: 'csv',
  columns: {
    attemptReference: { headings: ['transactionID', 'tran_id'] },
    gatewayTxnId: { headings: ['bank_tran_id'], optional: true },
    net: { headings: ['cr_amount'] },
    occurredAt: { headings: ['tran_date'] },
    paidOutOn: { headings: ['sett_date'] },
  },
  // What it takes back stands in a row with the reference of the charge and a negative amount.
  fixed: { currency: 'BDT', kind: 'CHARGE', negativeKind: 'REFUND' },
  dateOrder: 'year-first',
};

/**
 * The statement of a bKash merchant, with English or Bangla headings. bKash publishes neither the headings nor the words of the types: an operator
 * compares them with their file first. A type without a word here is rejected, never guessed.
 */
const BKASH: PayoutMappingInput = {
  version: 1,
  format: 'csv',
  columns: {
    kind: { headings: ['Trx Type', 'Transaction Type', 'লেনদেনের ধরন', 'ট্রানজেকশনের ধরন'] },
    lineReference: { headings: ['Trx Id', 'Transaction Id', 'লেনদেন আইডি', 'ট্রানজেকশন আইডি'] },
    gatewayTxnId: { headings: ['Trx Id', 'Transaction Id', 'লেনদেন আইডি', 'ট্রানজেকশন আইডি'] },
    gross: { headings: ['Transacted Amount', 'Amount', 'লেনদেনের পরিমাণ', 'পরিমাণ'] },
    fee: { headings: ['Fee', 'Charge', 'ফি', 'চার্জ'], blankIsZero: true },
    occurredAt: { headings: ['Transaction Date', 'Date', 'লেনদেনের তারিখ', 'তারিখ'] },
    description: { headings: ['Reference', 'রেফারেন্স'], optional: true },
  },
  kinds: [
    { words: ['Payment', 'Merchant Payment', 'পেমেন্ট', 'মার্চেন্ট পেমেন্ট'], kind: 'CHARGE', direction: 'in' },
    { words: ['Refund', 'Payment Refund', 'রিফান্ড', 'ফেরত'], kind: 'REFUND', direction: 'out' },
  ],
  fixed: { currency: 'BDT' },
  dateOrder: 'day-first',
  totals: { headings: ['SL', 'Trx Id', 'ক্রমিক', 'ট্রানজেকশন আইডি'], words: ['Total', 'Grand Total', 'মোট', 'সর্বমোট'] },
};

/**
 * Nagad publishes no format at all: these are the columns of its simulator, for an operator to replace by those of their file.
 */
const NAGAD: PayoutMappingInput = {
  version: 1,
  format: 'csv',
  columns: {
    kind: { headings: ['Type'] },
    payoutReference: { headings: ['Payout ID'] },
    lineReference: { headings: ['Line ID'] },
    gatewayTxnId: { headings: ['Transaction ID'] },
    attemptReference: { headings: ['Order ID'] },
    currency: { headings: ['Currency'] },
    gross: { headings: ['Amount'] },
    fee: { headings: ['Fee'] },
    tax: { headings: ['VAT'] },
    net: { headings: ['Net'] },
    originalCurrency: { headings: ['Original Currency'], optional: true },
    exchangeRate: { headings: ['Rate'], optional: true },
    occurredAt: { headings: ['Transaction Time'] },
    paidOutOn: { headings: ['Settlement Date'] },
  },
  kinds: [
    { words: ['charge'], kind: 'CHARGE' },
    { words: ['refund', 'refund_failure'], kind: 'REFUND' },
    { words: ['dispute', 'dispute_reversal'], kind: 'DISPUTE' },
    { words: ['reserve_hold', 'reserve_release'], kind: 'RESERVE' },
  ],
  dateOrder: 'year-first',
};

/**
 * Stripe's report `payout_reconciliation.itemized.7`, in major units and UTC. `payment_metadata[attempt_reference]` is an optional column of the
 * report. Stripe signs gross and net; a fee that it takes is positive. It states no rate: of a converted charge, what the payer paid implies it. Source: docs.stripe.com/reports/report-types/payout-reconciliation.
 *
 * It has a word for each category, and for each type of a balance transaction that is a category of its own. What Lenden makes no use of is an
 * adjustment, which a person looks at: a rejected row would leave its payout short.
 */
const STRIPE: PayoutMappingInput = {
  version: 1,
  format: 'csv',
  delimiter: ',',
  columns: {
    kind: { headings: ['reporting_category'] },
    payoutReference: { headings: ['automatic_payout_id'] },
    lineReference: { headings: ['balance_transaction_id'] },
    gatewayTxnId: { headings: ['payment_intent_id'], optional: true },
    attemptReference: { headings: ['payment_metadata[attempt_reference]'], optional: true },
    currency: { headings: ['currency'] },
    gross: { headings: ['gross'] },
    fee: { headings: ['fee'] },
    net: { headings: ['net'] },
    originalCurrency: { headings: ['customer_facing_currency'], optional: true },
    originalAmount: { headings: ['customer_facing_amount'], optional: true },
    occurredAt: { headings: ['created_utc', 'created'] },
    paidOutOn: { headings: ['automatic_payout_effective_at_utc', 'automatic_payout_effective_at'] },
    description: { headings: ['description'], optional: true },
  },
  kinds: [
    { words: ['charge', 'payment'], kind: 'CHARGE' },
    {
      words: ['refund', 'refund_failure', 'partial_capture_reversal', 'payment_refund', 'payment_failure_refund'],
      kind: 'REFUND',
    },
    { words: ['fee', 'network_cost', 'stripe_fee', 'stripe_fx_fee'], kind: 'FEE' },
    { words: ['tax', 'tax_fee'], kind: 'TAX' },
    { words: ['dispute', 'dispute_reversal'], kind: 'DISPUTE' },
    {
      words: [
        'risk_reserved_funds',
        'connect_reserved_funds',
        'reserved_funds',
        'reserve_hold',
        'reserve_release',
        'reserve_transaction',
        'payment_network_reserve_hold',
        'payment_network_reserve_release',
        'payout_minimum_balance_hold',
        'payout_minimum_balance_release',
      ],
      kind: 'RESERVE',
    },
    {
      words: [
        'charge_failure',
        'payment_reversal',
        'payment_unreconciled',
        'unreconciled_customer_funds',
        'other_adjustment',
        'adjustment',
        // Money of a payout that did not arrive. The payouts that were sent are no lines of themselves.
        'payout_reversal',
        'payout_failure',
        'payout_cancel',
        'topup',
        'topup_reversal',
        'transfer',
        'transfer_reversal',
        'transfer_cancel',
        'transfer_failure',
        'transfer_refund',
        'connect_collection_transfer',
        'platform_earning',
        'platform_earning_refund',
        'application_fee',
        'application_fee_refund',
        'inbound_transfer',
        'inbound_transfer_reversal',
        'obligation_outbound',
        'obligation_reversal_inbound',
      ],
      kind: 'ADJUSTMENT',
    },
    {
      words: [
        'advance',
        'advance_funding',
        'anticipation_repayment',
        'financing_payout',
        'financing_payout_reversal',
        'financing_paydown',
        'financing_paydown_reversal',
        'contribution',
        'climate_order_purchase',
        'climate_order_refund',
        'issuing_authorization_hold',
        'issuing_authorization_release',
        'issuing_dispute',
        'issuing_dispute_provisional_credit',
        'issuing_dispute_provisional_credit_reversal',
        'issuing_transaction',
        'stripe_balance_payment_debit',
        'stripe_balance_payment_debit_reversal',
        'fee_credit_funding',
        'tax_fund',
      ],
      kind: 'ADJUSTMENT',
    },
  ],
  dateOrder: 'year-first',
  timeZone: 'Etc/UTC',
};

const BANK_CREDITS = ['Credit', 'Credit Amount', 'Deposit', 'Deposits', 'Cr', 'জমা'];
const BANK_DEBITS = ['Debit', 'Debit Amount', 'Withdrawal', 'Withdrawals', 'Dr', 'উত্তোলন'];

/** The statement of any bank with a column for credits and one for debits. What an entry is, a bank does not say: each is an adjustment. */
const BANK: PayoutMappingInput = {
  version: 1,
  format: 'csv',
  columns: {
    lineReference: {
      headings: ['Reference', 'Ref No', 'Reference No', 'Transaction Id', 'Txn Ref', 'রেফারেন্স'],
      optional: true,
    },
    credit: { headings: BANK_CREDITS, blankIsZero: true },
    debit: { headings: BANK_DEBITS, blankIsZero: true },
    occurredAt: { headings: ['Transaction Date', 'Txn Date', 'Booking Date', 'Date', 'তারিখ'] },
    paidOutOn: { headings: ['Value Date'], optional: true },
    description: { headings: ['Description', 'Particulars', 'Narration', 'Details', 'বিবরণ'] },
  },
  fixed: { currency: 'BDT', kind: 'ADJUSTMENT' },
  dateOrder: 'day-first',
  totals: {
    headings: ['Description', 'Particulars', 'Narration', 'Details', 'বিবরণ'],
    words: ['Total', 'Grand Total', 'Closing Balance', 'মোট'],
  },
};

/** Mappings to start from, by name. An operator copies one and changes it. */
export const SHIPPED_MAPPINGS = {
  sslcommerz: PayoutMapping.parse(SSLCOMMERZ),
  bkash: PayoutMapping.parse(BKASH),
  nagad: PayoutMapping.parse(NAGAD),
  stripe: PayoutMapping.parse(STRIPE),
  bank: PayoutMapping.parse(BANK),
} as const satisfies Record<string, PayoutMapping>;
