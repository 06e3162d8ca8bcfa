import { isSessionToken, type PresentedToken } from '../../core/operators/session-token.ts';
import { hmacSha256, secretEquals } from '../../runtime/secrets.ts';

/**
 * The prefix binds the cookie to this host, to `Path=/` and to a secure origin. Chromium and Firefox treat http://localhost as secure, so the cookie
 * also works in development. Safari does not; use a bearer token there.
 */
export const SESSION_COOKIE = '__Host-lenden-session';

type Headers = Readonly<Record<string, string | undefined>>;

/** Returns the bearer token if there is an `Authorization` header, otherwise the cookie. A token of one kind does not work as the other. */
export function presentedToken({ authorization, cookie }: Headers): PresentedToken | null {
  if (authorization !== undefined) {
    const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? '';
    return isSessionToken(token) ? { token, kind: 'BEARER' } : null;
  }
  const token = cookieNamed(cookie ?? '', SESSION_COOKIE);
  return token !== null && isSessionToken(token) ? { token, kind: 'COOKIE' } : null;
}

/** Returns null also if the name occurs twice: an attacker may then have set one of the cookies. */
function cookieNamed(header: string, name: string): string | null {
  const values = header
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  return values.length === 1 ? (values[0] ?? null) : null;
}

/** Returns the `Set-Cookie` value that hands the token to the browser until the session's latest end. */
export function sessionCookie(token: string, expiresAt: Date): string {
  return `${SESSION_COOKIE}=${token}; Path=/; Secure; HttpOnly; SameSite=Strict; Expires=${expiresAt.toUTCString()}`;
}

export const CLEARED_COOKIE = `${SESSION_COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0`;

/**
 * Returns the token that a page must send back with every change. It is derived from the session's token, so it ends with it and needs no storage.
 */
export function csrfToken(token: string): string {
  return hmacSha256(token, 'csrf').toString('base64url');
}

export function csrfTokenMatches(token: string, given: string | undefined): boolean {
  return secretEquals(given ?? '', csrfToken(token));
}
