import type { Config } from '../runtime/config.ts';
import type { HttpClient } from '../runtime/http-client.ts';
import type { Mode } from '../domain/mode.ts';
import type { Gateway, GatewayCapabilities, GatewayRegistry } from './port.ts';
import { createSslcommerzGateway, SSLCOMMERZ_CAPABILITIES } from './sslcommerz/gateway.ts';

const CAPABILITIES: ReadonlyMap<string, GatewayCapabilities> = new Map([
  [SSLCOMMERZ_CAPABILITIES.name, SSLCOMMERZ_CAPABILITIES],
]);

/** The gateway of a payment that names none. */
export const DEFAULT_GATEWAY = SSLCOMMERZ_CAPABILITIES.name;

export function createGatewayRegistry(config: Pick<Config, 'sslcommerz'>, http: HttpClient): GatewayRegistry {
  const gateways = new Map<string, Gateway>();
  for (const [mode, store] of config.sslcommerz) {
    gateways.set(slot(SSLCOMMERZ_CAPABILITIES.name, mode), createSslcommerzGateway({ ...store, http }));
  }
  return {
    get: (name, mode) => gateways.get(slot(name, mode)),
    capabilities: (name) => CAPABILITIES.get(name),
  };
}

function slot(name: string, mode: Mode): string {
  return `${name} ${mode}`;
}
