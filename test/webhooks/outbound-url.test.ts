import { describe, expect, test } from '@jest/globals';
import {
  checkOutboundUrl,
  isPublicAddress,
  OUTBOUND_URL_LENGTH_MAX,
  parseAllowList,
} from '../../domain/outbound-url.ts';
import { PRIVATE_HOSTS, PUBLIC_HOSTS } from './addresses.ts';

const nothing = parseAllowList('');
const refusal = (text: string, allow = nothing): string => {
  const result = checkOutboundUrl(text, allow);
  return result.ok ? 'allowed' : result.reason;
};

describe('a URL that an application registers', () => {
  test.each(PRIVATE_HOSTS)('is refused when its host is %s', (host) => {
    // A registered URL must never lead into the operator's own network.
    expect(['PRIVATE_HOST', 'NOT_A_URL']).toContain(refusal(`https://${host}/hook`));
  });

  test.each(PUBLIC_HOSTS)('is accepted when its host is %s', (host) => {
    // The guard must not keep honest receivers out.
    expect(refusal(`https://${host}/hook`)).toBe('allowed');
    expect(refusal(`https://${host}:8443/hook?a=1`)).toBe('allowed');
  });

  test.each([
    ['http://shop.example.com/', 'NOT_HTTPS'],
    ['file:///etc/passwd', 'NOT_HTTPS'],
    ['gopher://shop.example.com/', 'NOT_HTTPS'],
    ['javascript:alert(1)', 'NOT_HTTPS'],
    ['//shop.example.com/', 'NOT_A_URL'],
    ['shop.example.com', 'NOT_A_URL'],
    ['', 'NOT_A_URL'],
    ['https://shop.example.com\\@evil.example.com/', 'NOT_A_URL'],
    ['https://shop.example.com/\r\nx-evil: 1', 'NOT_A_URL'],
    [' https://shop.example.com/', 'NOT_A_URL'],
    ['https://shop.example.com:22/', 'PORT'],
    ['https://shop.example.com:5432/', 'PORT'],
    ['https://shop.example.com:7233/', 'PORT'],
    ['https://shop.example.com:80/', 'PORT'],
    ['https://user:pass@shop.example.com/', 'USERINFO'],
    ['https://user@shop.example.com/', 'USERINFO'],
    ['https://@shop.example.com/', 'USERINFO'],
    ['https://:pass@shop.example.com/', 'USERINFO'],
    ['https:user@shop.example.com/', 'USERINFO'],
    ['ftp://user@shop.example.com/', 'NOT_HTTPS'],
    ['https://shop.example.com/@path', 'allowed'],
    ['https://shop.example.com/?a@b', 'allowed'],
    [`https://shop.example.com/${'a'.repeat(10_000)}`, 'TOO_LONG'],
    [`https://shop.example.com/${'a'.repeat(OUTBOUND_URL_LENGTH_MAX - 25)}`, 'allowed'],
    [`https://shop.example.com/${'a'.repeat(OUTBOUND_URL_LENGTH_MAX - 24)}`, 'TOO_LONG'],
    ['https://shop..example.com/', 'PRIVATE_HOST'],
  ])('%.60s is answered with %s', (text, expected) => {
    // Each rule of the policy refuses by itself and says which rule it was.
    expect(refusal(text)).toBe(expected);
  });
});

describe('the allow-list', () => {
  test('lets exactly the named host and port through, also over http', () => {
    // A development exception must not open more than it names.
    const allow = parseAllowList(' localhost:8090 , [::1]:*,127.1:81');
    expect(allow.entries).toEqual(['localhost:8090', '[::1]:*', '127.1:81']);
    expect(refusal('http://localhost:8090/hook', allow)).toBe('allowed');
    expect(refusal('http://[::1]:1234/hook', allow)).toBe('allowed');
    expect(refusal('http://127.0.0.1:81/hook', allow)).toBe('allowed');
    expect(refusal('http://localhost:8091/hook', allow)).toBe('NOT_HTTPS');
    expect(refusal('https://localhost/hook', allow)).toBe('PRIVATE_HOST');
    expect(refusal('http://user@localhost:8090/hook', allow)).toBe('USERINFO');
    expect(refusal('http://localhost.evil.example:8090/', allow)).toBe('NOT_HTTPS');
  });

  test.each(['localhost', 'localhost:', '*:80', 'localhost:99999', 'http://localhost:80', 'a@b:80'])(
    'refuses the entry %s at start instead of ignoring it',
    (entry) => {
      // A misread entry would silently open or close a door.
      expect(() => parseAllowList(entry)).toThrow('LENDEN_OUTBOUND_ALLOW');
    },
  );
});

test.each([
  '',
  '1',
  '127.1',
  '0127.0.0.1',
  '1.2.3.4.5',
  '1.2.3.256',
  'fe80::1%eth0',
  '::ffff:1.2.3',
  'x',
  ':::',
  '1.2.3.4 ',
])('the address text "%s" is not public, since it cannot be read for certain', (text) => {
  // What is not understood is refused.
  expect(isPublicAddress(text)).toBe(false);
});
