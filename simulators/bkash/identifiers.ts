import { randomBytes, randomInt } from 'node:crypto';

const upperAlphanumerics = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const dhakaOffsetMs = 6 * 60 * 60 * 1000;

/** Returns `TR0011`, eight random characters and 13 digits of the clock in milliseconds. */
export function newPaymentId(atMs: number): string {
  return `TR0011${randomText(8)}${atMs}`;
}

/** Returns ten random upper-case letters and digits. */
export function newTrxId(): string {
  return randomText(10);
}

/** Returns an opaque token, which clients only send back. */
export function newToken(): string {
  return randomBytes(48).toString('base64url');
}

export function newHash(): string {
  return randomBytes(24).toString('base64url');
}

/** Formats an instant in Dhaka time with a colon before the milliseconds: `2025-12-09T16:12:43:828 GMT+0600`. */
export function bkashTime(atMs: number): string {
  const iso = new Date(atMs + dhakaOffsetMs).toISOString();
  return `${iso.slice(0, 19)}:${iso.slice(20, 23)} GMT+0600`;
}

function randomText(length: number): string {
  return Array.from({ length }, () => upperAlphanumerics[randomInt(upperAlphanumerics.length)]).join('');
}
