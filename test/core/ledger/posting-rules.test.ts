import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  checkTransaction,
  unappliedPaymentPostings,
  unappliedPaymentReceipt,
  normalSideOf,
  paymentPosting,
  PAYABLE_ACCOUNT,
  POSTINGS_MAX,
  reversal,
  reversalPostings,
  paymentPostings,
  SUSPENSE_ACCOUNT,
  type LedgerTransaction,
  type Posting,
} from '../../../domain/ledger.ts';

const RUNS = 10_000;
const INT64_MAX = 2n ** 63n - 1n;

const account = fc.constantFrom('app:payable', 'gateway:fees', 'suspense', 'bank', 'gateway:sslcommerz:clearing');
const posting = fc
  .record({ debit: account, credit: account, amountMinor: fc.bigInt({ min: 1n, max: INT64_MAX }) })
  .filter(({ debit, credit }) => debit !== credit);
const postings = fc.array(posting, { minLength: 1, maxLength: 12 });
const collected = fc
  .tuple(fc.bigInt({ min: 1n, max: 2n ** 53n - 1n }), fc.bigInt({ min: 0n, max: 2n ** 53n - 1n }))
  .filter(([gross, fee]) => fee <= gross)
  .map(([grossMinor, feeMinor]) => ({ gateway: 'sslcommerz', grossMinor, feeMinor }));

describe('postings', () => {
  // No posting rule may create or lose money.
  test('ten thousand random transactions never unbalance the accounts', () => {
    const balances = new Map<string, bigint>();
    fc.assert(
      fc.property(postings, (transaction) => {
        book(balances, transaction);
        expect(sum(balances)).toBe(0n);
      }),
      { numRuns: RUNS },
    );
  });

  test('a transaction and its reversal leave every account as it was', () => {
    fc.assert(
      fc.property(postings, (original) => {
        const balances = new Map<string, bigint>();
        book(balances, original);
        book(balances, reversalPostings(original));
        expect([...balances.values()].every((balance) => balance === 0n)).toBe(true);
      }),
      { numRuns: RUNS },
    );
  });

  test('reversing twice gives the original postings in their order', () => {
    fc.assert(
      fc.property(postings, (original) => {
        expect(reversalPostings(reversalPostings(original))).toEqual(original);
      }),
    );
  });

  // The application is owed what the payer paid. The gateway owes us that amount less its fee.
  test.each([
    ['a settlement', paymentPostings, PAYABLE_ACCOUNT],
    ['unapplied money', unappliedPaymentPostings, SUSPENSE_ACCOUNT],
  ])('%s credits the gross once and leaves gross − fee in clearing', (_name, rule, creditAccount) => {
    fc.assert(
      fc.property(collected, (charge) => {
        const balances = new Map<string, bigint>();
        book(balances, rule(charge));
        expect(balances.get(creditAccount)).toBe(-charge.grossMinor);
        expect(balances.get('gateway:sslcommerz:clearing')).toBe(charge.grossMinor - charge.feeMinor);
        expect(balances.get('gateway:fees') ?? 0n).toBe(charge.feeMinor);
      }),
      { numRuns: RUNS },
    );
  });

  // A gateway answer with impossible amounts must not be posted.
  test.each([
    ['nothing', 0n, 0n],
    ['a negative gross', -1n, 0n],
    ['a negative fee', 100n, -1n],
    ['a fee above the gross', 100n, 101n],
  ])('refuses %s', (_name, grossMinor, feeMinor) => {
    expect(() => paymentPostings({ gateway: 'sslcommerz', grossMinor, feeMinor })).toThrow(RangeError);
  });
});

describe('transactions', () => {
  const owner = { applicationId: 7n, mode: 'TEST', currency: 'BDT' } as const;
  const money = { gateway: 'sslcommerz', grossMinor: 500n, feeMinor: 5n };

  // The cause makes a posting unique, so two causes must never have the same name.
  test('a payment, a late charge and a reversal each have a cause of their own', () => {
    const settled = paymentPosting({ ...owner, ...money, reference: 'pay_1' });
    const late = unappliedPaymentReceipt({ ...owner, ...money, attemptReference: 'A1', validationId: 'V1' });
    const back = reversal({ ...settled, id: 12n });
    expect([settled, late, back].map(({ cause, kind }) => `${cause.type} ${cause.id} ${kind}`)).toEqual([
      'payment pay_1 charge',
      'unapplied-payment A1:V1 unapplied',
      'transaction 12 reversal',
    ]);
    expect(back.reversesId).toBe(12n);
  });

  // Entries that the database would refuse, or even accept wrongly, are refused before they reach it.
  test.each<[string, readonly Posting[]]>([
    ['no posting', []],
    [
      'too many postings',
      Array.from({ length: POSTINGS_MAX + 1 }, () => ({ debit: 'bank', credit: 'suspense', amountMinor: 1n })),
    ],
    ['an account moved to itself', [{ debit: 'bank', credit: 'bank', amountMinor: 1n }]],
    ['an amount of zero', [{ debit: 'bank', credit: 'suspense', amountMinor: 0n }]],
    ['an amount beyond 64 bits', [{ debit: 'bank', credit: 'suspense', amountMinor: INT64_MAX + 1n }]],
    ['an account that the chart does not hold', [{ debit: 'bnak', credit: 'suspense', amountMinor: 1n }]],
  ])('refuses %s', (_name, list) => {
    const transaction: LedgerTransaction = {
      ...owner,
      cause: { type: 'payment', id: 'x' },
      kind: 'charge',
      postings: list,
    };
    expect(() => checkTransaction(transaction)).toThrow(RangeError);
  });

  // The normal side of an account decides how its balance is read.
  test('knows the normal side of every gateway account', () => {
    expect(normalSideOf('gateway:bkash:clearing')).toBe('debit');
    expect(normalSideOf(PAYABLE_ACCOUNT)).toBe('credit');
    expect(() => normalSideOf('gateway:bkash:clearing:more')).toThrow(RangeError);
  });
});

function book(balances: Map<string, bigint>, list: readonly Posting[]): void {
  for (const { debit, credit, amountMinor } of list) {
    balances.set(debit, (balances.get(debit) ?? 0n) + amountMinor);
    balances.set(credit, (balances.get(credit) ?? 0n) - amountMinor);
  }
}

function sum(balances: ReadonlyMap<string, bigint>): bigint {
  return [...balances.values()].reduce((total, balance) => total + balance, 0n);
}
