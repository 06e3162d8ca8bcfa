import { lookup, Resolver } from 'node:dns/promises';

export interface ResolvedAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** Returns all A and AAAA addresses of a name; an empty list if it has none. */
export type ResolveHost = (hostname: string) => Promise<readonly ResolvedAddress[]>;

/**
 * Queries the name servers directly. The system's lookup uses a pool of four threads, which a few names with a silent name server could block for all
 * requests. It also reads search domains and the hosts file, which no public host needs.
 */
export async function resolvePublicName(hostname: string): Promise<readonly ResolvedAddress[]> {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  const answers = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
  const [four, six] = answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  return [
    ...(four ?? []).map((address) => ({ address, family: 4 as const })),
    ...(six ?? []).map((address) => ({ address, family: 6 as const })),
  ];
}

/** Resolves a name as the operating system does: for hosts that an operator configured, which may be in the hosts file. */
export async function resolveSystemName(hostname: string): Promise<readonly ResolvedAddress[]> {
  try {
    const found = await lookup(hostname, { all: true, order: 'verbatim' });
    return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
  } catch {
    return [];
  }
}
