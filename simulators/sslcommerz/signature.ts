import { createHash } from 'node:crypto';

/** How a notice is signed. All modes except `good` are faults for testing a merchant. */
export type SignatureMode = 'good' | 'bad' | 'absent' | 'md5_only';

type Fields = Readonly<Record<string, string>>;

/** `subscription_id` is posted but not signed in every capture since 2023. */
const unsignedNames: ReadonlySet<string> = new Set(['subscription_id']);

/** Returns the fields `verify_sign`, `verify_sign_sha2` and `verify_key` for a notice with the given fields. */
export function signFields({
  fields,
  password,
  mode,
}: {
  fields: Fields;
  password: string;
  mode: SignatureMode;
}): Fields {
  if (mode === 'absent') {
    return {};
  }
  const names = Object.keys(fields)
    .filter((name) => !unsignedNames.has(name))
    .sort();
  const usedPassword = mode === 'bad' ? `${password}-somebody-else` : password;
  return {
    verify_sign: digest({ algorithm: 'md5', fields, names, password: usedPassword }),
    ...(mode === 'md5_only'
      ? {}
      : { verify_sign_sha2: digest({ algorithm: 'sha256', fields, names, password: usedPassword }) }),
    verify_key: names.join(','),
  };
}

/**
 * Returns the digest over the named fields and the hashed store password, all sorted bytewise and joined without escaping. Inner and outer hash use
 * the same algorithm; mixing two does not match the published vector.
 */
export function digest({
  algorithm,
  fields,
  names,
  password,
}: {
  algorithm: 'md5' | 'sha256';
  fields: Fields;
  names: readonly string[];
  password: string;
}): string {
  const hash = (text: string): string => createHash(algorithm).update(text, 'utf8').digest('hex');
  const signed: Record<string, string> = { store_passwd: hash(password) };
  for (const name of names) {
    signed[name] = fields[name] ?? '';
  }
  const text = Object.keys(signed)
    .sort()
    .map((name) => `${name}=${signed[name]}`)
    .join('&');
  return hash(text);
}
