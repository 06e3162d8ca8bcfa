import { describe, expect, test } from '@jest/globals';
import { outcomeWithoutQuery, type CallbackClaim, type CallbackSituation } from '../../domain/callback.ts';
import { isOpen, isPaid, PAYMENT_STATUSES } from '../../domain/payment.ts';

const CHARGE = 'val_1';
const CLAIMS = ['paid', 'failed', 'cancelled', 'expired', 'unknown'] as const;

const settled: CallbackSituation = { status: 'SUCCEEDED', finalizedBy: CHARGE };
const ended: CallbackSituation = { status: 'FAILED', finalizedBy: null };
const paid: CallbackClaim = { signatureValid: true, claims: 'paid', claimedValidationId: CHARGE };

test('while a payment is open, every callback is a reason to ask', () => {
  // A callback is never believed, whatever it says and whoever signed it.
  for (const status of PAYMENT_STATUSES.filter(isOpen)) {
    for (const claims of CLAIMS) {
      for (const signatureValid of [true, false]) {
        const claim = { signatureValid, claims, claimedValidationId: CHARGE };
        expect(outcomeWithoutQuery({ status, finalizedBy: CHARGE }, claim)).toBeNull();
      }
    }
  }
});

describe('for a payment that was settled through this attempt', () => {
  test.each(PAYMENT_STATUSES.filter(isPaid))('%s: the same charge once more is a duplicate', (status) => {
    // Gateways send their word two or three times.
    expect(outcomeWithoutQuery({ status, finalizedBy: CHARGE }, paid)).toBe('DUPLICATE');
    expect(outcomeWithoutQuery({ status, finalizedBy: CHARGE }, { ...paid, claimedValidationId: null })).toBe(
      'DUPLICATE',
    );
  });

  test('the same charge without a valid signature is forged', () => {
    // A stranger who repeats what he saw changes nothing, and is counted as what he is.
    expect(outcomeWithoutQuery(settled, { ...paid, signatureValid: false })).toBe('FORGED');
    expect(outcomeWithoutQuery(settled, { ...paid, signatureValid: false, claimedValidationId: null })).toBe('FORGED');
  });

  test('another charge is asked about, signed or not: it may be a second one', () => {
    // Money that was taken twice must not be overlooked.
    expect(outcomeWithoutQuery(settled, { ...paid, claimedValidationId: 'val_2' })).toBeNull();
    expect(outcomeWithoutQuery(settled, { ...paid, claimedValidationId: 'val_2', signatureValid: false })).toBeNull();
  });
});

describe('for a payment that ended otherwise', () => {
  test('a word of money is asked about, signed or not', () => {
    // It may be unapplied money.
    expect(outcomeWithoutQuery(ended, paid)).toBeNull();
    expect(outcomeWithoutQuery(ended, { ...paid, signatureValid: false })).toBeNull();
    expect(outcomeWithoutQuery(ended, { ...paid, claimedValidationId: null })).toBeNull();
    // Settled by another attempt: this one's charge is a second one.
    expect(outcomeWithoutQuery({ status: 'SUCCEEDED', finalizedBy: null }, paid)).toBeNull();
    expect(
      outcomeWithoutQuery({ status: 'SUCCEEDED', finalizedBy: null }, { ...paid, claimedValidationId: null }),
    ).toBeNull();
    // A row that says both is asked about as well: ended without money is what counts.
    expect(outcomeWithoutQuery({ status: 'EXPIRED', finalizedBy: CHARGE }, paid)).toBeNull();
  });

  test.each(['failed', 'cancelled', 'expired'] as const)('a signed word that it %s changes nothing', (claims) => {
    // Nothing to ask: the payment has ended without money already.
    const claim = { signatureValid: true, claims, claimedValidationId: null };
    expect(outcomeWithoutQuery(ended, claim)).toBe('IGNORED');
    expect(outcomeWithoutQuery(ended, { ...claim, signatureValid: false })).toBeNull();
  });

  test('an unknown word is asked about', () => {
    // Unknown is not failed.
    expect(outcomeWithoutQuery(ended, { ...paid, claims: 'unknown' })).toBeNull();
  });
});
