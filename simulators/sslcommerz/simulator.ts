import { Router } from '@koa/router';
import { openGateway } from '../kit/gateway.ts';
import type { GatewayOptions } from '../kit/gateway.ts';
import type { Simulator } from '../kit/host.ts';
import { checkoutRoutes } from './checkout.ts';
import { controlRoutes } from './control.ts';
import { createPayoutDesk } from '../kit/payouts/desk.ts';
import { createCourier } from './courier.ts';
import { expireIfDue, isNotStarted, recordCharge, recordRefund } from './gateway.ts';
import type { Gateway } from './gateway.ts';
import { merchantRoutes } from './merchant-api.ts';
import { payoutSource } from './payouts.ts';
import { endDueRefunds } from './refunds.ts';
import { settlementRoutes } from './settlement-records.ts';
import type { Settings } from './settings.ts';
import { clearState, createState } from './state.ts';
import type { Store } from './stores.ts';

const sweepMs = 500;

export type SslcommerzOptions = GatewayOptions<Settings> & {
  stores: readonly Store[];
};

/** Creates SSLCOMMERZ on the same paths as the real one, so that a client's base URL is the host's origin. */
export async function createSslcommerzSimulator(options: SslcommerzOptions): Promise<Simulator> {
  const { core, reset, close } = await openGateway(options, {
    name: 'sslcommerz',
    state: createState(),
    clear: clearState,
  });
  const gateway: Gateway = { ...core, stores: options.stores, notify: (session) => courier.enqueue(session) };
  const courier = createCourier(gateway);
  completeAfterCrash(gateway);
  courier.wake();
  const sweep = setInterval(() => sweepOnce(gateway), sweepMs);

  const router = new Router();
  const desk = createPayoutDesk(gateway, { source: payoutSource, owners: options.stores.map(({ id }) => id) });
  merchantRoutes(router, gateway);
  settlementRoutes(router, gateway, desk);
  checkoutRoutes(router, { gateway, courier });
  controlRoutes(router, { gateway, courier, desk });
  return {
    name: 'sslcommerz',
    router,
    desk,
    reset,
    async close() {
      clearInterval(sweep);
      await courier.idle();
      await close();
    },
  };
}

/** A crash may fall between the journal entries of one outcome. This restores the missing consequences once. */
function completeAfterCrash(gateway: Gateway): void {
  const { state } = gateway;
  for (const session of state.sessions.values()) {
    recordCharge(gateway, session.key);
    if (session.outcome && !isNotStarted(session) && !state.deliveriesBySession.has(session.key)) {
      gateway.notify(session);
    }
  }
  for (const refund of state.refunds.values()) {
    recordRefund(gateway, refund);
  }
}

function sweepOnce(gateway: Gateway): void {
  for (const key of gateway.state.open) {
    const session = gateway.state.sessions.get(key);
    if (session) {
      expireIfDue(gateway, session);
    }
  }
  endDueRefunds(gateway);
  // A failed write shows at the next answer. The sweep itself has no caller to report it to.
  gateway.settled().catch(() => undefined);
}
