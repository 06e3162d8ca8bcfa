import { sql } from 'kysely';
import type { Contract } from '../../../domain/contract.ts';
import type { Database, Scope } from '../../../database/connection.ts';
import { now } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';

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

/** What the function returns; entities do not describe it. */
interface FoundCredential extends Scope, Omit<CallingApplication, 'id'> {
  readonly credentialId: bigint;
  readonly contract: Contract;
  readonly scopes: readonly string[] | null;
  readonly secretHash: string | null;
  readonly usable: boolean;
}

const FIND_CREDENTIAL = statement((db, $: Given<{ keyHash: Buffer }>) =>
  db.selectFrom(sql<FoundCredential>`lenden_find_credential(${$('keyHash')})`.as('c')).selectAll(),
);

const ENTER_AS = statement((db, $: Given<{ keyHash: Buffer }>) =>
  db.selectFrom(sql<FoundCredential>`lenden_enter_as(${$('keyHash')})`.as('c')).selectAll(),
);

/** Identifies a credential. */
export interface PresentedKey {
  /** SHA-256. */
  readonly keyHash: Buffer;
  readonly contract: Contract;
}

/**
 * Returns the usable credential of a contract whose API key has this SHA-256, with its application. Returns null also for one that is revoked or
 * expired, whose application is disabled, or that belongs to another contract. Runs in one round trip, since every request needs it.
 */
export async function findCredential(
  database: Database,
  { keyHash, contract }: PresentedKey,
): Promise<KnownCredential | null> {
  return usable(await FIND_CREDENTIAL.lookup(database, { keyHash }), contract);
}

/**
 * Finds the credential as `findCredential` does, and runs a read in its scope in the same round trip. The read sees no rows if the credential is not
 * usable. The caller must discard what was read until it has checked the secret.
 */
export async function findCredentialAndRead<Read>(
  database: Database,
  { keyHash, contract }: PresentedKey,
  read: (statements: Statements) => Promise<Read>,
): Promise<{ readonly found: KnownCredential | null; readonly read: Read }> {
  const [entered, result] = await database.withCredential((statements) =>
    Promise.all([ENTER_AS.first(statements, { keyHash }), read(statements)]),
  );
  return { found: usable(entered, contract), read: result };
}

function usable(found: FoundCredential | undefined, wanted: Contract): KnownCredential | null {
  if (found === undefined || !found.usable || found.contract !== wanted) {
    return null;
  }
  const {
    credentialId,
    applicationId,
    mode,
    contract: _contract,
    scopes,
    secretHash,
    usable: _usable,
    ...application
  } = found;
  return {
    credentialId,
    scope: { applicationId, mode },
    scopes,
    secretHash,
    application: { ...application, id: applicationId },
  };
}

const NOTE_USE = statement((db, $: Given<{ credentialId: bigint }>) =>
  db.updateTable('credentials').set({ lastUsedAt: now }).where('id', '=', $('credentialId')),
);

export async function noteUse(database: Database, { scope, credentialId }: KnownCredential): Promise<void> {
  await database.withScope(scope, (statements) => NOTE_USE.all(statements, { credentialId }), { oneTrip: true });
}
