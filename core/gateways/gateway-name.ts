import type { GatewayRegistry } from '../../gateways/port.ts';

/** Returns a gateway's name as payers know it; null while none is chosen. */
export function gatewayName(
  gateways: Pick<GatewayRegistry, 'capabilities'>,
  name: string | null | undefined,
): string | null {
  return typeof name === 'string' ? (gateways.capabilities(name)?.displayName ?? name) : null;
}
