import { lookup, Resolver } from 'node:dns/promises';

export interface ResolvedAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** All A and AAAA addresses of a name; an empty list when it has none. */
export type ResolveHost = (hostname: string) => Promise<readonly ResolvedAddress[]>;

/**
 * Asks the name servers directly. The system's own look-up runs on a pool of four threads, which a few registered names with a
 * silent name server would hold for everybody; it would also read search domains and the hosts file, and no public host needs those.
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

/** As the operating system resolves names: for hosts that an operator configured, which may be in the hosts file. */
export async function resolveSystemName(hostname: string): Promise<readonly ResolvedAddress[]> {
  try {
    const found = await lookup(hostname, { all: true, order: 'verbatim' });
    return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
  } catch {
    return [];
  }
}
