import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readMailAddress } from '../../../runtime/mail/address.ts';

describe('an address', () => {
  test.each([
    ['jane@example.com', 'jane@example.com'],
    ['Jane.Doe+tag@Sub.Example.COM', 'Jane.Doe+tag@sub.example.com'],
    ["o'neil_1-x@example.co", "o'neil_1-x@example.co"],
    ['a@বাংলা.example', 'a@xn--54b7fta0cc.example'],
    [`${'a'.repeat(64)}@example.com`, `${'a'.repeat(64)}@example.com`],
  ])('of an ordinary kind is taken: %s', (text, expected) => {
    // Otherwise payers with unusual but valid addresses would get no emails.
    expect(readMailAddress(text)).toBe(expected);
  });

  test.each([
    '',
    'jane',
    '@example.com',
    'jane@',
    'jane@localhost',
    'jane@127.0.0.1',
    'jane@[127.0.0.1]',
    'jane@example..com',
    'jane@-example.com',
    'jane@example.com.',
    '.jane@example.com',
    'ja..ne@example.com',
    'jane doe@example.com',
    '"jane"@example.com',
    'Jane <jane@example.com>',
    '<jane@example.com>',
    'jane@example.com,eve@example.com',
    'jane@example.com>\r\nRCPT TO:<eve@example.com',
    'jane\n@example.com',
    'jane@example.com\u0000',
    'jane@evil.example@example.com',
    'jane%evil.example@example.com',
    'evil.example!jane@example.com',
    '|program@example.com',
    '/etc/file@example.com',
    'জেন@example.com',
    `${'a'.repeat(65)}@example.com`,
    `a@${'b.'.repeat(130)}com`,
  ])('that is odd is refused: %j', (text) => {
    // Otherwise a stranger could inject SMTP commands through a malformed address.
    expect(readMailAddress(text)).toBeNull();
  });

  test('never carries anything that SMTP or a header gives a meaning to', () => {
    // Random input covers cases that the list above misses.
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 80 }),
      fc
        .tuple(fc.string({ maxLength: 20 }), fc.string({ unit: 'binary', maxLength: 20 }))
        .map(([a, b]) => `${a}@${b}.example`),
      fc.emailAddress(),
    );
    fc.assert(
      fc.property(text, (text) => {
        const address = readMailAddress(text);
        expect(address === null || /^[A-Za-z0-9#$&'*+=?^_`{}~.-]+@[a-z0-9.-]+$/.test(address)).toBe(true);
        expect(address === null || readMailAddress(address) === address).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});
