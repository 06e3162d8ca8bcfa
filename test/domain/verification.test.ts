import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { disagreement, type ConfirmedFacts, type Expectation } from '../../domain/verification.ts';

const expected: Expectation = {
  attemptReference: 'AttemptReference0001',
  storeId: 'store',
  amount: { amountMinor: 10_000n, currency: 'BDT' },
};
const agreed: ConfirmedFacts = {
  attemptReference: 'AttemptReference0001',
  storeId: 'store',
  orderAmountMinor: 10_000n,
  orderCurrency: 'BDT',
  grossMinor: 10_000n,
  currency: 'BDT',
  riskFlagged: false,
};

test('a charge that agrees in everything is accepted, with or without the store named', () => {
  // Some gateways bind a query to its credentials and do not name the store.
  expect(disagreement(expected, agreed)).toBeNull();
  expect(disagreement(expected, { ...agreed, storeId: null })).toBeNull();
});

test.each<[string, Partial<ConfirmedFacts>]>([
  ['REFERENCE_MISMATCH', { attemptReference: 'attemptreference0001' }],
  ['STORE_MISMATCH', { storeId: 'other' }],
  ['STORE_MISMATCH', { storeId: '' }],
  ['CURRENCY_MISMATCH', { currency: 'USD' }],
  ['CURRENCY_MISMATCH', { orderCurrency: 'USD' }],
  ['AMOUNT_MISMATCH', { grossMinor: 9_999n }],
  ['AMOUNT_MISMATCH', { grossMinor: 10_001n }],
  ['AMOUNT_MISMATCH', { orderAmountMinor: 1n }],
  ['AMOUNT_MISMATCH', { grossMinor: null }],
  ['AMOUNT_MISMATCH', { orderAmountMinor: null }],
  ['RISK_FLAGGED', { riskFlagged: true }],
])('%s for %p', (reason, change) => {
  // A difference of one minor unit, one letter or one store must go to review.
  expect(disagreement(expected, { ...agreed, ...change })).toBe(reason);
});

test('nothing but exact agreement is ever accepted', () => {
  const facts = fc.record<ConfirmedFacts>({
    attemptReference: fc.constantFrom(agreed.attemptReference, 'another'),
    storeId: fc.constantFrom('store', null, 'other'),
    orderAmountMinor: fc.constantFrom(10_000n, 9_999n, null),
    orderCurrency: fc.constantFrom('BDT', 'USD'),
    grossMinor: fc.constantFrom(10_000n, 10_001n, null),
    currency: fc.constantFrom('BDT', 'USD'),
    riskFlagged: fc.boolean(),
  });
  fc.assert(
    fc.property(facts, (given) => {
      const exact =
        JSON.stringify({ ...given, storeId: given.storeId ?? 'store' }, text) === JSON.stringify(agreed, text);
      expect(disagreement(expected, given) === null).toBe(exact);
    }),
  );
});

function text(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
