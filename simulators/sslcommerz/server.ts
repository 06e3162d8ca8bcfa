import { startHost } from '../host.ts';
import type { RunningHost } from '../host.ts';
import type { Settings } from './settings.ts';
import { createSslcommerzSimulator } from './simulator.ts';
import { defaultStores, parseStores } from './stores.ts';
import type { Store } from './stores.ts';

export type SslcommerzServerOptions = {
  /** Default 0, which picks a free port. */
  port?: number;
  host?: string;
  publicUrl?: string;
  dataDir: string;
  stores?: readonly Store[];
  settings?: Partial<Settings>;
};

/** Starts only the SSLCOMMERZ simulator, inside this process, for tests. */
export function startSslcommerzSimulator(options: SslcommerzServerOptions): Promise<RunningHost> {
  return startHost({
    host: options.host ?? '127.0.0.1',
    port: options.port ?? 0,
    dataDir: options.dataDir,
    ...(options.publicUrl === undefined ? {} : { publicUrl: options.publicUrl }),
    mount: async (parts) => [
      await createSslcommerzSimulator({
        ...parts,
        stores: options.stores ?? parseStores(defaultStores),
        ...(options.settings ? { settings: options.settings } : {}),
      }),
    ],
  });
}
