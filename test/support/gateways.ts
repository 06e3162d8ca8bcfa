import type { GatewayCapabilities, GatewayRegistry } from '../../gateways/port.ts';
import { BKASH_CAPABILITIES } from '../../gateways/bkash/gateway.ts';
import { STRIPE_CAPABILITIES } from '../../gateways/stripe/gateway.ts';
import { SSLCOMMERZ_CAPABILITIES } from '../../gateways/sslcommerz/gateway.ts';

const KNOWN: ReadonlyMap<string, GatewayCapabilities> = new Map([
  [SSLCOMMERZ_CAPABILITIES.name, SSLCOMMERZ_CAPABILITIES],
  [BKASH_CAPABILITIES.name, BKASH_CAPABILITIES],
  [STRIPE_CAPABILITIES.name, STRIPE_CAPABILITIES],
  ['one-refund', { ...SSLCOMMERZ_CAPABILITIES, name: 'one-refund', refundsPerPaymentMax: 1, refundWindowDays: 15 }],
  ['no-refunds', { ...SSLCOMMERZ_CAPABILITIES, name: 'no-refunds', refunds: false }],
]);

/** A gateway that takes one refund of a payment within 15 days. No payment can begin there. */
export const ONE_REFUND = 'one-refund';

/** A gateway without refunds. No payment can begin there. */
export const NO_REFUNDS = 'no-refunds';

/** Returns a registry of known gateways, each with a store of the environment. A test passes the parts that it uses. */
export function registryOf(parts: Partial<GatewayRegistry> = {}): GatewayRegistry {
  return {
    names: [SSLCOMMERZ_CAPABILITIES.name],
    capabilities: (name) => KNOWN.get(name),
    open: () => undefined,
    defaultStoreId: () => 'teststore',
    pageOrigin: (name) => `https://${name === SSLCOMMERZ_CAPABILITIES.name ? 'gateway' : name}.example`,
    attemptNamedIn: () => null,
    ...parts,
  };
}
