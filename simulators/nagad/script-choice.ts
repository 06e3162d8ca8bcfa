import type { Gateway } from './gateway.ts';
import { mergeScripts } from './scripts.ts';
import type { Script } from './scripts.ts';
import { orderKey } from './state.ts';

/**
 * Returns the script of a new order. The merchant's next queued script takes precedence over the configured default. A queued script stays with its
 * order id, so that a repeated call gets the same one.
 */
export function scriptForOrder(gateway: Gateway, of: { merchantId: string; orderId: string }): Script {
  return mergeScripts(gateway.state.settings.script, takeQueued(gateway, of) ?? {});
}

function takeQueued(gateway: Gateway, of: { merchantId: string; orderId: string }): Script | undefined {
  const { state } = gateway;
  const key = orderKey(of);
  if (!state.takenScripts.has(key)) {
    const next = [...state.queuedScripts.values()].find((queued) => queued.merchantId === of.merchantId);
    if (next) {
      gateway.record({ type: 'script_taken', id: next.id, ...of });
    }
  }
  return state.takenScripts.get(key);
}
