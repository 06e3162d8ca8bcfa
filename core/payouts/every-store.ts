import type { Mode } from '../../domain/mode.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { storesAt } from './store/api-sources.ts';

export interface StoreToRead {
  /** Null: of the installation. */
  readonly applicationId: bigint | null;
  readonly storeId: string;
  readonly sealedSecret: string | null;
}

/** Returns every store at a gateway, also those that were replaced, and that of the environment. */
export async function everyStore(
  { database, gateways }: Pick<CoreDependencies, 'database' | 'gateways'>,
  { gateway, mode }: { readonly gateway: string; readonly mode: Mode },
): Promise<readonly StoreToRead[]> {
  const configured = await database.withSystem((em) => storesAt(em, { mode, gateway }));
  const own = gateways.defaultStoreId(gateway, mode);
  const isConfigured = configured.some(({ storeId, applicationId }) => storeId === own && applicationId === null);
  return own === undefined || isConfigured
    ? configured
    : [...configured, { applicationId: null, storeId: own, sealedSecret: null }];
}
