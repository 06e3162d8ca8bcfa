import { merged } from '../kit/scripts.ts';
import { takeQueued } from '../kit/state.ts';
import type { Gateway } from './gateway.ts';
import type { Script } from './scripts.ts';
import { orderKey } from './state.ts';

/**
 * Returns the script of a new order. The merchant's next queued script takes precedence over the configured default. A queued script stays with its
 * order id, so that a repeated call gets the same one.
 */
export function scriptForOrder(gateway: Gateway, of: { merchantId: string; orderId: string }): Script {
  const queued = takeQueued(gateway.state, {
    key: orderKey(of),
    isOwner: ({ merchantId }) => merchantId === of.merchantId,
    take: (id) => gateway.record({ type: 'script_taken', id, ...of }),
  });
  return merged(gateway.state.settings.script, queued ?? {});
}
