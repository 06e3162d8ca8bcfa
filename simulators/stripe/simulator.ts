import { Router } from '@koa/router';
import { openGateway } from '../kit/gateway.ts';
import type { GatewayOptions } from '../kit/gateway.ts';
import type { Simulator } from '../kit/host.ts';
import type { Account } from './accounts.ts';
import { checkoutRoutes } from './checkout.ts';
import { controlRoutes } from './control.ts';
import { createPayoutDesk } from '../kit/payouts/desk.ts';
import { createCourier, makeAccountEvent, makeEvent } from './events.ts';
import { passTime, recordCharge, recordRefund } from './gateway.ts';
import type { Gateway } from './gateway.ts';
import { merchantRoutes, refundsOf } from './merchant-api.ts';
import { payoutSourceOf } from './payouts.ts';
import type { Settings } from './settings.ts';
import { clearState, createState } from './state.ts';

export type StripeOptions = GatewayOptions<Settings> & {
  accounts: readonly Account[];
};

/** How often to check for what time alone causes and for deliveries to repeat. */
const tickMs = 100;

/** Creates Stripe Checkout on the same paths as the real API, so that a client's base URL is the host's origin. */
export async function createStripeSimulator(options: StripeOptions): Promise<Simulator> {
  const { core, reset, close } = await openGateway(options, {
    name: 'stripe',
    state: createState(),
    clear: clearState,
  });
  const { state } = core;
  const desk = createPayoutDesk(core, { source: payoutSourceOf(state), owners: options.accounts.map(({ id }) => id) });
  const gateway: Gateway = {
    ...core,
    desk,
    accounts: options.accounts,
    inProgress: new Set(),
    tell(type, session, refund) {
      gateway.record({ type: 'event', event: makeEvent(gateway, { type, session, refund }) });
    },
    tellAccount(account, type, object) {
      gateway.record({ type: 'event', event: makeAccountEvent(gateway, { account, type, object }) });
    },
    refundedOf: (session) =>
      refundsOf(gateway, session)
        .filter(({ status }) => status !== 'failed')
        .reduce((sum, { amount }) => sum + amount, 0),
  };
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
    desk,
    reset,
    async close() {
      clearInterval(clock);
      await courier.idle();
      await close();
    },
  };
}
