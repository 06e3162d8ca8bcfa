import ipaddr from 'ipaddr.js';

/** RFC 6177: the smallest block assigned to one subscriber, so all of its addresses count as one caller. */
const IPV6_PREFIX_BITS = 64;

/**
 * Returns the key for a rate limit: an IPv4 address, or the /64 network of an IPv6 address, since its owner could use another address for each
 * request. An IPv4-mapped IPv6 address counts as its IPv4 address.
 */
export function addressBlock(address: string): string {
  const bare = address.split('%', 1)[0] ?? '';
  if (!ipaddr.IPv6.isValid(bare)) {
    return address;
  }
  const parsed = ipaddr.IPv6.parse(bare);
  if (parsed.isIPv4MappedAddress()) {
    return parsed.toIPv4Address().toString();
  }
  const network = ipaddr.IPv6.networkAddressFromCIDR(`${parsed.toString()}/${IPV6_PREFIX_BITS}`);
  return `${network.toString()}/${IPV6_PREFIX_BITS}`;
}
