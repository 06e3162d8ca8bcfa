import ipaddr from 'ipaddr.js';

export const OUTBOUND_URL_LENGTH_MAX = 2_048;

const PORTS: ReadonlySet<string> = new Set(['443', '8443']);

/** Hosts that are allowed although the rules reject them, for development and tests. Empty in production. */
export interface AllowList {
  /** For the log line that a process writes at startup if the list is not empty. */
  readonly entries: readonly string[];
  allows(target: { readonly hostname: string; readonly port: number }): boolean;
}

export type OutboundUrlResult =
  { readonly ok: true; readonly url: URL } | { readonly ok: false; readonly reason: OutboundUrlRefusal };

export type OutboundUrlRefusal = 'TOO_LONG' | 'NOT_A_URL' | 'USERINFO' | 'NOT_HTTPS' | 'PORT' | 'PRIVATE_HOST';

/** Words for the integrator who registers the URL. */
export const OUTBOUND_URL_REFUSALS: Readonly<Record<OutboundUrlRefusal, string>> = {
  TOO_LONG: `must have at most ${OUTBOUND_URL_LENGTH_MAX} characters`,
  NOT_A_URL: 'must be an absolute URL',
  USERINFO: 'must not contain a user name or password',
  NOT_HTTPS: 'must begin with https://',
  PORT: 'must use port 443 or 8443',
  PRIVATE_HOST: 'must point to a host on the public internet',
};

/**
 * Checks a URL that an application registers. The host is checked again by its resolved address on every connection, so this check only gives the
 * integrator an early error; it protects nothing by itself.
 */
export function checkOutboundUrl(text: string, allow: AllowList): OutboundUrlResult {
  if (text.length > OUTBOUND_URL_LENGTH_MAX) {
    return { ok: false, reason: 'TOO_LONG' };
  }
  // The parser silently drops control characters and reads a backslash as a slash. Reject what two parsers could read differently.
  // oxlint-disable-next-line no-control-regex -- control characters are exactly what is looked for
  if (/[\u0000-\u0020\u007f\\]/.test(text) || !URL.canParse(text)) {
    return { ok: false, reason: 'NOT_A_URL' };
  }
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    return { ok: false, reason: 'NOT_HTTPS' };
  }
  if (url.username !== '' || url.password !== '' || /^[a-z]+:\/*[^/?#]*@/i.test(text)) {
    return { ok: false, reason: 'USERINFO' };
  }
  if (allow.allows({ hostname: url.hostname, port: portOf(url) })) {
    return { ok: true, url };
  }
  if (url.protocol !== 'https:') {
    return { ok: false, reason: 'NOT_HTTPS' };
  }
  if (url.port !== '' && !PORTS.has(url.port)) {
    return { ok: false, reason: 'PORT' };
  }
  return isPublicHostname(url.hostname) ? { ok: true, url } : { ok: false, reason: 'PRIVATE_HOST' };
}

/** Returns the port of an http or https URL, including the default ports. */
export function portOf(url: URL): number {
  if (url.port !== '') {
    return Number(url.port);
  }
  return url.protocol === 'https:' ? 443 : 80;
}

/**
 * Reads `host:port` and `host:*` entries, comma-separated; an IPv6 host is written in brackets. An empty text allows nothing.
 * @param everyPort - false refuses `host:*`, as production does: an exception names one host and one port
 * @throws Error naming the entry that cannot be read
 */
export function parseAllowList(text: string, { everyPort = true }: { readonly everyPort?: boolean } = {}): AllowList {
  const entries = text
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .filter((entry) => entry !== '');
  const allowed = new Set<string>();
  for (const entry of entries) {
    const [, host, port] = /^(\[[0-9a-f:.]+\]|[^\s*:@/?#[\]]+):(\*|[0-9]{1,5})$/.exec(entry) ?? [];
    if (host === undefined || port === undefined || Number(port) > 65_535 || !URL.canParse(`http://${host}/`)) {
      throw new Error(`LENDEN_OUTBOUND_ALLOW: "${entry}" is neither host:port nor host:*`);
    }
    if (port === '*' && !everyPort) {
      throw new Error(`LENDEN_OUTBOUND_ALLOW: "${entry}" must have one port in production`);
    }
    allowed.add(`${new URL(`http://${host}/`).hostname}:${port}`);
  }
  return {
    entries,
    allows: ({ hostname, port }) => {
      const host = hostname.includes(':') && !hostname.startsWith('[') ? `[${hostname}]` : hostname;
      return allowed.has(`${host}:${port}`) || allowed.has(`${host}:*`);
    },
  };
}

/** Names that never belong to a public host (RFC 6761, RFC 6762, RFC 8375, RFC 9476, ICANN's `internal`). */
const PRIVATE_SUFFIXES = [
  'localhost',
  'local',
  'internal',
  'home.arpa',
  'onion',
  'test',
  'invalid',
  'alt',
  'localdomain',
];

/** @param hostname - as the URL parser returns it: lower case, IPv4 in dotted decimal whatever its spelling, IPv6 in brackets */
export function isPublicHostname(hostname: string): boolean {
  if (hostname.startsWith('[')) {
    return isPublicAddress(hostname.slice(1, -1));
  }
  if (ipaddr.IPv4.isValid(hostname)) {
    return isPublicAddress(hostname);
  }
  const name = hostname.replace(/\.$/, '');
  if (!name.includes('.') || name.length > 253 || name.split('.').some((label) => label === '' || label.length > 63)) {
    return false;
  }
  return !PRIVATE_SUFFIXES.some((suffix) => name === suffix || name.endsWith(`.${suffix}`));
}

type Range = readonly [address: string, prefixBits: number];

/** IANA's special-purpose IPv4 registry: everything that is not globally reachable, and multicast. */
const IPV4_DENIED = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const satisfies readonly Range[];

/** Only global unicast is routed on the internet. Everything else is rejected, including unknown ranges. */
const IPV6_GLOBAL: Range = ['2000::', 3];

/** Parts of global unicast that are not ordinary hosts: protocol assignments with Teredo and ORCHID, documentation, 6to4. */
const IPV6_DENIED = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const satisfies readonly Range[];

/** Prefixes whose last 32 bits are the IPv4 address that is reached: mapped (RFC 4291) and NAT64 (RFC 6052). */
const IPV4_INSIDE = [
  ['::ffff:0:0', 96],
  ['64:ff9b::', 96],
] as const satisfies readonly Range[];

/** Reports whether an address is on the public internet. Decides by its bytes, not its spelling, and returns false for anything unreadable. */
export function isPublicAddress(address: string): boolean {
  const bytes = bytesOf(address);
  if (bytes === null) {
    return false;
  }
  if (bytes.length === 4) {
    return !IPV4_DENIED.some((range) => contains(range, bytes));
  }
  if (IPV4_INSIDE.some((range) => contains(range, bytes))) {
    return isPublicAddress(bytes.slice(12).join('.'));
  }
  return contains(IPV6_GLOBAL, bytes) && !IPV6_DENIED.some((range) => contains(range, bytes));
}

function bytesOf(address: string): number[] | null {
  // The first check rejects a zone index ("fe80::1%eth0"), the second rejects shortened and octal IPv4.
  if (!/^[0-9a-fA-F:.]{2,45}$/.test(address)) {
    return null;
  }
  if (address.includes(':')) {
    return ipaddr.IPv6.isValid(address) ? ipaddr.IPv6.parse(address).toByteArray() : null;
  }
  return ipaddr.IPv4.isValidFourPartDecimal(address) ? ipaddr.IPv4.parse(address).toByteArray() : null;
}

function contains([network, prefixBits]: Range, bytes: readonly number[]): boolean {
  const expected = bytesOf(network);
  if (expected === null || expected.length !== bytes.length) {
    return false;
  }
  return bytes.every((byte, index) => {
    const bits = Math.min(8, Math.max(0, prefixBits - index * 8));
    const mask = (0xff << (8 - bits)) & 0xff;
    return (byte & mask) === ((expected[index] ?? 0) & mask);
  });
}
