import type { Asset } from './assets.ts';

// An origin, or one level of wildcard for gateways that redirect payers to numbered hosts.
const originPattern = /^https?:\/\/(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/;
const oneYearSeconds = 31_536_000;

/** Returns whether a content security policy can name the origin. It cannot name IPv6 addresses and unusual host names. */
export function canStandInPolicy(origin: string): boolean {
  return originPattern.test(origin);
}

/**
 * Returns the headers of every HTML page for payers.
 *
 * `formActionOrigins`: origins that a form's response may redirect to. Chromium-based browsers check `form-action` on every redirect of a form's
 * navigation, so the list must contain the gateway's origin and every origin to which it redirects at once, our own callbacks included. `secure`:
 * whether the pages use https; HSTS has no meaning over plain http.
 * @throws Error for a value that is not an origin, because it could inject a directive.
 */
export function pageHeaders({
  formActionOrigins,
  secure,
}: {
  formActionOrigins: readonly string[];
  secure: boolean;
}): Record<string, string> {
  const wrong = formActionOrigins.find((origin) => !canStandInPolicy(origin));
  if (wrong !== undefined) {
    throw new Error(`Not an origin: ${JSON.stringify(wrong)}`);
  }
  return {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': contentSecurityPolicy(formActionOrigins),
    'Cache-Control': 'no-store',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy':
      'accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=()',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'X-Robots-Tag': 'noindex, nofollow',
    ...(secure ? { 'Strict-Transport-Security': `max-age=${oneYearSeconds}` } : {}),
  };
}

export function assetHeaders({ asset, secure }: { asset: Asset; secure: boolean }): Record<string, string> {
  return {
    'Content-Type': asset.contentType,
    'Cache-Control': asset.immutable ? `public, max-age=${oneYearSeconds}, immutable` : 'no-cache',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
    // An SVG opened directly is a document and gets no permissions either.
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    ...(secure ? { 'Strict-Transport-Security': `max-age=${oneYearSeconds}` } : {}),
  };
}

function contentSecurityPolicy(formActionOrigins: readonly string[]): string {
  return [
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self'",
    "script-src 'self'",
    // The script fetches the page's own address for a new state.
    "connect-src 'self'",
    ["form-action 'self'", ...new Set(formActionOrigins)].join(' '),
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "object-src 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}
