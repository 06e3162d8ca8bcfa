import { randomUUID } from 'node:crypto';
import type { Router } from '@koa/router';
import type { Context } from 'koa';
import { BodyError, readJsonObject } from '../form-body.ts';
import { parseScript, parseSettings } from './control-input.ts';
import { finishOrder, ordersOf } from './gateway.ts';
import type { Gateway } from './gateway.ts';
import { endings, scriptTable } from './scripts.ts';
import type { Order } from './state.ts';

const queuedOrdersMax = 10_000;

/** Registers the control API, which tests and proofs use; ordinary payments never need it. Every change is a JSON request. */
export function controlRoutes(router: Router, gateway: Gateway): void {
  router.get('/__sim/nagad/config', (ctx) => {
    ctx.body = gateway.state.settings;
  });
  router.put('/__sim/nagad/config', async (ctx) => {
    gateway.record({ type: 'settings', settings: parseSettings(await readJsonObject(ctx.req)) });
    await gateway.settled();
    ctx.body = gateway.state.settings;
  });
  router.get('/__sim/nagad/scripts', (ctx) => {
    ctx.body = { table: scriptTable, queued: [...gateway.state.queuedScripts.values()] };
  });
  router.post('/__sim/nagad/scripts', (ctx) => queueScript(ctx, gateway));
  router.get('/__sim/nagad/orders/:reference', (ctx) => {
    ctx.body = findOrders(ctx, gateway);
  });
  router.post('/__sim/nagad/orders/:reference/:action', (ctx) => actOnOrder(ctx, gateway));
}

async function queueScript(ctx: Context, gateway: Gateway): Promise<void> {
  const body = await readJsonObject(ctx.req);
  const { merchantId, orders = 1 } = body;
  const merchant = gateway.merchants.find((one) => one.id === (merchantId ?? gateway.merchants[0]?.id));
  if (!merchant) {
    throw new BodyError(400, 'merchantId names no merchant');
  }
  if (typeof orders !== 'number' || !Number.isInteger(orders) || orders < 1 || orders > queuedOrdersMax) {
    throw new BodyError(400, `orders is a whole number from 1 to ${queuedOrdersMax}`);
  }
  const queued = { id: randomUUID(), merchantId: merchant.id, script: parseScript(body['script']), left: orders };
  gateway.record({ type: 'script_queued', queued });
  await gateway.settled();
  ctx.status = 201;
  ctx.body = queued;
}

async function actOnOrder(ctx: Context, gateway: Gateway): Promise<void> {
  const body = await readJsonObject(ctx.req);
  const order = findOrders(ctx, gateway).at(-1);
  if (!order) {
    throw new BodyError(404, 'There is no such order');
  }
  switch (ctx['params']['action']) {
    case 'script':
      gateway.record({ type: 'order_script', ref: order.ref, script: parseScript(body['script']) });
      break;
    case 'finish':
      finishNow(gateway, { order, status: body['status'] ?? 'Success' });
      break;
    case 'expire':
      finishOrder(gateway, { order, status: 'Aborted', message: 'The payment window is over' });
      break;
    default:
      throw new BodyError(404, 'The actions are script, finish and expire');
  }
  await gateway.settled();
  ctx.body = order;
}

function finishNow(gateway: Gateway, { order, status }: { order: Order; status: unknown }): void {
  const ending = endings.find((one) => one === status);
  if (!ending || !order.purchase) {
    throw new BodyError(400, `status is one of ${endings.join(', ')}, of an order that was completed`);
  }
  finishOrder(gateway, { order, status: ending });
}

function findOrders(ctx: Context, gateway: Gateway): Order[] {
  const reference = String(ctx['params']['reference']);
  const byRef = gateway.state.orders.get(reference);
  return byRef
    ? [byRef]
    : gateway.merchants.flatMap(({ id }) => ordersOf(gateway, { merchantId: id, orderId: reference }));
}
