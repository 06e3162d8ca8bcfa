import ipaddr from 'ipaddr.js';

/** RFC 6177: the smallest block that one subscriber gets, so all of its addresses are one caller's. */
const IPV6_PREFIX_BITS = 64;

/**
 * What a limit counts by: an IPv4 address, or the /64 network of an IPv6 one, whose owner could use another address for each request. An IPv4
 * address that is written as an IPv6 one counts as itself.
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
