import type { Mode } from '../domain/mode.ts';
import { describeError, type Logger } from '../runtime/logger.ts';
import type { Gateway, GatewayRegistry, Store } from './port.ts';

export interface StoreAt {
  readonly gateway: string;
  readonly mode: Mode;
  readonly store: Store;
}

/**
 * Opens a gateway to read a callback. If the store's secret cannot be opened, it raises an alert and returns undefined: the callback stays unchecked
 * and does not block others.
 */
export function openOrAlert(
  { gateways, log }: { readonly gateways: GatewayRegistry; readonly log: Logger },
  { gateway, mode, store }: StoreAt,
): Gateway | undefined {
  try {
    return gateways.open(gateway, mode, store);
  } catch (error) {
    log.error(
      { gateway, mode, store: store.storeId, alert: 'store-secret-unreadable', error: describeError(error) },
      'callback not checked: the store’s secret cannot be decrypted',
    );
    return undefined;
  }
}
