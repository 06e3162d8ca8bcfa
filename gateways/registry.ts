import type { Mode } from '../domain/mode.ts';
import type { Config } from '../runtime/config.ts';
import type { HttpClient } from '../runtime/http-client.ts';
import type { SecretBox } from '../runtime/secrets.ts';
import { GatewayFailure, type GatewayRegistry, type Store } from './port.ts';
import { attemptNamedIn } from './sslcommerz/callback.ts';
import { createSslcommerzGateway, SSLCOMMERZ_CAPABILITIES } from './sslcommerz/gateway.ts';

/** Every gateway that there is an adapter for. */
export const GATEWAY_NAMES = [SSLCOMMERZ_CAPABILITIES.name];

/** The gateway of a payment that names none. */
export const DEFAULT_GATEWAY = SSLCOMMERZ_CAPABILITIES.name;

export interface RegistryParts {
  readonly config: Pick<Config, 'sslcommerz'>;
  readonly http: HttpClient;
  readonly secrets: Pick<SecretBox, 'open'>;
}

/** Whoever needs the store waits until its key is back: nothing was asked, and nothing is decided. */
function opened(secrets: Pick<SecretBox, 'open'>, sealedSecret: string): string {
  try {
    return secrets.open(sealedSecret);
  } catch (cause) {
    throw new GatewayFailure('unauthorized', 'the secret of the store cannot be opened', { cause });
  }
}

export function createGatewayRegistry({ config, http, secrets }: RegistryParts): GatewayRegistry {
  const accountOf = (name: string, mode: Mode) =>
    name === SSLCOMMERZ_CAPABILITIES.name ? config.sslcommerz.get(mode) : undefined;
  const passwordOf = (name: string, mode: Mode, { storeId, sealedSecret }: Store): string | undefined => {
    if (sealedSecret !== null) {
      return opened(secrets, sealedSecret);
    }
    const store = accountOf(name, mode)?.store;
    return store?.id === storeId ? store.password : undefined;
  };
  return {
    names: GATEWAY_NAMES,
    capabilities: (name) => (name === SSLCOMMERZ_CAPABILITIES.name ? SSLCOMMERZ_CAPABILITIES : undefined),
    open(name, mode, store) {
      const account = accountOf(name, mode);
      const storePassword = passwordOf(name, mode, store);
      return account === undefined || storePassword === undefined
        ? undefined
        : createSslcommerzGateway({ baseUrl: account.baseUrl, storeId: store.storeId, storePassword, http });
    },
    defaultStoreId: (name, mode) => accountOf(name, mode)?.store?.id,
    pageOrigin: (name, mode) => accountOf(name, mode)?.baseUrl,
    attemptNamedIn: (name, rawBody) => (name === SSLCOMMERZ_CAPABILITIES.name ? attemptNamedIn(rawBody) : null),
  };
}
