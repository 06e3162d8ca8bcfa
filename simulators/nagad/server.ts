import { startHost } from '../host.ts';
import type { RunningHost } from '../host.ts';
import { defaultMerchants, parseMerchants } from './merchants.ts';
import type { Merchant } from './merchants.ts';
import type { Settings } from './settings.ts';
import { createNagadSimulator } from './simulator.ts';

export type NagadServerOptions = {
  /** Default 0, which picks a free port. */
  port?: number;
  host?: string;
  publicUrl?: string;
  dataDir: string;
  merchants?: readonly Merchant[];
  settings?: Partial<Settings>;
};

/** Starts only the Nagad simulator, inside this process, for tests. */
export function startNagadSimulator(options: NagadServerOptions): Promise<RunningHost> {
  return startHost({
    host: options.host ?? '127.0.0.1',
    port: options.port ?? 0,
    dataDir: options.dataDir,
    ...(options.publicUrl === undefined ? {} : { publicUrl: options.publicUrl }),
    mount: async (parts) => [
      await createNagadSimulator({
        ...parts,
        merchants: options.merchants ?? parseMerchants(defaultMerchants),
        ...(options.settings ? { settings: options.settings } : {}),
      }),
    ],
  });
}
