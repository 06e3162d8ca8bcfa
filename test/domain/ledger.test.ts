import { describe, expect, test } from '@jest/globals';
import {
  checkTransaction,
  FEES_ACCOUNT,
  unappliedPaymentReceipt,
  normalSideOf,
  PAYABLE_ACCOUNT,
  paymentPosting,
  POSTINGS_MAX,
  reversal,
  paymentPostings,
  SUSPENSE_ACCOUNT,
  type LedgerTransaction,
  type Posting,
} from '../../domain/ledger.ts';

const OWNER = { applicationId: 7n, mode: 'LIVE', currency: 'BDT' } as const;
const CLEARING = 'gateway:sslcommerz:clearing';
const INT64_MAX = 2n ** 63n - 1n;

function transaction(postings: readonly Posting[]): LedgerTransaction {
  return { ...OWNER, cause: { type: 'payment', id: 'pay_1' }, kind: 'charge', postings };
}

const fine: Posting = { debit: CLEARING, credit: PAYABLE_ACCOUNT, amountMinor: 1n };
const times = (length: number): Posting[] => Array.from({ length }, () => ({ ...fine }));

describe('the chart of accounts', () => {
  test('names its accounts for good, each with the side on which it grows', () => {
    // The names are stored in rows and reports, so none of them may change.
    expect([PAYABLE_ACCOUNT, FEES_ACCOUNT, SUSPENSE_ACCOUNT]).toEqual(['app:payable', 'gateway:fees', 'suspense']);
    const sides = ['app:payable', 'gateway:fees', 'suspense', 'bank', CLEARING, 'gateway:b-2:clearing'].map(
      normalSideOf,
    );
    expect(sides).toEqual(['credit', 'debit', 'credit', 'debit', 'debit', 'debit']);
  });

  test.each([
    '',
    'app:payables',
    'xgateway:a:clearing',
    'gateway:a:clearing ',
    'gateway::clearing',
    'gateway:A:clearing',
  ])('%p is no account', (account) => {
    // A misspelt account must not be created by its first use.
    expect(() => normalSideOf(account)).toThrow(`not an account of the chart: ${account}`);
  });
});

describe('a transaction', () => {
  test('with 1 to 100 postings of 1 to what the database holds is fine', () => {
    expect(() => checkTransaction(transaction([fine]))).not.toThrow();
    expect(() => checkTransaction(transaction(times(POSTINGS_MAX)))).not.toThrow();
    expect(() => checkTransaction(transaction([{ ...fine, amountMinor: INT64_MAX }]))).not.toThrow();
  });

  test.each([
    ['no posting', [], 'a ledger transaction must have 1 to 100 postings, not 0'],
    ['too many', times(POSTINGS_MAX + 1), 'a ledger transaction must have 1 to 100 postings, not 101'],
    ['an unknown debit account', [{ ...fine, debit: 'x' }], 'not an account of the chart: x'],
    ['an unknown credit account', [{ ...fine, credit: 'y' }], 'not an account of the chart: y'],
    ['one account only', [{ ...fine, debit: PAYABLE_ACCOUNT }], 'between two accounts, not within app:payable'],
    ['nothing moved', [{ ...fine, amountMinor: 0n }], 'not a valid posting amount: 0'],
    ['a negative amount', [{ ...fine, amountMinor: -1n }], 'not a valid posting amount: -1'],
    ['too much', [{ ...fine, amountMinor: INT64_MAX + 1n }], `not a valid posting amount: ${INT64_MAX + 1n}`],
    ['one bad among good', [fine, { ...fine, amountMinor: 0n }], 'not a valid posting amount: 0'],
  ])('with %s is refused and told why', (_name, postings, words) => {
    // A journal entry that could not be read back unchanged must not be stored.
    expect(() => checkTransaction(transaction(postings))).toThrow(words);
  });
});

describe('what a payment books', () => {
  const collected = { gateway: 'sslcommerz', grossMinor: 10_000n, feeMinor: 250n };

  test('is the gross to the app and the fee to the gateway, under the payment’s reference, in its owner’s books', () => {
    // A payment makes one journal entry, under its own reference and in its application's ledger.
    expect(paymentPosting({ ...OWNER, ...collected, reference: 'pay_1' })).toEqual({
      ...OWNER,
      cause: { type: 'payment', id: 'pay_1' },
      kind: 'charge',
      postings: [
        { debit: CLEARING, credit: 'app:payable', amountMinor: 10_000n },
        { debit: 'gateway:fees', credit: CLEARING, amountMinor: 250n },
      ],
    });
  });

  test('late, is the same into suspense, under the attempt and the charge', () => {
    // Two charges of one attempt have two causes.
    const late = { ...OWNER, ...collected, attemptReference: 'att_1', validationId: 'val_1' };
    expect(unappliedPaymentReceipt(late)).toEqual({
      ...OWNER,
      cause: { type: 'unapplied-payment', id: 'att_1:val_1' },
      kind: 'unapplied',
      postings: [
        { debit: CLEARING, credit: 'suspense', amountMinor: 10_000n },
        { debit: 'gateway:fees', credit: CLEARING, amountMinor: 250n },
      ],
    });
  });

  test('has no posting of a fee that is nothing', () => {
    // The ledger refuses a posting of zero.
    expect(paymentPostings({ ...collected, feeMinor: 0n })).toEqual([
      { debit: CLEARING, credit: 'app:payable', amountMinor: 10_000n },
    ]);
  });

  test('may be all fee, and never more', () => {
    // A fee greater than the charge is an error in the gateway's answer and must not be posted.
    expect(paymentPostings({ ...collected, feeMinor: 10_000n })).toHaveLength(2);
    for (const wrong of [{ feeMinor: 10_001n }, { feeMinor: -1n }, { grossMinor: 0n, feeMinor: 0n }]) {
      expect(() => paymentPostings({ ...collected, ...wrong })).toThrow(
        /gross \d+ and fee -?\d+ are not a valid collected/,
      );
    }
  });

  test('is taken back whole, in the reverse order, under the transaction’s own id', () => {
    // A reversal is the only correction. A second reversal has the same cause and is refused.
    const original = paymentPosting({ ...OWNER, ...collected, reference: 'pay_1' });
    expect(reversal({ ...original, id: 12n })).toEqual({
      ...OWNER,
      cause: { type: 'transaction', id: '12' },
      kind: 'reversal',
      reversesId: 12n,
      postings: [
        { debit: CLEARING, credit: 'gateway:fees', amountMinor: 250n },
        { debit: 'app:payable', credit: CLEARING, amountMinor: 10_000n },
      ],
    });
  });
});
