import type { RunningHost } from '../kit/host.ts';
import { startAlone } from '../kit/server.ts';
import type { ServerOptions } from '../kit/server.ts';
import { defaultMerchants, parseMerchants } from './merchants.ts';
import type { Merchant } from './merchants.ts';
import type { Settings } from './settings.ts';
import { createNagadSimulator } from './simulator.ts';

export type NagadServerOptions = ServerOptions & { merchants?: readonly Merchant[]; settings?: Partial<Settings> };

/** Starts only the Nagad simulator, inside this process, for tests. */
export function startNagadSimulator({
  merchants = parseMerchants(defaultMerchants),
  settings = {},
  ...options
}: NagadServerOptions): Promise<RunningHost> {
  return startAlone(options, (parts) => createNagadSimulator({ ...parts, merchants, settings }));
}
