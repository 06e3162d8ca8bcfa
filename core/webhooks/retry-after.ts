import { RETRY_AFTER_SECONDS_MAX } from '../../domain/webhook.ts';

/** Response statuses for which `Retry-After` is honored. */
const SAYS_WHEN: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** The three forms of an HTTP-date (RFC 9110, 5.6.7). asctime has no time zone and means GMT. */
const HTTP_DATES = [
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/,
  /^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/,
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/,
];

/** Returns how long the receiver asks us to wait in milliseconds, at most 24 hours; 0 if it does not ask or the header is unreadable. */
export function retryAfterMs(reply: { status: number; headers: Readonly<Record<string, string>> }, now: Date): number {
  const text = reply.headers['retry-after']?.trim();
  if (text === undefined || !SAYS_WHEN.has(reply.status)) {
    return 0;
  }
  const seconds = /^\d{1,15}$/.test(text) ? Number(text) : secondsUntil(text, now);
  return Math.min(Math.max(seconds, 0), RETRY_AFTER_SECONDS_MAX) * 1_000;
}

function secondsUntil(text: string, now: Date): number {
  if (!HTTP_DATES.some((form) => form.test(text))) {
    return 0;
  }
  const at = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
  return Number.isNaN(at) ? 0 : Math.ceil((at - now.getTime()) / 1_000);
}
