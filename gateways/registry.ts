import type { Mode } from '../domain/mode.ts';
import type { Config } from '../runtime/config.ts';
import type { HttpClient } from '../runtime/http-client.ts';
import { storeSecretParts } from '../runtime/sealed-places.ts';
import type { SecretBox } from '../runtime/secrets.ts';
import { attemptNamedIn as attemptNamedInBkash } from './bkash/callback.ts';
import { BKASH_CAPABILITIES, createBkashGateway, createBkashShared } from './bkash/gateway.ts';
import type { Executions } from './bkash/executions.ts';
import type { TokenShelf } from './bkash/tokens.ts';
import type { ReadManual } from './manual/book.ts';
import { createManualGateway, MANUAL_CAPABILITIES } from './manual/gateway.ts';
import { createNagadGateway, NAGAD_CAPABILITIES, NAGAD_URLS } from './nagad/gateway.ts';
import { attemptNamedIn as attemptNamedInNagad } from './nagad/callback.ts';
import { GatewayFailure, type Gateway, type GatewayCapabilities, type GatewayRegistry, type Store } from './port.ts';
import { attemptNamedIn as attemptNamedInSslcommerz } from './sslcommerz/callback.ts';
import { createSslcommerzGateway, SSLCOMMERZ_CAPABILITIES } from './sslcommerz/gateway.ts';
import { attemptNamedIn as attemptNamedInStripe } from './stripe/callback.ts';
import { createStripeGateway, STRIPE_CAPABILITIES } from './stripe/gateway.ts';
import { pageOriginOf as stripePages } from './stripe/session.ts';

/** Every gateway with an adapter. */
export const GATEWAY_NAMES = [
  SSLCOMMERZ_CAPABILITIES.name,
  BKASH_CAPABILITIES.name,
  NAGAD_CAPABILITIES.name,
  STRIPE_CAPABILITIES.name,
  MANUAL_CAPABILITIES.name,
];

/** The gateway of a payment that names none. */
export const DEFAULT_GATEWAY = SSLCOMMERZ_CAPABILITIES.name;

export interface RegistryParts {
  readonly config: Pick<Config, 'sslcommerz' | 'bkash' | 'nagad' | 'stripe'>;
  readonly http: HttpClient;
  readonly secrets: Pick<SecretBox, 'open'>;
  /** Storage of bKash's tokens, shared by all processes. */
  readonly bkashTokens: TokenShelf;
  /** Records of executions at bKash, shared by all processes. */
  readonly bkashExecutions: Executions;
  /** Reads payers' submissions and operators' decisions on them. */
  readonly readManual: ReadManual;
}

/** A gateway in one mode: its URL and the store from the environment. */
interface Account {
  readonly baseUrl: string;
  readonly store: { readonly id: string; readonly secret: string } | null;
  /** Null if payers use only our page. */
  readonly pageOrigin: string | null;
}

/** One adapter, as the registry sees it. A new gateway adds one. */
interface Adapter {
  readonly capabilities: GatewayCapabilities;
  account(mode: Mode): Account | undefined;
  open(options: {
    readonly baseUrl: string;
    readonly mode: Mode;
    readonly storeId: string;
    readonly secret: string;
  }): Gateway;
  attemptNamedIn(rawBody: string): string | null;
}

export function createGatewayRegistry(parts: RegistryParts): GatewayRegistry {
  const adapters = new Map(
    [sslcommerz(parts), bkash(parts), nagad(parts), stripe(parts), manual(parts)].map((adapter) => [
      adapter.capabilities.name,
      adapter,
    ]),
  );
  const accountOf = (name: string, mode: Mode): Account | undefined => adapters.get(name)?.account(mode);
  const secretOf = (account: Account, { storeId, sealedSecret }: Store): string | undefined => {
    if (sealedSecret !== null) {
      return opened(parts.secrets, sealedSecret);
    }
    return account.store?.id === storeId ? account.store.secret : undefined;
  };
  return {
    names: GATEWAY_NAMES,
    capabilities: (name) => adapters.get(name)?.capabilities,
    open(name, mode, store) {
      const account = accountOf(name, mode);
      const secret = account === undefined ? undefined : secretOf(account, store);
      return account === undefined || secret === undefined
        ? undefined
        : adapters.get(name)?.open({ baseUrl: account.baseUrl, mode, storeId: store.storeId, secret });
    },
    defaultStoreId: (name, mode) => accountOf(name, mode)?.store?.id,
    pageOrigin: (name, mode) => accountOf(name, mode)?.pageOrigin ?? undefined,
    attemptNamedIn: (name, rawBody) => adapters.get(name)?.attemptNamedIn(rawBody) ?? null,
  };
}

/** If the secret cannot be opened, the caller has to wait until its key is back: nothing was queried and nothing is decided. */
function opened(secrets: Pick<SecretBox, 'open'>, sealedSecret: string): string {
  try {
    const { sealed, place } = storeSecretParts(sealedSecret);
    return secrets.open(sealed, place);
  } catch (cause) {
    throw new GatewayFailure('unauthorized', 'the store’s secret cannot be decrypted', { cause });
  }
}

function sslcommerz({ config, http }: RegistryParts): Adapter {
  return {
    capabilities: SSLCOMMERZ_CAPABILITIES,
    account(mode) {
      const account = config.sslcommerz.get(mode);
      return account === undefined
        ? undefined
        : {
            baseUrl: account.baseUrl,
            store: account.store === null ? null : { id: account.store.id, secret: account.store.password },
            pageOrigin: account.baseUrl,
          };
    },
    open: ({ baseUrl, storeId, secret }) => createSslcommerzGateway({ baseUrl, storeId, storePassword: secret, http }),
    attemptNamedIn: attemptNamedInSslcommerz,
  };
}

/** bKash serves its pages from hosts of their own. */
const BKASH_PAGES: ReadonlyMap<string, string> = new Map([
  ['https://tokenized.sandbox.bka.sh', 'https://sandbox.payment.bkash.com'],
  ['https://tokenized.pay.bka.sh', 'https://payment.bkash.com'],
]);

function bkash({ config, http, bkashTokens, bkashExecutions }: RegistryParts): Adapter {
  const shared = createBkashShared({ http, shelf: bkashTokens, executions: bkashExecutions });
  return {
    capabilities: BKASH_CAPABILITIES,
    account(mode) {
      const account = config.bkash.get(mode);
      return account === undefined
        ? undefined
        : { ...account, pageOrigin: BKASH_PAGES.get(account.baseUrl) ?? account.baseUrl };
    },
    open: ({ baseUrl, storeId, secret }) => createBkashGateway({ baseUrl, storeId, secret, http, shared }),
    attemptNamedIn: attemptNamedInBkash,
  };
}

/** Nagad's page has its own port or host; a simulator's page is at the origin of its API. */
function nagad({ config, http }: RegistryParts): Adapter {
  return {
    capabilities: NAGAD_CAPABILITIES,
    account(mode) {
      const account = config.nagad.get(mode);
      if (account === undefined) {
        return undefined;
      }
      const { store, baseUrl } = account;
      return baseUrl === null || baseUrl === NAGAD_URLS[mode].baseUrl
        ? { ...NAGAD_URLS[mode], store }
        : { baseUrl, pageOrigin: new URL(baseUrl).origin, store };
    },
    open: ({ baseUrl, storeId, secret }) => createNagadGateway({ baseUrl, storeId, secret, http }),
    attemptNamedIn: attemptNamedInNagad,
  };
}

/** Manual stores are created by operators only; none comes from the environment. */
function manual({ readManual }: RegistryParts): Adapter {
  return {
    capabilities: MANUAL_CAPABILITIES,
    account: () => ({ baseUrl: '', store: null, pageOrigin: null }),
    open: ({ storeId, secret }) => createManualGateway({ storeId, secret, read: readManual }),
    attemptNamedIn: () => null,
  };
}

function stripe({ config, http }: RegistryParts): Adapter {
  return {
    capabilities: STRIPE_CAPABILITIES,
    account(mode) {
      const account = config.stripe.get(mode);
      return account === undefined ? undefined : { ...account, pageOrigin: stripePages(account.baseUrl) };
    },
    open: ({ baseUrl, mode, storeId, secret }) => createStripeGateway({ baseUrl, mode, storeId, secret, http }),
    attemptNamedIn: attemptNamedInStripe,
  };
}
