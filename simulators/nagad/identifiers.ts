import { randomBytes, randomInt } from 'node:crypto';

const issuerAlphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const issuerReferenceLength = 8;
const dhakaOffsetMs = 6 * 60 * 60 * 1000;

/** Returns a challenge of 40 hexadecimal digits. */
export function newChallenge(): string {
  return randomBytes(20).toString('hex');
}

/** Returns base64 of `MMDDHHMMSSmmm.merchant.order.20 hexadecimal digits`, the form of decoded samples. */
export function newPaymentReference({
  atMs,
  merchantId,
  orderId,
}: {
  atMs: number;
  merchantId: string;
  orderId: string;
}): string {
  const stamp = `${dhakaDigits(atMs).slice(4)}${String(atMs % 1000).padStart(3, '0')}`;
  return Buffer.from(`${stamp}.${merchantId}.${orderId}.${randomBytes(10).toString('hex')}`).toString('base64');
}

/** Returns the transaction id that payers see in their wallet. */
export function newIssuerReference(): string {
  return Array.from({ length: issuerReferenceLength }, () => issuerAlphabet[randomInt(issuerAlphabet.length)]).join('');
}

/** Formats an instant as `yyyyMMddHHmmss` in Asia/Dhaka, which has had no daylight saving time since 2009. */
export function dhakaDigits(atMs: number): string {
  return dhakaDateTime(atMs).replaceAll(/\D/g, '').slice(0, 14);
}

/** Formats an instant as `2021-11-23 23:48:22.0` in Asia/Dhaka, the form used in a verification. */
export function dhakaDateTime(atMs: number): string {
  return `${new Date(atMs + dhakaOffsetMs).toISOString().slice(0, 19).replace('T', ' ')}.0`;
}
