import { describe, expect, test } from '@jest/globals';
import { SafeUrl } from '../../web/safe-url.ts';

const noExternalUrl = [
  'javascript:alert(1)',
  'JaVaScRiPt:alert(1)',
  'data:text/html,<script>alert(1)</script>',
  'vbscript:x',
  'file:///etc/passwd',
  'blob:https://shop.example/x',
  '//evil.example',
  '/orders',
  'https:/evil.example',
  'https:\\\\evil.example',
  'https:///evil.example',
  'https://shop.example\\@evil.example',
  'https://shop@evil.example',
  'https://shop:secret@evil.example',
  'https://shop.example/\r\nLocation: https://evil.example',
  'https://shop.example/\u0000',
  ' https://shop.example',
  'https://shop.example/a b',
  'https://shop.example/\u2028',
  'https://',
  'https://exa mple',
  `https://shop.example/${'a'.repeat(2048)}`,
  '',
];

describe('externalUrl', () => {
  test.each(noExternalUrl)('refuses %j', (text) => {
    // Otherwise the link back to the shop could lead elsewhere.
    expect(SafeUrl.externalUrl(text)).toBeNull();
  });

  test('takes https and http, and shows the host a browser would go to', () => {
    // Otherwise payers could not see where a link leads, for example with lookalike letters from other scripts.
    expect(SafeUrl.externalUrl('https://shop.example/a?b=1#c')?.toString()).toBe('https://shop.example/a?b=1#c');
    expect(SafeUrl.externalUrl('http://localhost:4000/x')?.host).toBe('localhost:4000');
    expect(SafeUrl.externalUrl('https://ѕhop.example/')?.host).toBe('xn--hop-ehd.example');
  });
});

describe('localPath', () => {
  test.each(['//evil.example', '/\\evil.example', 'https://evil.example', 'pay', '', '/a\nb', '/\t/evil.example'])(
    'refuses %j',
    (text) => {
      // Otherwise our forms could be sent to another origin.
      expect(() => SafeUrl.localPath(text)).toThrow('Not a path');
    },
  );

  test('takes a path with a query', () => {
    // Too strict a check would break ordinary pages.
    expect(SafeUrl.localPath('/checkout/pay_x?lang=bn').toString()).toBe('/checkout/pay_x?lang=bn');
  });
});
