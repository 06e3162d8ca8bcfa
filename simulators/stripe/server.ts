import type { RunningHost } from '../kit/host.ts';
import { startAlone } from '../kit/server.ts';
import type { ServerOptions } from '../kit/server.ts';
import { defaultAccounts, parseAccounts } from './accounts.ts';
import type { Settings } from './settings.ts';
import { createStripeSimulator } from './simulator.ts';

export type StripeServerOptions = ServerOptions & { accounts?: string; settings?: Partial<Settings> };

/** Starts only the Stripe simulator, inside this process, for tests. */
export function startStripeSimulator({
  accounts = defaultAccounts,
  settings = {},
  ...options
}: StripeServerOptions): Promise<RunningHost> {
  return startAlone(options, (parts) =>
    createStripeSimulator({ ...parts, accounts: parseAccounts(accounts), settings }),
  );
}
