import { randomUUID } from 'node:crypto';
import type { Mode } from '../../../domain/mode.ts';
import { storeSecretPlace } from '../../../runtime/sealed-places.ts';
import type { SecretBox } from '../../../runtime/secrets.ts';
import type { Scope } from '../../../database/connection.ts';
import type { Statements } from '../../../database/statements.ts';

/**
 * Returns a store's credentials, sealed and prefixed with the key of their row. Null if none are stored; they can then only come from the
 * environment.
 */
export async function sealedSecretOf(
  statements: Statements,
  { applicationId, mode }: Scope,
  { gateway, storeId }: { readonly gateway: string; readonly storeId: string },
): Promise<string | null> {
  const [row] = await statements.execute<{ secret: string | null }[]>(
    'select lenden_store_secret(?::bigint, ?, ?, ?) as secret',
    [applicationId, mode, gateway, storeId],
  );
  return row?.secret ?? null;
}

/** Reports whether operators have chosen a store for a gateway, for the application or for all. The environment may have one as well. */
export async function hasStore(
  statements: Statements,
  { applicationId, mode }: Scope,
  gateway: string,
): Promise<boolean> {
  const [row] = await statements.execute<{ store: string | null }[]>(
    'select lenden_store_for(?::bigint, ?, ?) as store',
    [applicationId, mode, gateway],
  );
  return typeof row?.store === 'string';
}

/** The slot of a store: one gateway in one mode, of one application or, if null, of all without their own. */
export interface StoreSlot {
  readonly applicationId: bigint | null;
  readonly mode: Mode;
  readonly gateway: string;
}

export interface StoreRow {
  application_id: string | null;
  mode: Mode;
  gateway: string;
  store_id: string;
  created_at: Date;
  updated_at: Date;
}

const COLUMNS = 'application_id, mode, gateway, store_id, created_at, updated_at';

/** Returns the stores that open new checkouts: the application's own and those for every application. */
export function listStores(statements: Statements, applicationId: bigint | null): Promise<StoreRow[]> {
  return statements.execute<StoreRow[]>(
    `select ${COLUMNS} from gateway_configurations where (application_id is null or application_id = ?::bigint) and retired_at is null
     order by mode, gateway, application_id nulls first`,
    [applicationId],
  );
}

/**
 * Makes new checkouts use this store. The former store is kept for the payments that were started there. If the store is the same, its password is
 * replaced. Returns the former store's id, or null.
 */
export async function chooseStore(
  statements: Statements,
  secrets: SecretBox,
  { storeId, password, ...slot }: StoreSlot & { readonly storeId: string; readonly password: string },
): Promise<string | null> {
  await lockSlot(statements, slot);
  const former = await retireStore(statements, slot);
  const key = (await keyOf(statements, { ...slot, storeId })) ?? randomUUID();
  const secret = secrets.seal(password, storeSecretPlace(key));
  await statements.execute(
    `insert into gateway_configurations (application_id, mode, gateway, store_id, key, store_secret) values (?::bigint, ?, ?, ?, ?::uuid, ?)
     on conflict (application_id, mode, gateway, store_id) do update set store_secret = ?, retired_at = null, updated_at = now()`,
    [slot.applicationId, slot.mode, slot.gateway, storeId, key, secret, secret],
  );
  return former;
}

/** Returns the key of the store's row if it exists. The slot is locked, so it cannot be added concurrently. */
async function keyOf(
  statements: Statements,
  { applicationId, mode, gateway, storeId }: StoreSlot & { readonly storeId: string },
): Promise<string | undefined> {
  const [row] = await statements.execute<{ key: string }[]>(
    `select key::text from gateway_configurations
     where application_id is not distinct from ?::bigint and mode = ? and gateway = ? and store_id = ?`,
    [applicationId, mode, gateway, storeId],
  );
  return row?.key;
}

/** Stops new checkouts at the slot's own store. Returns its id, or null if there was none. */
export async function retireStore(
  statements: Statements,
  { applicationId, mode, gateway }: StoreSlot,
): Promise<string | null> {
  const [row] = await statements.execute<{ store_id: string }[]>(
    `update gateway_configurations set retired_at = now(), updated_at = now()
     where application_id is not distinct from ?::bigint and mode = ? and gateway = ? and retired_at is null returning store_id`,
    [applicationId, mode, gateway],
  );
  return row?.store_id ?? null;
}

/** Reports whether the slot has or had its own store. */
export async function hasHadStore(
  statements: Statements,
  { applicationId, mode, gateway }: StoreSlot,
): Promise<boolean> {
  const [row] = await statements.execute<{ has: boolean }[]>(
    `select exists (select 1 from gateway_configurations
       where application_id is not distinct from ?::bigint and mode = ? and gateway = ?) as has`,
    [applicationId, mode, gateway],
  );
  return row?.has === true;
}

/** What opens new checkouts in a slot. */
export interface SlotState {
  /** Null if the slot has no store of its own. */
  readonly storeId: string | null;
  /** The account shown to payers, sealed and prefixed with its row's key; null at a gateway whose store secret is really secret. */
  readonly shownAccount: string | null;
  /** Changes whenever the slot is changed. */
  readonly fingerprint: string;
}

/** Returns what currently opens new checkouts in the slot, for an operator's request. */
export async function readSlot(
  statements: Statements,
  { applicationId, mode, gateway }: StoreSlot,
): Promise<SlotState> {
  const [row] = await statements.execute<{ store_id: string; shown_account: string | null; fingerprint: string }[]>(
    `select store_id, lenden_shown_account(id) as shown_account, concat_ws(' ', id, updated_at) as fingerprint from gateway_configurations
     where application_id is not distinct from ?::bigint and mode = ? and gateway = ? and retired_at is null`,
    [applicationId, mode, gateway],
  );
  return {
    storeId: row?.store_id ?? null,
    shownAccount: row?.shown_account ?? null,
    fingerprint: row?.fingerprint ?? 'none',
  };
}

/** Locks the slot, so that concurrent changes by operators run one after the other. */
export async function lockSlot(statements: Statements, { applicationId, mode, gateway }: StoreSlot): Promise<void> {
  const slot = `${applicationId ?? 'all'} ${mode} ${gateway}`;
  await statements.execute('select pg_advisory_xact_lock(hashtextextended(?, 7016403))', [`gateway store ${slot}`]);
}
