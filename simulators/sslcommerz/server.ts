import type { RunningHost } from '../kit/host.ts';
import { startAlone } from '../kit/server.ts';
import type { ServerOptions } from '../kit/server.ts';
import type { Settings } from './settings.ts';
import { createSslcommerzSimulator } from './simulator.ts';
import { defaultStores, parseStores } from './stores.ts';
import type { Store } from './stores.ts';

export type SslcommerzServerOptions = ServerOptions & { stores?: readonly Store[]; settings?: Partial<Settings> };

/** Starts only the SSLCOMMERZ simulator, inside this process, for tests. */
export function startSslcommerzSimulator({
  stores = parseStores(defaultStores),
  settings = {},
  ...options
}: SslcommerzServerOptions): Promise<RunningHost> {
  return startAlone(options, (parts) => createSslcommerzSimulator({ ...parts, stores, settings }));
}
