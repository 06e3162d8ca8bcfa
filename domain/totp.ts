/** HMAC-SHA-1, passed in because the domain must not depend on a platform. */
export type HmacSha1 = (key: Uint8Array, message: Uint8Array) => Uint8Array;

const STEP_SECONDS = 30;
const DIGITS = 6;
/** The codes of the step before and after are accepted too, since clocks differ and people type slowly. RFC 6238, 5.2. */
const STEPS_AROUND = 1;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** Returns the time step of an instant: whole periods of 30 seconds since 1970. */
export function totpStep(at: Date): bigint {
  return BigInt(Math.floor(at.getTime() / 1_000 / STEP_SECONDS));
}

/** Returns the code of a step: RFC 4226's truncation over RFC 6238's counter. */
export function totpCode({
  secret,
  step,
  hmac,
  digits = DIGITS,
}: {
  readonly secret: Uint8Array;
  readonly step: bigint;
  readonly hmac: HmacSha1;
  readonly digits?: number;
}): string {
  const counter = new Uint8Array(8);
  new DataView(counter.buffer).setBigUint64(0, step);
  const mac = hmac(secret, counter);
  const offset = (mac.at(-1) ?? 0) & 0x0f;
  const number = new DataView(mac.buffer, mac.byteOffset, mac.byteLength).getUint32(offset) & 0x7fffffff;
  return String(number % 10 ** digits).padStart(digits, '0');
}

/**
 * Returns the steps around `at` whose code this is, oldest first. A caller that accepts one must reject it and all earlier steps from then on. All
 * steps are computed, so that the response time does not reveal which one matched.
 */
export function matchingTotpSteps({
  secret,
  code,
  at,
  hmac,
}: {
  readonly secret: Uint8Array;
  readonly code: string;
  readonly at: Date;
  readonly hmac: HmacSha1;
}): bigint[] {
  const now = totpStep(at);
  const steps = Array.from({ length: 2 * STEPS_AROUND + 1 }, (_, index) => now + BigInt(index - STEPS_AROUND));
  return steps.filter((step) => equalDigits(totpCode({ secret, step, hmac }), code));
}

function equalDigits(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let index = 0; index < a.length; index += 1) {
    difference |= a.charCodeAt(index) ^ b.charCodeAt(index);
  }
  return difference === 0;
}

/** Returns the URI that an authenticator app reads from a QR code, in the key URI format of Google Authenticator. */
export function totpUri({ issuer, account, secret }: { issuer: string; account: string; secret: Uint8Array }): string {
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(account)}`;
  const query = `secret=${toBase32(secret)}&issuer=${encodeURIComponent(issuer)}&algorithm=SHA1&digits=${DIGITS}&period=${STEP_SECONDS}`;
  return `otpauth://totp/${label}?${query}`;
}

/** Encodes as RFC 4648 base32 without padding. */
export function toBase32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{1,5}/g) ?? []).map((five) => ALPHABET[Number.parseInt(five.padEnd(5, '0'), 2)]).join('');
}
