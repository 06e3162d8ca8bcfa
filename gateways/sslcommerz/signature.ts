import { createHash } from 'node:crypto';
import { secretEquals } from '../../runtime/secrets.ts';
import { isPaidStatus } from './answers.ts';

/** Fields that the signature of a callback must cover. Without them it proves nothing about the payment. */
const ALWAYS_SIGNED = ['tran_id', 'amount', 'currency', 'currency_type', 'currency_amount', 'status', 'store_id'];
const SIGNED_WHEN_PAID = ['val_id', 'bank_tran_id'];
const NEVER_LISTED: ReadonlySet<string> = new Set(['store_passwd', 'verify_key', 'verify_sign', 'verify_sign_sha2']);
const LISTED_KEYS_MAX = 64;

/**
 * Checks SSLCOMMERZ's `verify_sign` (MD5) and `verify_sign_sha2`: the fields listed in `verify_key` and the hashed store password, sorted by name,
 * joined as `key=value` with `&`, hashed. This is only a filter: the validation API decides. If both digests are sent, both must match.
 */
export function signatureIsValid(fields: ReadonlyMap<string, string>, storePassword: string): boolean {
  return signedContentOf(fields, storePassword) !== null;
}

/** Returns a digest that identifies the signed fields and their values, or null if the signature is not valid. */
export function signedContentOf(fields: ReadonlyMap<string, string>, storePassword: string): string | null {
  const listed = signedFields(fields);
  if (listed === null) {
    return null;
  }
  const md5 = fields.get('verify_sign') ?? '';
  const sha2 = fields.get('verify_sign_sha2') ?? '';
  if (md5 === '' && sha2 === '') {
    return null;
  }
  const content = digest('sha256', listed, storePassword);
  const isValid =
    (md5 === '' || secretEquals(md5, digest('md5', listed, storePassword))) &&
    (sha2 === '' || secretEquals(sha2, content));
  return isValid ? content : null;
}

function signedFields(fields: ReadonlyMap<string, string>): Map<string, string> | null {
  const names = (fields.get('verify_key') ?? '').split(',');
  const signed = new Map<string, string>();
  for (const name of names) {
    const value = fields.get(name);
    if (value === undefined || signed.has(name) || NEVER_LISTED.has(name) || !/^[A-Za-z0-9_]+$/.test(name)) {
      return null;
    }
    signed.set(name, value);
  }
  const demanded = isPaidStatus(fields.get('status') ?? '') ? [...ALWAYS_SIGNED, ...SIGNED_WHEN_PAID] : ALWAYS_SIGNED;
  return signed.size <= LISTED_KEYS_MAX && demanded.every((name) => signed.has(name)) ? signed : null;
}

/** Exported only for the test against a golden vector. */
export function digest(
  algorithm: 'md5' | 'sha256',
  signed: ReadonlyMap<string, string>,
  storePassword: string,
): string {
  const hash = (text: string): string => createHash(algorithm).update(text, 'utf8').digest('hex');
  const pairs = new Map(signed).set('store_passwd', hash(storePassword));
  const names = [...pairs.keys()].sort((a, b) => (a < b ? -1 : 1));
  return hash(names.map((name) => `${name}=${pairs.get(name) ?? ''}`).join('&'));
}
