import type { GatewayRegistry } from '../../gateways/port.ts';
import { SSLCOMMERZ_CAPABILITIES } from '../../gateways/sslcommerz/gateway.ts';

/** One known gateway with a store of the environment; what a test does not name it does not use. */
export function registryOf(parts: Partial<GatewayRegistry> = {}): GatewayRegistry {
  return {
    names: [SSLCOMMERZ_CAPABILITIES.name],
    capabilities: (name) => (name === SSLCOMMERZ_CAPABILITIES.name ? SSLCOMMERZ_CAPABILITIES : undefined),
    open: () => undefined,
    defaultStoreId: () => 'teststore',
    pageOrigin: () => 'https://gateway.example',
    attemptNamedIn: () => null,
    ...parts,
  };
}
