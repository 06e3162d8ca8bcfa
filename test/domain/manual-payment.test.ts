import { expect, test } from '@jest/globals';
import { normalizedReference } from '../../domain/manual-payment.ts';

test.each(['TRX 0001-22', 'trx000122', ' T r x.0001/22 ', 'TRX০০০১২২', 'ＴＲＸ０００１２２', 'trx_0001‌22'])(
  '%j names the same transaction as TRX000122',
  (text) => {
    // One transfer pays for one thing, however it is written.
    expect(normalizedReference(text)).toBe('TRX000122');
  },
);

test.each(['', 'abc', '----', '😀😀😀😀', 'x'.repeat(65), 'ﷺ'.repeat(10), '𠀀𠀁'])(
  '%j names no transaction',
  (text) => {
    // Nothing that an operator could look for.
    expect(normalizedReference(text)).toBeNull();
  },
);

test.each(['১২৩৪', 'অআকখ', 'Straße 1', 'x'.repeat(64), '𠀀𠀁𠀂𠀃', '𠀀'.repeat(64)])('%j names one', (text) => {
  // Receipts are written in Bangla, too.
  expect(normalizedReference(text)).not.toBeNull();
});
