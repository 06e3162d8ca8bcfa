import { describe, expect, test } from '@jest/globals';
import { outcomeWithoutQuery, type CallbackClaim, type CallbackSituation } from '../../domain/callback.ts';
import { isOpen, isPaid, PAYMENT_STATUSES } from '../../domain/payment.ts';

const CHARGE = 'val_1';
const CLAIMS = ['paid', 'failed', 'cancelled', 'expired', 'unknown'] as const;

const settled: CallbackSituation = { status: 'SUCCEEDED', finalizedBy: CHARGE };
const ended: CallbackSituation = { status: 'FAILED', finalizedBy: null };
const paid: CallbackClaim = { signatureValid: true, claims: 'paid', claimedValidationId: CHARGE };

test('while a payment is open, every callback is a reason to ask', () => {
  // A callback alone never decides, whatever it says and whether or not it is signed.
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
    // Gateways send the same notification two or three times.
    expect(outcomeWithoutQuery({ status, finalizedBy: CHARGE }, paid)).toBe('DUPLICATE');
    expect(outcomeWithoutQuery({ status, finalizedBy: CHARGE }, { ...paid, claimedValidationId: null })).toBe(
      'DUPLICATE',
    );
  });

  test('the same charge without a valid signature is forged', () => {
    // An outsider who repeats a callback must change nothing, and the copy must be recorded as forged.
    expect(outcomeWithoutQuery(settled, { ...paid, signatureValid: false })).toBe('FORGED');
    expect(outcomeWithoutQuery(settled, { ...paid, signatureValid: false, claimedValidationId: null })).toBe('FORGED');
  });

  test('another charge is asked about, signed or not: it may be a second one', () => {
    // A second charge of the payer must not be overlooked.
    expect(outcomeWithoutQuery(settled, { ...paid, claimedValidationId: 'val_2' })).toBeNull();
    expect(outcomeWithoutQuery(settled, { ...paid, claimedValidationId: 'val_2', signatureValid: false })).toBeNull();
  });
});

describe('for a payment that ended otherwise', () => {
  test('a word of money is asked about, signed or not', () => {
    // The charge may be an unapplied payment.
    expect(outcomeWithoutQuery(ended, paid)).toBeNull();
    expect(outcomeWithoutQuery(ended, { ...paid, signatureValid: false })).toBeNull();
    expect(outcomeWithoutQuery(ended, { ...paid, claimedValidationId: null })).toBeNull();
    // Another attempt finalized the payment, so this attempt's charge is a second one.
    expect(outcomeWithoutQuery({ status: 'SUCCEEDED', finalizedBy: null }, paid)).toBeNull();
    expect(
      outcomeWithoutQuery({ status: 'SUCCEEDED', finalizedBy: null }, { ...paid, claimedValidationId: null }),
    ).toBeNull();
    // A row with an ended status and a charge also causes a query: the status decides.
    expect(outcomeWithoutQuery({ status: 'EXPIRED', finalizedBy: CHARGE }, paid)).toBeNull();
  });

  test.each(['failed', 'cancelled', 'expired'] as const)('a signed word that it %s changes nothing', (claims) => {
    // There is nothing to query, because the payment has already ended without money.
    const claim = { signatureValid: true, claims, claimedValidationId: null };
    expect(outcomeWithoutQuery(ended, claim)).toBe('IGNORED');
    expect(outcomeWithoutQuery(ended, { ...claim, signatureValid: false })).toBeNull();
  });

  test('an unknown word is asked about', () => {
    // An unknown status does not mean that the payment failed.
    expect(outcomeWithoutQuery(ended, { ...paid, claims: 'unknown' })).toBeNull();
  });
});
