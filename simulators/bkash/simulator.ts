import { join } from 'node:path';
import { Router } from '@koa/router';
import { openGateway } from '../kit/gateway.ts';
import type { GatewayOptions } from '../kit/gateway.ts';
import type { Simulator } from '../kit/host.ts';
import { checkoutRoutes } from './checkout.ts';
import { createPayoutDesk } from '../kit/payouts/desk.ts';
import { controlRoutes } from './control.ts';
import { recordCharge, recordRefund } from './gateway.ts';
import type { Gateway } from './gateway.ts';
import { merchantRoutes } from './merchant-api.ts';
import type { Merchant } from './merchants.ts';
import { createNotices } from './notices.ts';
import { payoutSource } from './payouts.ts';
import type { Settings } from './settings.ts';
import { clearState, createState } from './state.ts';

export type BkashOptions = GatewayOptions<Settings> & {
  merchants: readonly Merchant[];
};

/** Creates the bKash tokenized checkout on the same paths as the real one, so that a client's base URL is the host's origin. */
export async function createBkashSimulator(options: BkashOptions): Promise<Simulator> {
  const { core, reset, close } = await openGateway(options, { name: 'bkash', state: createState(), clear: clearState });
  const { dataDir, publicUrl, closing, merchants } = options;
  const notices = await createNotices({ folder: join(dataDir, 'bkash'), state: core.state, publicUrl, closing });
  const gateway: Gateway = { ...core, merchants, notify: notices.send };
  for (const payment of gateway.state.payments.values()) {
    recordCharge(gateway, payment);
  }
  for (const refund of gateway.state.refunds.values()) {
    recordRefund(gateway, refund);
  }
  const desk = createPayoutDesk(gateway, { source: payoutSource, owners: merchants.map(({ username }) => username) });
  const router = new Router();
  merchantRoutes(router, gateway);
  checkoutRoutes(router, gateway);
  controlRoutes(router, { gateway, notices, desk });
  return {
    name: 'bkash',
    router,
    desk,
    reset,
    async close() {
      await notices.idle();
      await close();
    },
  };
}
