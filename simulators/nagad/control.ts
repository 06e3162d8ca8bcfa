import type { Router } from '@koa/router';
import { actionRoutes, commonControlRoutes, ownerNamed } from '../kit/control.ts';
import { BodyError } from '../kit/form-body.ts';
import { payoutRoutes } from '../kit/payouts/control.ts';
import type { PayoutDesk } from '../kit/payouts/desk.ts';
import { parseScript, parseSettings } from './control-input.ts';
import { finishOrder, ordersOf } from './gateway.ts';
import type { Gateway } from './gateway.ts';
import { payoutColumns } from './payouts.ts';
import { endings, scriptTable } from './scripts.ts';
import type { Order } from './state.ts';

const base = '/__sim/nagad';
const idOf = ({ id }: { id: string }): string => id;

/** Registers the control API, which tests and proofs use; ordinary payments never need it. Every change is a JSON request. */
export function controlRoutes(router: Router, gateway: Gateway, desk: PayoutDesk): void {
  commonControlRoutes(router, {
    base,
    gateway,
    scriptTable,
    parseScript,
    parseSettings,
    countedAs: 'orders',
    ownerIn: (body) => ({
      merchantId: ownerNamed(gateway.merchants, { idOf, id: body['merchantId'], member: 'merchantId' }).id,
    }),
  });
  actionRoutes(router, {
    path: `${base}/orders`,
    called: 'order',
    find: (reference) => findOrders(gateway, reference),
    described: (order) => order,
    actions: {
      script: (order, body) =>
        gateway.record({ type: 'order_script', ref: order.ref, script: parseScript(body['script']) }),
      finish: (order, body) => finishNow(gateway, { order, status: body['status'] ?? 'Success' }),
      expire: (order) => finishOrder(gateway, { order, status: 'Aborted', message: 'The payment window is over' }),
    },
    settled: () => gateway.settled(),
  });
  payoutRoutes(router, { base, desk, charges: gateway.charges, ownerMember: 'merchantId', columns: payoutColumns });
}

function finishNow(gateway: Gateway, { order, status }: { order: Order; status: unknown }): void {
  const ending = endings.find((one) => one === status);
  if (!ending || !order.purchase) {
    throw new BodyError(400, `status is one of ${endings.join(', ')}, of an order that was completed`);
  }
  finishOrder(gateway, { order, status: ending });
}

function findOrders(gateway: Gateway, reference: string): Order[] {
  const byRef = gateway.state.orders.get(reference);
  return byRef
    ? [byRef]
    : gateway.merchants.flatMap(({ id }) => ordersOf(gateway, { merchantId: id, orderId: reference }));
}
