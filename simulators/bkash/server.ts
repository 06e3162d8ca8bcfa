import type { RunningHost } from '../kit/host.ts';
import { startAlone } from '../kit/server.ts';
import type { ServerOptions } from '../kit/server.ts';
import { defaultMerchants, parseMerchants } from './merchants.ts';
import type { Settings } from './settings.ts';
import { createBkashSimulator } from './simulator.ts';

export type BkashServerOptions = ServerOptions & { settings?: Partial<Settings> };

/** Starts only the bKash simulator, inside this process, for tests. */
export function startBkashSimulator({ settings = {}, ...options }: BkashServerOptions): Promise<RunningHost> {
  const merchants = parseMerchants(defaultMerchants);
  return startAlone(options, (parts) => createBkashSimulator({ ...parts, merchants, settings }));
}
