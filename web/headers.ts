import type { Asset } from './assets.ts';

// An origin, or one level of wildcard for gateways that send payers on to numbered hosts of theirs.
const originPattern = /^https?:\/\/(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/;
const oneYearSeconds = 31_536_000;

/** Whether a policy can name an origin: it has no words for an IPv6 address or an unusual host name. */
export function canStandInPolicy(origin: string): boolean {
  return originPattern.test(origin);
}

/**
 * Headers of every HTML page that a payer sees.
 *
 * `formActionOrigins`: origins that a form's answer may redirect to. Browsers that follow Chromium check `form-action`
 * on every redirect of a form's navigation, so the gateway's origin has to be listed, and any origin that it sends the
 * payer to at once: our own callbacks among them. `secure`: whether the pages are reached over https; HSTS on plain http has no meaning.
 * @throws Error for a value that is no origin: it could smuggle in a directive.
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

/** Headers of a static asset. */
export function assetHeaders({ asset, secure }: { asset: Asset; secure: boolean }): Record<string, string> {
  return {
    'Content-Type': asset.contentType,
    'Cache-Control': asset.immutable ? `public, max-age=${oneYearSeconds}, immutable` : 'no-cache',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
    // An SVG opened by itself is a document: it gets no rights either.
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
    // The script asks the page's own address for a new state.
    "connect-src 'self'",
    ["form-action 'self'", ...new Set(formActionOrigins)].join(' '),
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "object-src 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}
