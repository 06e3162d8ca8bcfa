import type { Contract } from '../../../domain/contract.ts';
import { notFound } from '../../../domain/errors.ts';
import type { Mode } from '../../../domain/mode.ts';
import { readNow } from '../../../database/clock.ts';
import type { Database, EntityManager } from '../../../database/connection.ts';
import { Application, Credential } from '../../../database/entities/application.ts';
import { now } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import { contractOf } from '../../contracts/contracts.ts';
import type { Business } from '../../contracts/port.ts';

export const GRACE_HOURS_DEFAULT = 24;

/** What a key may do in a contract with scopes: `read` for queries, `write` for changes. */
export const SCOPES = ['read', 'write'] as const;
export type KeyScope = (typeof SCOPES)[number];

/** Contracts for which an application can have keys. */
export const KEY_CONTRACTS = ['native', 'ownpay', 'shadhinpay'] as const satisfies readonly Contract[];

export interface IssuedCredential {
  readonly credentialId: bigint;
  readonly mode: Mode;
  readonly apiKey: string;
  /** Shown once. Null if the key alone is the credential. */
  readonly apiSecret: string | null;
  /** Sent with each key of ShadhinPay's contract; null in the others. */
  readonly business: Business | null;
}

export interface Rotation extends IssuedCredential {
  /** Until then the former keys still work; null if there were none. */
  readonly previousKeyExpiresAt: Date | null;
}

/** A new credential, prepared before the transaction that stores it. */
export interface PreparedCredential {
  readonly shown: { readonly apiKey: string; readonly apiSecret: string | null };
  readonly row: CredentialColumns;
}

export interface WantedCredential {
  readonly mode: Mode;
  /** Native by default. */
  readonly contract?: (typeof KEY_CONTRACTS)[number] | undefined;
  /** The owner's description of the key. */
  readonly label?: string | null | undefined;
  /** All by default. Only for a contract with scopes. */
  readonly scopes?: readonly KeyScope[] | undefined;
}

export async function prepareCredential({
  mode,
  contract = 'native',
  label = null,
  scopes = SCOPES,
}: WantedCredential): Promise<PreparedCredential> {
  const { keys } = contractOf(contract);
  const { apiKey, apiSecret, ...stored } = await keys.create(mode);
  const row = { mode, contract, ...stored, label, ...(keys.haveScopes ? { scopes: [...scopes] } : {}) };
  return { shown: { apiKey, apiSecret }, row };
}

/** Issues an additional credential, as the system. */
export async function issueCredential(
  { database }: { readonly database: Database },
  { applicationId, ...wanted }: WantedCredential & { readonly applicationId: bigint },
): Promise<IssuedCredential> {
  const prepared = await prepareCredential(wanted);
  return database.withSystem((em) => storeCredential(em, applicationId, prepared));
}

/** Stores a credential. Throws RESOURCE_NOT_FOUND. A key with `waits` does not work until another operator has confirmed it. */
export async function storeCredential(
  em: EntityManager,
  applicationId: bigint,
  { row, shown, waits = false }: PreparedCredential & { readonly waits?: boolean },
): Promise<IssuedCredential> {
  if ((await em.count(Application, { id: applicationId })) === 0) {
    throw notFound('application');
  }
  const { keyHash, business } = await contractOf(row.contract).keys.bind(em, { applicationId, apiKey: shown.apiKey });
  const status = waits ? 'PENDING' : 'ACTIVE';
  const credentialId = await em.insert(Credential, { ...row, keyHash, applicationId, status });
  return { credentialId, mode: row.mode, ...shown, business };
}

/** Rotates a credential from outside the API, as the system. */
export async function rotateCredential(
  { database }: { readonly database: Database },
  {
    applicationId,
    graceHours = GRACE_HOURS_DEFAULT,
    ...wanted
  }: WantedCredential & { readonly applicationId: bigint; readonly graceHours?: number },
): Promise<Rotation> {
  const prepared = await prepareCredential(wanted);
  return database.withSystem((em) => storeRotation(em, { applicationId, prepared, graceHours }));
}

/**
 * Issues a new credential for one mode and contract. The former ones keep working for the grace period; an earlier expiry of theirs is never
 * extended.
 */
export async function storeRotation(
  em: EntityManager,
  { applicationId, prepared, graceHours }: { applicationId: bigint; prepared: PreparedCredential; graceHours: number },
): Promise<Rotation> {
  const { mode, contract } = prepared.row;
  const issued = await storeCredential(em, applicationId, prepared);
  const { credentialId } = issued;
  const previousKeyExpiresAt = await endFormer(em, { applicationId, mode, contract, credentialId, graceHours });
  return { ...issued, previousKeyExpiresAt };
}

export interface Succession {
  readonly applicationId: bigint;
  readonly mode: Mode;
  readonly contract: Contract;
  /** The key that replaces those issued before it. */
  readonly credentialId: bigint;
  readonly graceHours: number;
}

/** Limits the validity of the former keys of a mode and contract. Returns when they expire at the latest, or null if there were none. */
export async function endFormer(
  em: EntityManager,
  { applicationId, mode, contract, credentialId, graceHours }: Succession,
): Promise<Date | null> {
  const expiresAt = new Date((await readNow(em)).getTime() + graceHours * 3_600_000);
  const stamped = await em.nativeUpdate(
    Credential,
    {
      id: { $lt: credentialId },
      applicationId,
      mode,
      contract,
      status: 'ACTIVE',
      $or: [{ expiresAt: null }, { expiresAt: { $gt: expiresAt } }],
    },
    { expiresAt },
  );
  return stamped > 0 ? expiresAt : null;
}

export interface CredentialColumns {
  readonly mode: Mode;
  readonly contract: Contract;
  readonly secretHash: string | null;
  readonly label?: string | null;
  readonly prefix?: string;
  readonly scopes?: string[];
}

const CREDENTIAL = [
  'id',
  'mode',
  'contract',
  'label',
  'prefix',
  'scopes',
  'status',
  'expiresAt',
  'lastUsedAt',
  'createdAt',
] as const;

const LIST = statement((db, $: Given<{ applicationId: bigint }>) =>
  db
    .selectFrom('credentials')
    .select(CREDENTIAL)
    .where('applicationId', '=', $('applicationId'))
    .orderBy('id', 'desc')
    .limit(500),
);

/** A credential as operators see it, without its hashes. */
export type CredentialRow = RowOf<typeof LIST>;

/** Returns an application's credentials, newest first. */
export function listCredentials(statements: Statements, applicationId: bigint): Promise<CredentialRow[]> {
  return LIST.all(statements, { applicationId });
}

interface OwnCredential {
  readonly applicationId: bigint;
  readonly credentialId: bigint;
}

const REVOKE = statement((db, $: Given<OwnCredential>) =>
  db
    .updateTable('credentials')
    .set({ status: 'REVOKED' })
    .where('id', '=', $('credentialId'))
    .where('applicationId', '=', $('applicationId'))
    .returning(CREDENTIAL),
);

/** Revokes a key. Every process rejects it immediately, since the row is read on every request. Returns null if there is no such credential. */
export async function revokeCredential(statements: Statements, key: OwnCredential): Promise<CredentialRow | null> {
  return (await REVOKE.first(statements, key)) ?? null;
}

const CONFIRMABLE_UNTIL = statement((db, $: Given<{ credentialId: bigint; until: Date }>) =>
  db
    .updateTable('credentials')
    .set({ expiresAt: $('until') })
    .where('id', '=', $('credentialId'))
    .where('status', '=', 'PENDING'),
);

/** Sets until when a pending key can be confirmed. */
export async function confirmableUntil(
  statements: Statements,
  limit: { readonly credentialId: bigint; readonly until: Date },
): Promise<void> {
  await CONFIRMABLE_UNTIL.all(statements, limit);
}

const ACTIVATE = statement((db, $: Given<OwnCredential>) =>
  db
    .updateTable('credentials')
    .set({ status: 'ACTIVE', expiresAt: null })
    .where('id', '=', $('credentialId'))
    .where('applicationId', '=', $('applicationId'))
    .where('status', '=', 'PENDING')
    .returning(CREDENTIAL),
);

/** Activates a pending key. Returns null if it is no longer pending, because someone has revoked it. */
export async function activateCredential(statements: Statements, key: OwnCredential): Promise<CredentialRow | null> {
  return (await ACTIVATE.first(statements, key)) ?? null;
}

const REVOKE_UNCONFIRMED = statement((db) =>
  db
    .updateTable('credentials')
    .set({ status: 'REVOKED' })
    .where('status', '=', 'PENDING')
    .where('expiresAt', '<=', now)
    .returning('id'),
);

/** Revokes keys that were not confirmed in time. Must run as the system. Returns their number. */
export async function revokeUnconfirmed(statements: Statements): Promise<number> {
  return (await REVOKE_UNCONFIRMED.all(statements, {})).length;
}
