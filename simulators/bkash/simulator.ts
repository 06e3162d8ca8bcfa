import { join } from 'node:path';
import { Router } from '@koa/router';
import { openDurableLog } from '../durable-log.ts';
import type { HostParts, Simulator } from '../host.ts';
import { checkoutRoutes } from './checkout.ts';
import { controlRoutes } from './control.ts';
import { recordCharge, recordRefund } from './gateway.ts';
import type { Gateway } from './gateway.ts';
import { merchantRoutes } from './merchant-api.ts';
import type { Merchant } from './merchants.ts';
import { createNotices } from './notices.ts';
import type { Settings } from './settings.ts';
import { clearState, createState } from './state.ts';
import type { Entry } from './state.ts';

export type BkashOptions = HostParts & {
  merchants: readonly Merchant[];
  /** Overrides the settings in the journal. */
  settings?: Partial<Settings>;
};

/** Creates the bKash tokenized checkout on the same paths as the real one, so that a client's base URL is the host's origin. */
export async function createBkashSimulator(options: BkashOptions): Promise<Simulator> {
  const folder = join(options.dataDir, 'bkash');
  const { log: journal, entries } = await openDurableLog<Entry>(join(folder, 'journal.jsonl'));
  const state = createState();
  entries.forEach(state.apply);
  const notices = await createNotices({ folder, state, publicUrl: options.publicUrl, closing: options.closing });
  const gateway: Gateway = {
    state,
    merchants: options.merchants,
    publicUrl: options.publicUrl,
    charges: options.charges,
    closing: options.closing,
    record(entry) {
      journal.append(entry);
      state.apply(entry);
    },
    settled: async () => {
      // The journal first: after a crash, lines missing from the charge log are restored from it.
      await journal.settled();
      await options.charges.settled();
    },
    notify: notices.send,
  };
  if (options.settings) {
    gateway.record({ type: 'settings', settings: options.settings });
  }
  for (const payment of state.payments.values()) {
    recordCharge(gateway, payment);
  }
  for (const refund of state.refunds.values()) {
    recordRefund(gateway, refund);
  }
  const router = new Router();
  merchantRoutes(router, gateway);
  checkoutRoutes(router, gateway);
  controlRoutes(router, { gateway, notices });
  return {
    name: 'bkash',
    router,
    async reset(suffix) {
      await journal.rotate(suffix);
      clearState(state);
    },
    async close() {
      await notices.idle();
      await journal.close();
    },
  };
}
