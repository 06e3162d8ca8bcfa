import type { Mode } from '../domain/mode.ts';

/** The columns with sealed secrets. */
export type SealedColumn =
  | 'webhook_signing_secrets.sealed'
  | 'gateway_configurations.store_secret'
  | 'gateway_tokens.sealed'
  | 'pending_changes.secret'
  | 'operators.totp_secret';

/**
 * The place that a sealed secret is bound to. It opens only there, so an attacker with write access to the database cannot replace it by the secret
 * of another row or column.
 */
export interface SealedPlace {
  readonly column: SealedColumn;
  /** Identifies the row. Known before the row is written, and never changed. */
  readonly key: string;
}

/** All secrets of one endpoint share a place, because any of them may sign its events. */
export function signingSecretPlace({
  applicationId,
  mode,
}: {
  readonly applicationId: bigint;
  readonly mode: Mode;
}): SealedPlace {
  return { column: 'webhook_signing_secrets.sealed', key: `${applicationId}:${mode}` };
}

/** @param key - the row's own key, generated for it */
export function storeSecretPlace(key: string): SealedPlace {
  return { column: 'gateway_configurations.store_secret', key };
}

export function gatewayTokenPlace(account: string): SealedPlace {
  return { column: 'gateway_tokens.sealed', key: account };
}

/** Returns the place of a store's secret while the store waits for a second operator. It opens for this store in this slot only. */
export function pendingSecretPlace(store: {
  readonly applicationId: bigint | null;
  readonly mode: Mode;
  readonly gateway: string;
  readonly storeId: string;
}): SealedPlace {
  const { applicationId, mode, gateway, storeId } = store;
  return { column: 'pending_changes.secret', key: [applicationId ?? '', mode, gateway, storeId].join('\n') };
}

export function secondFactorPlace(operatorId: bigint): SealedPlace {
  return { column: 'operators.totp_secret', key: operatorId.toString() };
}

/** Returns a store's secret with its row's key, `{key}:{sealed}`, so that the place is known wherever it is opened. */
export function keyedStoreSecret(key: string, sealed: string): string {
  return `${key}:${sealed}`;
}

/** Splits what `keyedStoreSecret`, or the database's `lenden_store_secret`, has joined. */
export function storeSecretParts(keyed: string): { readonly place: SealedPlace; readonly sealed: string } {
  const end = keyed.indexOf(':');
  return { place: storeSecretPlace(keyed.slice(0, Math.max(0, end))), sealed: keyed.slice(end + 1) };
}
