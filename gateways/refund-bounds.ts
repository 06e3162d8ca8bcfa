import { WITHOUT_REFUND_BOUNDS, type RefundBoundsOf } from '../domain/refund.ts';
import type { GatewayRegistry } from './port.ts';

/** Returns a lookup of refund bounds by gateway name. A name that is no longer known has no bounds. */
export function refundBoundsIn(gateways: Pick<GatewayRegistry, 'capabilities'>): RefundBoundsOf {
  return (name) => gateways.capabilities(name) ?? WITHOUT_REFUND_BOUNDS;
}
