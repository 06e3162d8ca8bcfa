import { startHost } from './host.ts';
import type { HostOptions, HostParts, RunningHost, Simulator } from './host.ts';

export type ServerOptions = Pick<HostOptions, 'dataDir'> & Partial<Pick<HostOptions, 'host' | 'port' | 'publicUrl'>>;

/** Starts one simulator inside this process, for tests; by default on a free port of 127.0.0.1. */
export function startAlone(
  { dataDir, host = '127.0.0.1', port = 0, publicUrl }: ServerOptions,
  create: (parts: HostParts) => Promise<Simulator>,
): Promise<RunningHost> {
  return startHost({
    host,
    port,
    dataDir,
    ...(publicUrl === undefined ? {} : { publicUrl }),
    mount: async (parts) => [await create(parts)],
  });
}
