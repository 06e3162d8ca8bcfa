import { describe, expect, test } from '@jest/globals';
import { digest, signatureIsValid } from '../../../gateways/sslcommerz/signature.ts';

const PASSWORD = 'store@ssl';
const FIELDS: Readonly<Record<string, string>> = {
  tran_id: 'att_1',
  amount: '100.00',
  currency: 'BDT',
  currency_type: 'BDT',
  currency_amount: '100.00',
  status: 'FAILED',
  store_id: 'store',
};

/** Returns what the gateway would have sent: these fields, signed under the listed names. */
function signed(fields: Readonly<Record<string, string>>, listed = Object.keys(fields)): Map<string, string> {
  const pairs = new Map(listed.map((name) => [name, fields[name] ?? '']));
  return new Map([
    ...Object.entries(fields),
    ['verify_sign', digest('md5', pairs, PASSWORD)],
    ['verify_sign_sha2', digest('sha256', pairs, PASSWORD)],
    ['verify_key', listed.join(',')],
  ]);
}

const valid = (fields: ReadonlyMap<string, string>): boolean => signatureIsValid(fields, PASSWORD);

test('what the gateway signed is valid, whichever of the two digests it sent', () => {
  // Older stores get MD5 only.
  const both = signed(FIELDS);
  const without = (name: string): Map<string, string> => new Map([...both].filter(([other]) => other !== name));
  expect([both, without('verify_sign'), without('verify_sign_sha2')].map(valid)).toEqual([true, true, true]);
});

describe('a signature is refused', () => {
  test('over nothing at all, though somebody hashed the password', () => {
    // A list that cannot be read signs nothing. It must not be treated as a signature over an empty list.
    const nothing = new Map<string, string>();
    for (const verifyKey of ['', 'no_such_field', 'tran_id,tran_id']) {
      const fields = new Map([
        ...Object.entries(FIELDS),
        ['verify_sign', digest('md5', nothing, PASSWORD)] as const,
        ['verify_key', verifyKey] as const,
      ]);
      expect([verifyKey, valid(fields)]).toEqual([verifyKey, false]);
    }
  });

  test.each(['store_passwd', 'verify_key', 'verify_sign', 'verify_sign_sha2'])('that claims to sign %s', (name) => {
    // These fields are not part of the message. Listing them would let a sender choose what is hashed.
    const listed = [...Object.keys(FIELDS), name];
    const forged = new Map([...Object.entries(FIELDS), [name, ''], ['verify_key', listed.join(',')]]);
    const pairs = new Map(listed.map((key) => [key, forged.get(key) ?? '']));
    if (name !== 'verify_sign') {
      forged.set('verify_sign', digest('md5', pairs, PASSWORD));
    }
    if (name !== 'verify_sign_sha2') {
      forged.set('verify_sign_sha2', digest('sha256', pairs, PASSWORD));
    }
    expect(valid(forged)).toBe(false);
  });

  test.each(['', 'abc', 'g'.repeat(32), 'f'.repeat(64)])('when a digest is %p, of whatever length', (verifySign) => {
    // A malformed digest makes the signature invalid. It must not cause an exception.
    const fields = signed(FIELDS).set('verify_sign', verifySign);
    fields.delete('verify_sign_sha2');
    expect(valid(fields)).toBe(false);
  });

  test('when one of the two digests is wrong', () => {
    // If both digests are sent, both must match, because MD5 alone can be forged.
    expect(valid(signed(FIELDS).set('verify_sign', '0'.repeat(32)))).toBe(false);
    expect(valid(signed(FIELDS).set('verify_sign_sha2', '0'.repeat(64)))).toBe(false);
  });

  test.each(Object.keys(FIELDS))('when it leaves out %s', (name) => {
    // An unsigned field proves nothing, and these fields decide about the payment.
    expect(
      valid(
        signed(
          FIELDS,
          Object.keys(FIELDS).filter((other) => other !== name),
        ),
      ),
    ).toBe(false);
  });

  test.each(['val_id', 'bank_tran_id'])('of a paid one when it leaves out %s', (name) => {
    // The ids of the charge must be signed.
    const paid = { ...FIELDS, status: 'VALID', val_id: 'v', bank_tran_id: 'b' };
    expect(valid(signed(paid))).toBe(true);
    expect(
      valid(
        signed(
          paid,
          Object.keys(paid).filter((other) => other !== name),
        ),
      ),
    ).toBe(false);
  });

  test('when it lists more than 64 fields', () => {
    // Anyone can make the server compute hashes, so the work must be limited.
    const more = (count: number): Record<string, string> => ({
      ...FIELDS,
      ...Object.fromEntries(
        Array.from({ length: count - Object.keys(FIELDS).length }, (_, index) => [`value_${index}`, 'x']),
      ),
    });
    expect(valid(signed(more(64)))).toBe(true);
    expect(valid(signed(more(65)))).toBe(false);
  });
});
