import type { Mode } from './mode.ts';

export interface ReturnUrlRules {
  /** Registered origins; empty means none are registered. */
  readonly origins: readonly string[];
  readonly mode: Mode;
}

/**
 * Returns what is wrong with a return URL, or null if payers may be sent there. If origins are registered, scheme, host and port must match one
 * exactly; otherwise any absolute https URL is allowed, in TEST also http. Userinfo, backslashes, control characters and other schemes are always
 * rejected: browsers parse them differently than we do.
 */
export function returnUrlProblem(text: string, { origins, mode }: ReturnUrlRules): string | null {
  if (/[\p{Cc}\p{Cs}\\\s]/u.test(text) || !/^https?:\/\/[^/]/i.test(text) || !URL.canParse(text)) {
    return 'must be an absolute https URL without spaces or backslashes';
  }
  const url = new URL(text);
  if (
    url.username !== '' ||
    url.password !== '' ||
    text.slice(0, text.indexOf('/', 8) + 1 || undefined).includes('@')
  ) {
    return 'must not contain a user name or password';
  }
  if (url.protocol !== 'https:' && mode === 'LIVE') {
    return 'must be an https URL';
  }
  if (origins.length > 0 && !origins.includes(url.origin)) {
    return 'must have an origin that is registered for this application';
  }
  return null;
}

/** Adds to the query of a URL. Every byte of the shop's URL stays the same, including its fragment. */
export function withQuery(url: string, said: string): string {
  const end = url.indexOf('#');
  const page = end === -1 ? url : url.slice(0, end);
  return `${page}${page.includes('?') ? '&' : '?'}${said}${url.slice(page.length)}`;
}
