import { startHost } from '../host.ts';
import type { RunningHost } from '../host.ts';
import { defaultAccounts, parseAccounts } from './accounts.ts';
import type { Settings } from './settings.ts';
import { createStripeSimulator } from './simulator.ts';

export type StripeServerOptions = { dataDir: string; port?: number; accounts?: string; settings?: Partial<Settings> };

/** Starts only the Stripe simulator, inside this process, for tests. */
export function startStripeSimulator({
  dataDir,
  port = 0,
  accounts,
  settings,
}: StripeServerOptions): Promise<RunningHost> {
  return startHost({
    host: '127.0.0.1',
    port,
    dataDir,
    mount: async (parts) => [
      await createStripeSimulator({
        ...parts,
        accounts: parseAccounts(accounts ?? defaultAccounts),
        ...(settings ? { settings } : {}),
      }),
    ],
  });
}
