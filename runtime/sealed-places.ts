import type { Mode } from '../domain/mode.ts';

/** Each column that keeps sealed secrets. */
export type SealedColumn =
  | 'webhook_signing_secrets.sealed'
  | 'gateway_configurations.store_secret'
  | 'gateway_tokens.sealed'
  | 'pending_changes.secret'
  | 'operators.totp_secret';

/**
 * Where a sealed secret belongs. It opens there alone: whoever can write to the database cannot put another row's secret, or another column's,
 * in the place of this one.
 */
export interface SealedPlace {
  readonly column: SealedColumn;
  /** What tells the row from all others, and is known before it is written. Never changed afterwards. */
  readonly key: string;
}

/** All secrets of one endpoint share a place: any of them may sign its events. */
export function signingSecretPlace({
  applicationId,
  mode,
}: {
  readonly applicationId: bigint;
  readonly mode: Mode;
}): SealedPlace {
  return { column: 'webhook_signing_secrets.sealed', key: `${applicationId}:${mode}` };
}

/** @param key - the row's own, drawn for it */
export function storeSecretPlace(key: string): SealedPlace {
  return { column: 'gateway_configurations.store_secret', key };
}

export function gatewayTokenPlace(account: string): SealedPlace {
  return { column: 'gateway_tokens.sealed', key: account };
}

/** Of a store that waits for a second person: the secret was given for this store of this slot and opens for no other. */
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

/** A store's secret as it is handed on from its row: `{key}:{sealed}`, so that whoever opens it knows its place. */
export function keyedStoreSecret(key: string, sealed: string): string {
  return `${key}:${sealed}`;
}

/** Takes apart what `keyedStoreSecret`, or the database's `lenden_store_secret`, put together. */
export function storeSecretParts(keyed: string): { readonly place: SealedPlace; readonly sealed: string } {
  const end = keyed.indexOf(':');
  return { place: storeSecretPlace(keyed.slice(0, Math.max(0, end))), sealed: keyed.slice(end + 1) };
}
