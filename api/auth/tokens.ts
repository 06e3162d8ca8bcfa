import { randomBytes } from 'node:crypto';
import type { SessionKind } from '../../database/operators/sessions.ts';
import { hmacSha256, secretEquals } from '../../runtime/secrets.ts';

/** 256 bits from the system's generator; the prefix lets a secret scanner know it. */
const TOKEN_BYTES = 32;
const TOKEN_FORMAT = /^ops_[A-Za-z0-9_-]{43}$/;

/**
 * The prefix binds the cookie to this host, to `Path=/` and to a secure origin. Chromium and Firefox count http://localhost as one, so the
 * same cookie serves a developer; Safari does not, and there a bearer token does.
 */
export const SESSION_COOKIE = '__Host-lenden-session';

export function newSessionToken(): string {
  return `ops_${randomBytes(TOKEN_BYTES).toString('base64url')}`;
}

/** What a request shows of a session. */
export interface PresentedToken {
  readonly token: string;
  readonly kind: SessionKind;
}

type Headers = Readonly<Record<string, string | undefined>>;

/** A bearer token where there is any `Authorization`, else the cookie. A token given for one is worth nothing as the other. */
export function presentedToken({ authorization, cookie }: Headers): PresentedToken | null {
  if (authorization !== undefined) {
    const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? '';
    return TOKEN_FORMAT.test(token) ? { token, kind: 'BEARER' } : null;
  }
  const token = cookieNamed(cookie ?? '', SESSION_COOKIE);
  return token !== null && TOKEN_FORMAT.test(token) ? { token, kind: 'COOKIE' } : null;
}

/** Null also when the name comes twice: then somebody else may have set one of them. */
function cookieNamed(header: string, name: string): string | null {
  const values = header
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  return values.length === 1 ? (values[0] ?? null) : null;
}

/** `Set-Cookie` that hands the token to the browser, for as long as the session can live. */
export function sessionCookie(token: string, expiresAt: Date): string {
  return `${SESSION_COOKIE}=${token}; Path=/; Secure; HttpOnly; SameSite=Strict; Expires=${expiresAt.toUTCString()}`;
}

export const CLEARED_COOKIE = `${SESSION_COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0`;

/** What a page must send back with every change: made from the session's token, so it lives and dies with it and is stored nowhere. */
export function csrfToken(token: string): string {
  return hmacSha256(token, 'csrf').toString('base64url');
}

export function csrfTokenMatches(token: string, given: string | undefined): boolean {
  return secretEquals(given ?? '', csrfToken(token));
}
