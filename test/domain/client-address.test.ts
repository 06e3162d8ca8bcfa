import { expect, test } from '@jest/globals';
import { addressBlock } from '../../domain/client-address.ts';

test.each([
  ['203.0.113.9', '203.0.113.9'],
  ['::ffff:203.0.113.9', '203.0.113.9'],
  ['2001:db8:1:2:aaaa:bbbb:cccc:dddd', '2001:db8:1:2::/64'],
  ['2001:0DB8:0001:0002::1', '2001:db8:1:2::/64'],
  ['fe80::1%eth0', 'fe80::/64'],
  ['::1', '::/64'],
  ['', ''],
])('%s counts as %s', (address, block) => {
  // An IPv6 line has 2^64 addresses, which must share one rate limit. Different spellings of one address must count as one.
  expect(addressBlock(address)).toBe(block);
});
