import { randomUUID } from 'node:crypto';
import { DomainError } from '../../domain/errors.ts';
import { attemptReference } from '../../domain/references.ts';
import { GatewayFailure, type Store } from '../../gateways/port.ts';
import type { SecretBox } from '../../runtime/secrets.ts';
import { keyedStoreSecret, storeSecretPlace } from '../../runtime/sealed-places.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { StoreSlot } from './store/stores.ts';

export interface StoreDependencies extends Pick<CoreDependencies, 'database' | 'gateways'> {
  readonly secrets: SecretBox;
}

export interface GivenStore extends StoreSlot {
  readonly storeId: string;
  readonly storePassword: string;
}

/**
 * Queries the gateway about an order that does not exist, so that a wrong password is found now and not by the next payer. Returns false when the
 * gateway's answer does not show whether the credentials are right.
 * @throws DomainError VALIDATION_ERROR when the gateway rejects the credentials
 */
export async function acceptedByGateway(
  deps: StoreDependencies,
  { gateway: name, mode, storeId, storePassword }: GivenStore,
): Promise<boolean> {
  try {
    const gateway = deps.gateways.open(name, mode, triedStore(deps, { storeId, storePassword }));
    // Where queries need no credentials, an answer says nothing about the credentials.
    if (gateway === undefined || !gateway.capabilities.questionsProveStore) {
      return false;
    }
    const nobodys = { attemptReference: attemptReference(), sessionKey: null, claimedValidationId: null };
    await gateway.queryAttempt({ ...nobodys, knownValidationIds: [] });
    return true;
  } catch (error) {
    if (!(error instanceof GatewayFailure)) {
      throw error;
    }
    if (error.kind === 'unauthorized') {
      const fields = { storePassword: 'is not accepted by the gateway for this store' };
      throw new DomainError('VALIDATION_ERROR', 'the request is not valid', { fields });
    }
    return false;
  }
}

/** Returns a store with the given credentials for immediate use. It is not saved, so it is sealed under a random key. */
export function triedStore(
  { secrets }: StoreDependencies,
  { storeId, storePassword }: Pick<GivenStore, 'storeId' | 'storePassword'>,
): Store {
  const key = randomUUID();
  return { storeId, sealedSecret: keyedStoreSecret(key, secrets.seal(storePassword, storeSecretPlace(key))) };
}
