import { describe, expect, test } from '@jest/globals';
import { outcomeWithoutAsking, type CallbackClaim, type CallbackSituation } from '../../domain/callback.ts';
import { isOpen, isPaid, PAYMENT_STATUSES } from '../../domain/payment.ts';

const CHARGE = 'val_1';
const CLAIMS = ['paid', 'failed', 'cancelled', 'expired', 'unknown'] as const;

const settled: CallbackSituation = { status: 'SUCCEEDED', settledBy: CHARGE };
const ended: CallbackSituation = { status: 'FAILED', settledBy: null };
const paid: CallbackClaim = { signatureValid: true, claims: 'paid', claimedValidationId: CHARGE };

test('while a payment is open, every callback is a reason to ask', () => {
  // A callback is never believed, whatever it says and whoever signed it.
  for (const status of PAYMENT_STATUSES.filter(isOpen)) {
    for (const claims of CLAIMS) {
      for (const signatureValid of [true, false]) {
        const claim = { signatureValid, claims, claimedValidationId: CHARGE };
        expect(outcomeWithoutAsking({ status, settledBy: CHARGE }, claim)).toBeNull();
      }
    }
  }
});

describe('for a payment that was settled through this attempt', () => {
  test.each(PAYMENT_STATUSES.filter(isPaid))('%s: the same charge once more is a duplicate', (status) => {
    // Gateways send their word two or three times.
    expect(outcomeWithoutAsking({ status, settledBy: CHARGE }, paid)).toBe('DUPLICATE');
    expect(outcomeWithoutAsking({ status, settledBy: CHARGE }, { ...paid, claimedValidationId: null })).toBe(
      'DUPLICATE',
    );
  });

  test('the same charge without a valid signature is forged', () => {
    // A stranger who repeats what he saw changes nothing, and is counted as what he is.
    expect(outcomeWithoutAsking(settled, { ...paid, signatureValid: false })).toBe('FORGED');
    expect(outcomeWithoutAsking(settled, { ...paid, signatureValid: false, claimedValidationId: null })).toBe('FORGED');
  });

  test('another charge is asked about, signed or not: it may be a second one', () => {
    // Money that was taken twice must not be overlooked.
    expect(outcomeWithoutAsking(settled, { ...paid, claimedValidationId: 'val_2' })).toBeNull();
    expect(outcomeWithoutAsking(settled, { ...paid, claimedValidationId: 'val_2', signatureValid: false })).toBeNull();
  });
});

describe('for a payment that ended otherwise', () => {
  test('a word of money is asked about, signed or not', () => {
    // It may be late money.
    expect(outcomeWithoutAsking(ended, paid)).toBeNull();
    expect(outcomeWithoutAsking(ended, { ...paid, signatureValid: false })).toBeNull();
    expect(outcomeWithoutAsking(ended, { ...paid, claimedValidationId: null })).toBeNull();
    // Settled by another attempt: this one's charge is a second one.
    expect(outcomeWithoutAsking({ status: 'SUCCEEDED', settledBy: null }, paid)).toBeNull();
    expect(
      outcomeWithoutAsking({ status: 'SUCCEEDED', settledBy: null }, { ...paid, claimedValidationId: null }),
    ).toBeNull();
    // A row that says both is asked about as well: ended without money is what counts.
    expect(outcomeWithoutAsking({ status: 'EXPIRED', settledBy: CHARGE }, paid)).toBeNull();
  });

  test.each(['failed', 'cancelled', 'expired'] as const)('a signed word that it %s changes nothing', (claims) => {
    // Nothing to ask: the payment has ended without money already.
    const claim = { signatureValid: true, claims, claimedValidationId: null };
    expect(outcomeWithoutAsking(ended, claim)).toBe('IGNORED');
    expect(outcomeWithoutAsking(ended, { ...claim, signatureValid: false })).toBeNull();
  });

  test('an unknown word is asked about', () => {
    // Unknown is not failed.
    expect(outcomeWithoutAsking(ended, { ...paid, claims: 'unknown' })).toBeNull();
  });
});
