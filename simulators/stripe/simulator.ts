import { join } from 'node:path';
import { Router } from '@koa/router';
import { openDurableLog } from '../durable-log.ts';
import type { HostParts, Simulator } from '../host.ts';
import type { Account } from './accounts.ts';
import { checkoutRoutes } from './checkout.ts';
import { controlRoutes } from './control.ts';
import { createCourier, makeEvent } from './events.ts';
import { passTime, recordCharge, recordRefund } from './gateway.ts';
import type { Gateway } from './gateway.ts';
import { merchantRoutes, refundsOf } from './merchant-api.ts';
import type { Settings } from './settings.ts';
import { clearState, createState } from './state.ts';
import type { Entry } from './state.ts';

export type StripeOptions = HostParts & {
  accounts: readonly Account[];
  /** Overrides the settings in the journal. */
  settings?: Partial<Settings>;
};

/** How often to check for what time alone causes and for deliveries to repeat. */
const tickMs = 100;

/** Creates Stripe Checkout on the same paths as the real API, so that a client's base URL is the host's origin. */
export async function createStripeSimulator(options: StripeOptions): Promise<Simulator> {
  const { log: journal, entries } = await openDurableLog<Entry>(join(options.dataDir, 'stripe', 'journal.jsonl'));
  const state = createState();
  entries.forEach(state.apply);
  const gateway: Gateway = {
    state,
    accounts: options.accounts,
    publicUrl: options.publicUrl,
    charges: options.charges,
    closing: options.closing,
    inProgress: new Set(),
    record(entry) {
      journal.append(entry);
      state.apply(entry);
    },
    settled: async () => {
      // The journal first: after a crash, lines missing from the charge log are restored from it.
      await journal.settled();
      await options.charges.settled();
    },
    tell(type, session, refund) {
      gateway.record({ type: 'event', event: makeEvent(gateway, { type, session, refund }) });
    },
    refundedOf: (session) =>
      refundsOf(gateway, session)
        .filter(({ status }) => status !== 'failed')
        .reduce((sum, { amount }) => sum + amount, 0),
  };
  if (options.settings) {
    gateway.record({ type: 'settings', settings: options.settings });
  }
  for (const session of state.sessions.values()) {
    recordCharge(gateway, session);
  }
  for (const refund of state.refunds.values()) {
    recordRefund(gateway, refund);
  }
  const courier = createCourier(gateway);
  const clock = setInterval(() => {
    passTime(gateway);
    courier.wake();
  }, tickMs);
  options.closing.addEventListener('abort', () => clearInterval(clock));
  const router = new Router();
  merchantRoutes(router, gateway);
  checkoutRoutes(router, { gateway, courier });
  controlRoutes(router, { gateway, courier });
  return {
    name: 'stripe',
    router,
    async reset(suffix) {
      await journal.rotate(suffix);
      clearState(state);
    },
    async close() {
      clearInterval(clock);
      await courier.idle();
      await journal.close();
    },
  };
}
