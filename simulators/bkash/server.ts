import { startHost } from '../host.ts';
import type { RunningHost } from '../host.ts';
import { defaultMerchants, parseMerchants } from './merchants.ts';
import type { Settings } from './settings.ts';
import { createBkashSimulator } from './simulator.ts';

export type BkashServerOptions = { dataDir: string; port?: number; settings?: Partial<Settings> };

/** Starts only the bKash simulator, inside this process, for tests. */
export function startBkashSimulator({ dataDir, port = 0, settings }: BkashServerOptions): Promise<RunningHost> {
  return startHost({
    host: '127.0.0.1',
    port,
    dataDir,
    mount: async (parts) => [
      await createBkashSimulator({
        ...parts,
        merchants: parseMerchants(defaultMerchants),
        ...(settings ? { settings } : {}),
      }),
    ],
  });
}
