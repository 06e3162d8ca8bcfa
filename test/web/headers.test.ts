import { describe, expect, test } from '@jest/globals';
import { assetAt, pageAssets } from '../../web/assets.ts';
import { assetHeaders, pageHeaders } from '../../web/headers.ts';

describe('pageHeaders', () => {
  test('allow nothing but our own files and the named gateways', () => {
    // Otherwise the page could load scripts or frames of others, or send forms to them.
    const headers = pageHeaders({ formActionOrigins: ['https://pay.example', 'https://*.pay.example'], secure: true });
    expect(headers).toEqual({
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy':
        "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self' https://pay.example https://*.pay.example; base-uri 'none'; frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
      'Cache-Control': 'no-store',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Resource-Policy': 'same-origin',
      'Permissions-Policy': expect.stringContaining('payment=()'),
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
      'X-Frame-Options': 'DENY',
      'X-Robots-Tag': 'noindex, nofollow',
      'Strict-Transport-Security': 'max-age=31536000',
    });
  });

  test('promise https only where there is https', () => {
    // Otherwise browsers could no longer open an installation on plain http.
    expect(pageHeaders({ formActionOrigins: [], secure: false })).not.toHaveProperty('Strict-Transport-Security');
  });

  test.each([
    "https://pay.example; script-src 'unsafe-inline'",
    'https://pay.example/path',
    'https://a.example https://b.example',
    '*',
    'https:',
    "'unsafe-inline'",
    'javascript:alert(1)',
    'https://*',
    'https://shop@evil.example',
    'https://pay.example\r\nX: y',
  ])('refuse %j as an origin', (origin) => {
    // Otherwise a setting or a gateway's answer could widen the policy.
    expect(() => pageHeaders({ formActionOrigins: [origin], secure: true })).toThrow('Not an origin');
  });
});

describe('assets', () => {
  test('are found at their hashed path only', () => {
    // Otherwise a request could read other files, or caches would serve old ones.
    for (const asset of Object.values(pageAssets)) {
      expect(asset.path).toMatch(/^\/assets\/[a-z]+\.[0-9a-f]{16}\.(css|js|svg)$/);
      expect(assetAt(asset.path)).toBe(asset);
      expect(asset.reason).not.toBe('');
    }
    expect(assetAt('/assets/page.css')).toBeNull();
    expect(assetAt('/assets/../web/assets.ts')).toBeNull();
    expect(assetAt('__proto__')).toBeNull();
  });

  test('may be kept for ever and are never sniffed', () => {
    // Otherwise payers on slow networks would load the same file twice.
    const headers = assetHeaders({ asset: pageAssets.script, secure: true });
    expect(headers['Cache-Control']).toBe('public, max-age=31536000, immutable');
    expect(headers['X-Content-Type-Options']).toBe('nosniff');
    expect(headers['Content-Type']).toBe('text/javascript; charset=utf-8');
  });
});
