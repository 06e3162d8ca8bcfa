import { Router } from '@koa/router';
import { openGateway } from '../kit/gateway.ts';
import type { GatewayOptions } from '../kit/gateway.ts';
import type { Simulator } from '../kit/host.ts';
import { checkoutRoutes } from './checkout.ts';
import { createPayoutDesk } from '../kit/payouts/desk.ts';
import { controlRoutes } from './control.ts';
import { advanceIfDue, recordCharge } from './gateway.ts';
import type { Gateway } from './gateway.ts';
import { openKeys, readOrMakeKeys } from './keys.ts';
import { merchantRoutes } from './merchant-api.ts';
import type { Merchant } from './merchants.ts';
import { payoutSource } from './payouts.ts';
import type { Settings } from './settings.ts';
import { clearState, createState } from './state.ts';

const sweepMs = 500;

export type NagadOptions = GatewayOptions<Settings> & {
  merchants: readonly Merchant[];
};

/** Creates Nagad on the paths of its sandbox and of its live host, so that only the host in a client's base URL changes. */
export async function createNagadSimulator(options: NagadOptions): Promise<Simulator> {
  const keys = openKeys(await readOrMakeKeys(options.dataDir, options.merchants), options.merchants);
  const { core, reset, close } = await openGateway(options, { name: 'nagad', state: createState(), clear: clearState });
  const gateway: Gateway = { ...core, merchants: options.merchants, keys };
  for (const order of gateway.state.orders.values()) {
    recordCharge(gateway, order);
  }
  const sweep = setInterval(() => sweepOnce(gateway), sweepMs);

  const desk = createPayoutDesk(gateway, { source: payoutSource, owners: options.merchants.map(({ id }) => id) });
  const router = new Router();
  merchantRoutes(router, gateway);
  checkoutRoutes(router, gateway);
  controlRoutes(router, gateway, desk);
  return {
    name: 'nagad',
    router,
    desk,
    reset,
    async close() {
      clearInterval(sweep);
      await close();
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
