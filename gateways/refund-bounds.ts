import { WITHOUT_REFUND_BOUNDS, type RefundBoundsOf } from '../domain/refund.ts';
import type { GatewayRegistry } from './port.ts';

/** The bounds that gateways publish, by their names; none for one that is not known any more. */
export function refundBoundsIn(gateways: Pick<GatewayRegistry, 'capabilities'>): RefundBoundsOf {
  return (name) => gateways.capabilities(name) ?? WITHOUT_REFUND_BOUNDS;
}
