import type { Mode } from './mode.ts';

export interface ReturnUrlRules {
  /** Registered origins; empty means none are registered. */
  readonly origins: readonly string[];
  readonly mode: Mode;
}

/**
 * Says what is wrong with a return URL, or null when a payer may be led there. With registered origins only exact matches of scheme, host
 * and port; without, any absolute https URL, in TEST also http. Never userinfo, backslashes, control characters or another scheme:
 * browsers read those differently than we do.
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
    return 'must be of an origin that is registered for this app';
  }
  return null;
}

/** What we say is added to the query; not a byte of what the shop has there changes, its fragment included. */
export function withQuery(url: string, said: string): string {
  const end = url.indexOf('#');
  const page = end === -1 ? url : url.slice(0, end);
  return `${page}${page.includes('?') ? '&' : '?'}${said}${url.slice(page.length)}`;
}
