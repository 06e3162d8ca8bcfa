import { describe, expect, test } from '@jest/globals';
import {
  checkOutboundUrl,
  isPublicAddress,
  isPublicHostname,
  OUTBOUND_URL_LENGTH_MAX,
  OUTBOUND_URL_REFUSALS,
  parseAllowList,
  portOf,
} from '../../domain/outbound-url.ts';
import { PRIVATE_HOSTS, PUBLIC_HOSTS } from '../runtime/http-client/addresses.ts';

const nothing = parseAllowList('');
const refusal = (text: string, allow = nothing): string => {
  const result = checkOutboundUrl(text, allow);
  return result.ok ? 'allowed' : result.reason;
};

describe('a URL that an application registers', () => {
  test.each(PRIVATE_HOSTS)('is refused when its host is %s', (host) => {
    // A registered URL must not lead into the operator's own network.
    expect(['PRIVATE_HOST', 'NOT_A_URL']).toContain(refusal(`https://${host}/hook`));
  });

  test.each(PUBLIC_HOSTS)('is accepted when its host is %s', (host) => {
    // The guard must not refuse valid receivers.
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
    ['https://shop.example.com/?to=https://a@b', 'allowed'],
    ['https://:@shop.example.com/', 'USERINFO'],
    ['https://db.internal./', 'PRIVATE_HOST'],
    ['https://shop.example.com./', 'allowed'],
    ['https://shop.example.com:443/', 'allowed'],
    [`https://shop.example.com/${'a'.repeat(10_000)}`, 'TOO_LONG'],
    [`https://shop.example.com/${'a'.repeat(OUTBOUND_URL_LENGTH_MAX - 25)}`, 'allowed'],
    [`https://shop.example.com/${'a'.repeat(OUTBOUND_URL_LENGTH_MAX - 24)}`, 'TOO_LONG'],
    ['https://shop..example.com/', 'PRIVATE_HOST'],
  ])('%.60s is answered with %s', (text, expected) => {
    // Each rule must refuse on its own and name itself.
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
      // A misread entry would silently allow or block a host.
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
  // Text that is not understood must be refused.
  expect(isPublicAddress(text)).toBe(false);
});

test('each refusal is told in words of its own', () => {
  // The integrator reads these messages when they register a URL.
  expect(OUTBOUND_URL_REFUSALS).toEqual({
    TOO_LONG: 'must have at most 2048 characters',
    NOT_A_URL: 'must be an absolute URL',
    USERINFO: 'must not contain a user name or password',
    NOT_HTTPS: 'must begin with https://',
    PORT: 'must use port 443 or 8443',
    PRIVATE_HOST: 'must point to a host on the public internet',
  });
});

test.each([
  ['https://a.example/', 443],
  ['http://a.example/', 80],
  ['https://a.example:8443/', 8443],
  ['http://a.example:8080/', 8080],
])('a connection to %s uses port %i', (url, port) => {
  // The allow-list names ports, including default ports that a URL leaves out.
  expect(portOf(new URL(url))).toBe(port);
});

describe('what the allow-list may name', () => {
  test.each([
    'localhost:80x',
    'localhost:',
    'localhost',
    ':80',
    'localhost:65536',
    'local host:80',
    'a:b:80',
    '[::g]:80',
  ])('%p is neither host:port nor host:* and stops the start', (entry) => {
    // A typing error must not silently allow more or less than intended.
    expect(() => parseAllowList(entry)).toThrow(`"${entry}" is neither host:port nor host:*`);
  });

  test('the last port is one, and an IPv6 host is the same with its brackets or without', () => {
    // Sockets use addresses without brackets, URLs with them.
    expect(parseAllowList('localhost:65535').allows({ hostname: 'localhost', port: 65_535 })).toBe(true);
    const six = parseAllowList('[::1]:8090');
    expect(six.allows({ hostname: '::1', port: 8_090 })).toBe(true);
    expect(six.allows({ hostname: '[::1]', port: 8_090 })).toBe(true);
    expect(six.allows({ hostname: '::2', port: 8_090 })).toBe(false);
  });
});

describe('a host name', () => {
  const label = 'a'.repeat(63);
  const longest = [label, label, label, 'b'.repeat(61)].join('.');

  test.each(['localhost', 'local', 'internal', 'home.arpa', 'onion', 'test', 'invalid', 'alt', 'localdomain'])(
    'below %s is private',
    (suffix) => {
      // Any host nearby may answer for a reserved name.
      expect([suffix, `shop.${suffix}`, `a.shop.${suffix}`].map(isPublicHostname)).toEqual([false, false, false]);
      expect(isPublicHostname(`shop-${suffix}.example.com`)).toBe(true);
    },
  );

  test('has labels of at most 63 and 253 characters in all', () => {
    // A name that no name server can answer for is not a public host.
    expect(longest.length).toBe(253);
    expect([longest, `${longest}c`, `c${longest.slice(1)}`].map(isPublicHostname)).toEqual([true, false, true]);
    expect([`${label}.example`, `${label}a.example`].map(isPublicHostname)).toEqual([true, false]);
  });
});

describe('an address', () => {
  test.each(['2606:4700::a00:1', '2a00:1450:4001::7f00:1'])(
    '%s is public, whatever its last bytes look like',
    (address) => {
      // Only mapped and NAT64 addresses contain an IPv4 address.
      expect(isPublicAddress(address)).toBe(true);
    },
  );

  test.each(['2606:4700::1%1', '2606:4700::1%11', '2606:4700::1%eth0', ' 2606:4700::1', '2606:4700::1 '])(
    '%p is more than an address and refused',
    (address) => {
      // A zone selects one of our own interfaces.
      expect(isPublicAddress(address)).toBe(false);
    },
  );
});
