import type { Contract } from '../../../domain/contract.ts';
import type { Mode } from '../../../domain/mode.ts';
import type { Database, Scope } from '../../../database/connection.ts';

/** What requests need to know about the application that sends them. */
export interface CallingApplication {
  readonly id: bigint;
  readonly name: string;
  readonly returnOrigins: readonly string[];
  readonly expiryMinutes: number;
  readonly rateLimitPerMinute: number;
  readonly receiptsEnabled: boolean;
  readonly minAmountMinor: bigint | null;
  readonly maxAmountMinor: bigint | null;
  /** Null: every gateway. */
  readonly gatewaysAllowed: readonly string[] | null;
  /** Gateways offered if a payment names none. Null: the default gateway. */
  readonly checkoutGateways: readonly string[] | null;
}

export interface KnownCredential {
  readonly credentialId: bigint;
  readonly scope: Scope;
  /** Null if the contract has no scopes. */
  readonly scopes: readonly string[] | null;
  /** Null if the key alone is the credential. */
  readonly secretHash: string | null;
  readonly application: CallingApplication;
}

interface CredentialRow {
  credential_id: string;
  application_id: string;
  mode: Mode;
  contract: Contract;
  scopes: string[] | null;
  secret_hash: string | null;
  usable: boolean;
  name: string;
  return_origins: string[];
  expiry_minutes: number;
  rate_limit_per_minute: number;
  receipts_enabled: boolean;
  min_amount_minor: string | null;
  max_amount_minor: string | null;
  gateways_allowed: string[] | null;
  checkout_gateways: string[] | null;
}

/**
 * Returns the usable credential of a contract whose API key has this SHA-256, with its application. Returns null also for one that is revoked or
 * expired, whose application is disabled, or that belongs to another contract. Runs in one round trip, since every request needs it.
 */
export async function findCredential(
  database: Database,
  { keyHash, contract }: { readonly keyHash: Buffer; readonly contract: Contract },
): Promise<KnownCredential | null> {
  const [row] = await database.lookup<CredentialRow>('select * from lenden_find_credential(?)', [keyHash]);
  if (row === undefined || !row.usable || row.contract !== contract) {
    return null;
  }
  const applicationId = BigInt(row.application_id);
  return {
    credentialId: BigInt(row.credential_id),
    scope: { applicationId, mode: row.mode },
    scopes: row.scopes,
    secretHash: row.secret_hash,
    application: {
      id: applicationId,
      name: row.name,
      returnOrigins: row.return_origins,
      expiryMinutes: row.expiry_minutes,
      rateLimitPerMinute: row.rate_limit_per_minute,
      receiptsEnabled: row.receipts_enabled,
      minAmountMinor: row.min_amount_minor === null ? null : BigInt(row.min_amount_minor),
      maxAmountMinor: row.max_amount_minor === null ? null : BigInt(row.max_amount_minor),
      gatewaysAllowed: row.gateways_allowed,
      checkoutGateways: row.checkout_gateways,
    },
  };
}

export async function noteUse(database: Database, { scope, credentialId }: KnownCredential): Promise<void> {
  await database.inOneTrip(scope, (statements) =>
    statements.execute('update credentials set last_used_at = now() where id = ?', [credentialId]),
  );
}
