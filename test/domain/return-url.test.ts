import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { returnUrlProblem } from '../../domain/return-url.ts';

const bound = { origins: ['https://shop.example', 'https://shop.example:8443'], mode: 'LIVE' } as const;
const free = { origins: [], mode: 'LIVE' } as const;

describe('with registered origins', () => {
  test.each([
    'https://shop.example',
    'https://shop.example/',
    'https://shop.example/a?b=https://evil.example#@c',
    'https://shop.example/@user',
    'HTTPS://SHOP.example/a',
    'https://shop.example:443/a',
    'https://shop.example:8443/a',
  ])('%s is allowed', (url) => {
    // Only scheme, host and port are compared.
    expect(returnUrlProblem(url, bound)).toBeNull();
  });

  test.each([
    '//evil.example',
    String.raw`https:/\evil.example`,
    String.raw`https:\\evil.example`,
    String.raw`https://shop.example\@evil.example`,
    'https://shop@evil.example',
    'https://shop.example@evil.example/',
    'https://shop.example:x@evil.example/',
    'https://@evil.example',
    'https://shop.example.evil.example',
    'https://evil.example/shop.example',
    'https://shop.example:9999',
    'http://shop.example',
    'https:///shop.example',
    'https:shop.example',
    'javascript:alert(1)',
    'java\nscript:alert(1)',
    'data:text/html,x',
    'ftp://shop.example',
    'https://xn--shp-rqa.example',
    'https://ѕhop.example',
    'https://shop.example\r\nX: y',
    'https://shop.example\u0000',
    'https://shop.example/a b',
    ' https://shop.example',
    'https://shop.example\u2028',
    'https://[::1]/',
    '/relative',
    '',
  ])('%p is refused', (url) => {
    // A URL that a browser might read differently than Lenden must be refused.
    expect(returnUrlProblem(url, bound)).toMatch(/^must/);
  });

  test('nothing that is allowed ever leads to another origin', () => {
    // As a browser reads it, an allowed URL must belong to a registered origin.
    const pieces = fc.array(
      fc.constantFrom(
        'https:',
        'http:',
        '/',
        '//',
        '\\',
        '@',
        ':',
        'shop.example',
        'evil.example',
        '.',
        '?',
        '#',
        '%2f',
        '\t',
        '443',
        '8443',
        'a',
      ),
      { maxLength: 9 },
    );
    fc.assert(
      fc.property(pieces, (parts) => {
        const url = parts.join('');
        if (returnUrlProblem(url, bound) === null) {
          expect(bound.origins).toContain(new URL(url).origin);
        }
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('without registered origins', () => {
  test.each([
    'https://user@anything.example/',
    'https://:password@anything.example/',
    'https://user:password@anything.example',
    'https://@anything.example/x',
    'https://:@anything.example',
    'https://user@anything.example?x=/',
    'https://user@anything.example#/',
  ])('%s carries a name or password and is refused as such', (url) => {
    // The payer would read one host name in the URL and be sent to another host.
    expect(returnUrlProblem(url, free)).toBe('must not contain a user name or password');
  });

  test('an @ before any path is refused even behind a question mark', () => {
    // Parsers disagree on where such a host ends (RFC 3986 and older ones).
    expect(returnUrlProblem('https://shop.example?@x', free)).toBe('must not contain a user name or password');
  });

  test.each(['https://anything.example/@someone', 'https://anything.example/a?to=b@c', 'https://anything.example/#@'])(
    '%s has its @ behind the host and is allowed',
    (url) => {
      // An @ in a path does not mark a password.
      expect(returnUrlProblem(url, free)).toBeNull();
    },
  );

  test.each(['xhttps://anything.example/', 'view-source:https://anything.example/', 'blob:https://anything.example/1'])(
    '%s only contains an https URL and is refused',
    (url) => {
      // Text in front of `https` is part of the scheme.
      expect(returnUrlProblem(url, free)).toMatch(/^must be an absolute https URL/);
    },
  );

  test('any https URL is allowed, and http only in TEST', () => {
    // Local development needs http. LIVE never does.
    expect(returnUrlProblem('https://anything.example/x', free)).toBeNull();
    expect(returnUrlProblem('http://localhost:5000/x', free)).toBe('must be an https URL');
    expect(returnUrlProblem('http://localhost:5000/x', { ...free, mode: 'TEST' })).toBeNull();
    expect(returnUrlProblem('https://user:password@anything.example/', free)).toMatch(/user name/);
    expect(returnUrlProblem('javascript:alert(1)', { ...free, mode: 'TEST' })).not.toBeNull();
  });
});
