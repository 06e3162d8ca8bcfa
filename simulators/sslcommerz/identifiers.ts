import { randomBytes, randomInt } from 'node:crypto';

const alphanumerics = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const gatewayIdLength = 27;
const dhakaOffsetMs = 6 * 60 * 60 * 1000;

/** Returns 32 upper-case hexadecimal digits. */
export function newSessionKey(): string {
  return randomBytes(16).toString('hex').toUpperCase();
}

/** Returns a `val_id` or `bank_tran_id`: Dhaka date and time (the hour without its leading zero), then random characters. */
export function newGatewayId(atMs: number): string {
  const [date = '', time = ''] = dhakaDateTime(atMs).split(' ');
  const [hour = '', minute = '', second = ''] = time.split(':');
  const stamp = `${date.slice(2).replaceAll('-', '')}${Number(hour)}${minute}${second}`;
  return stamp + randomText(gatewayIdLength - stamp.length);
}

/** Returns 13 lower-case hexadecimal digits, the form of the documented sample. */
export function newRefundRefId(): string {
  return randomBytes(7).toString('hex').slice(0, 13);
}

/** Formats an instant as `YYYY-MM-DD HH:MM:SS` in Asia/Dhaka, without a zone. Dhaka has had no daylight saving time since 2009. */
export function dhakaDateTime(atMs: number): string {
  return new Date(atMs + dhakaOffsetMs).toISOString().slice(0, 19).replace('T', ' ');
}

function randomText(length: number): string {
  return Array.from({ length }, () => alphanumerics[randomInt(alphanumerics.length)]).join('');
}
