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
  return documentHeaders(contentSecurityPolicy(formActionOrigins), secure);
}

/**
 * Returns the headers of the dashboard's page.
 *
 * Mantine writes style sheets while it runs, so the page may use those with the `nonce`, which no other response has. The page's own policy of Trusted
 * Types, the only one that may exist, lets no text become markup.
 */
export function dashboardHeaders({ nonce, secure }: { nonce: string; secure: boolean }): Record<string, string> {
  return documentHeaders(
    [
      "default-src 'none'",
      `style-src 'self' 'nonce-${nonce}'`,
      "img-src 'self'",
      "font-src 'self'",
      "script-src 'self'",
      "connect-src 'self'",
      // Every form is sent by the script.
      "form-action 'none'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
      "object-src 'none'",
      "require-trusted-types-for 'script'",
      'trusted-types default',
    ].join('; '),
    secure,
  );
}

function documentHeaders(policy: string, secure: boolean): Record<string, string> {
  return {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': policy,
    'Cache-Control': 'no-store',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy':
      'accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=()',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'X-Robots-Tag': 'noindex, nofollow',
    ...strictTransport(secure),
  };
}

export function assetHeaders({ asset, secure }: { asset: Asset; secure: boolean }): Record<string, string> {
  return fileHeaders({ ...asset, secure });
}

/** Returns the headers of a file of the dashboard's build. Its name holds a hash of its content. */
export function dashboardAssetHeaders({
  contentType,
  secure,
}: {
  contentType: string;
  secure: boolean;
}): Record<string, string> {
  return { ...fileHeaders({ contentType, immutable: true, secure }), Vary: 'Accept-Encoding' };
}

function fileHeaders({
  contentType,
  immutable,
  secure,
}: {
  contentType: string;
  immutable: boolean;
  secure: boolean;
}): Record<string, string> {
  return {
    'Content-Type': contentType,
    'Cache-Control': immutable ? `public, max-age=${oneYearSeconds}, immutable` : 'no-cache',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
    // An SVG opened directly is a document and gets no permissions either.
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    ...strictTransport(secure),
  };
}

function strictTransport(secure: boolean): Record<string, string> {
  return secure ? { 'Strict-Transport-Security': `max-age=${oneYearSeconds}` } : {};
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
