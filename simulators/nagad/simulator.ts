import { join } from 'node:path';
import { Router } from '@koa/router';
import { openDurableLog } from '../durable-log.ts';
import type { HostParts, Simulator } from '../host.ts';
import { checkoutRoutes } from './checkout.ts';
import { controlRoutes } from './control.ts';
import { advanceIfDue, recordCharge } from './gateway.ts';
import type { Gateway } from './gateway.ts';
import { openKeys, readOrMakeKeys } from './keys.ts';
import { merchantRoutes } from './merchant-api.ts';
import type { Merchant } from './merchants.ts';
import type { Settings } from './settings.ts';
import { clearState, createState } from './state.ts';
import type { Entry } from './state.ts';

const sweepMs = 500;

export type NagadOptions = HostParts & {
  merchants: readonly Merchant[];
  /** Overrides the settings in the journal. */
  settings?: Partial<Settings>;
};

/** Creates Nagad on the paths of its sandbox and of its live host, so that only the host in a client's base URL changes. */
export async function createNagadSimulator(options: NagadOptions): Promise<Simulator> {
  const keys = openKeys(await readOrMakeKeys(options.dataDir, options.merchants), options.merchants);
  const { log: journal, entries } = await openDurableLog<Entry>(join(options.dataDir, 'nagad', 'journal.jsonl'));
  const state = createState();
  entries.forEach(state.apply);
  const record = (entry: Entry): void => {
    journal.append(entry);
    state.apply(entry);
  };
  const gateway: Gateway = {
    state,
    merchants: options.merchants,
    keys,
    publicUrl: options.publicUrl,
    charges: options.charges,
    closing: options.closing,
    record,
    settled: async () => {
      // The journal first: after a crash, lines missing from the charge log are restored from it.
      await journal.settled();
      await options.charges.settled();
    },
  };
  if (options.settings) {
    record({ type: 'settings', settings: options.settings });
  }
  for (const order of state.orders.values()) {
    recordCharge(gateway, order);
  }
  const sweep = setInterval(() => sweepOnce(gateway), sweepMs);

  const router = new Router();
  merchantRoutes(router, gateway);
  checkoutRoutes(router, gateway);
  controlRoutes(router, gateway);
  return {
    name: 'nagad',
    router,
    async reset(suffix) {
      await journal.rotate(suffix);
      clearState(state);
    },
    async close() {
      clearInterval(sweep);
      await journal.close();
    },
  };
}

function sweepOnce(gateway: Gateway): void {
  for (const ref of gateway.state.open) {
    const order = gateway.state.orders.get(ref);
    if (order) {
      advanceIfDue(gateway, order);
    }
  }
  // A failed write shows at the next answer. The sweep itself has no caller to report it to.
  gateway.settled().catch(() => undefined);
}
