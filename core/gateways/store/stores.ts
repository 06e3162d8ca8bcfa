import { sql, type ExpressionBuilder } from 'kysely';
import { randomUUID } from 'node:crypto';
import type { Mode } from '../../../domain/mode.ts';
import { storeSecretPlace } from '../../../runtime/sealed-places.ts';
import type { SecretBox } from '../../../runtime/secrets.ts';
import { ADVISORY_LOCK_SEEDS } from '../../../database/advisory-locks.ts';
import type { Scope } from '../../../database/connection.ts';
import { now } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import type { Tables } from '../../../database/tables.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';

const SEALED_SECRET = statement((db, $: Given<Scope & { gateway: string; storeId: string }>) =>
  db.selectNoFrom((eb) =>
    eb
      .fn<string | null>('lenden_store_secret', [
        eb.cast($('applicationId'), 'bigint'),
        $('mode'),
        $('gateway'),
        $('storeId'),
      ])
      .as('secret'),
  ),
);

/**
 * Returns a store's credentials, sealed and prefixed with the key of their row. Null if none are stored; they can then only come from the
 * environment.
 */
export async function sealedSecretOf(
  statements: Statements,
  { applicationId, mode }: Scope,
  store: { readonly gateway: string; readonly storeId: string },
): Promise<string | null> {
  return (await SEALED_SECRET.first(statements, { applicationId, mode, ...store }))?.secret ?? null;
}

const STORE_FOR = statement((db, $: Given<Scope & { gateway: string }>) =>
  db.selectNoFrom((eb) =>
    eb
      .fn<string | null>('lenden_store_for', [eb.cast($('applicationId'), 'bigint'), $('mode'), $('gateway')])
      .as('store'),
  ),
);

/** Reports whether operators have chosen a store for a gateway, for the application or for all. The environment may have one as well. */
export async function hasStore(
  statements: Statements,
  { applicationId, mode }: Scope,
  gateway: string,
): Promise<boolean> {
  return typeof (await STORE_FOR.first(statements, { applicationId, mode, gateway }))?.store === 'string';
}

/** The slot of a store: one gateway in one mode, of one application or, if null, of all without their own. */
export interface StoreSlot {
  readonly applicationId: bigint | null;
  readonly mode: Mode;
  readonly gateway: string;
}

/** Whether a row belongs to the slot. */
function inSlot(eb: ExpressionBuilder<Tables, 'gateway_configurations'>, $: Given<StoreSlot>) {
  return eb.and([
    eb('applicationId', 'is not distinct from', eb.cast<bigint | null>($('applicationId'), 'bigint')),
    eb('mode', '=', $('mode')),
    eb('gateway', '=', $('gateway')),
  ]);
}

const OPENING_CHECKOUTS = statement((db, $: Given<{ applicationId: bigint | null }>) =>
  db
    .selectFrom('gateway_configurations')
    .select(['applicationId', 'mode', 'gateway', 'storeId', 'createdAt', 'updatedAt'])
    .where((eb) =>
      eb.or([
        eb('applicationId', 'is', null),
        eb('applicationId', '=', eb.cast<bigint | null>($('applicationId'), 'bigint')),
      ]),
    )
    .where('retiredAt', 'is', null)
    .orderBy('mode')
    .orderBy('gateway')
    .orderBy('applicationId', (order) => order.asc().nullsFirst()),
);

export type StoreRow = RowOf<typeof OPENING_CHECKOUTS>;

/** Returns the stores that open new checkouts: the application's own and those for every application. */
export function listStores(statements: Statements, applicationId: bigint | null): Promise<StoreRow[]> {
  return OPENING_CHECKOUTS.all(statements, { applicationId });
}

const KEY_OF = statement((db, $: Given<StoreSlot & { storeId: string }>) =>
  db
    .selectFrom('gateway_configurations')
    .select('key')
    .where((eb) => inSlot(eb, (name) => $(name)))
    .where('storeId', '=', $('storeId')),
);

const CHOOSE = statement((db, $: Given<StoreSlot & { storeId: string; key: string; secret: string }>) =>
  db
    .insertInto('gateway_configurations')
    .values({
      applicationId: $('applicationId'),
      mode: $('mode'),
      gateway: $('gateway'),
      storeId: $('storeId'),
      key: $('key'),
      storeSecret: $('secret'),
    })
    .onConflict((conflict) =>
      conflict
        .columns(['applicationId', 'mode', 'gateway', 'storeId'])
        .doUpdateSet({ storeSecret: $('secret'), retiredAt: null, updatedAt: now }),
    ),
);

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
  // The slot is locked, so the row cannot be added concurrently.
  const key = (await KEY_OF.first(statements, { ...slot, storeId }))?.key ?? randomUUID();
  const secret = secrets.seal(password, storeSecretPlace(key));
  await CHOOSE.all(statements, { ...slot, storeId, key, secret });
  return former;
}

const RETIRE = statement((db, $: Given<StoreSlot>) =>
  db
    .updateTable('gateway_configurations')
    .set({ retiredAt: now, updatedAt: now })
    .where((eb) => inSlot(eb, $))
    .where('retiredAt', 'is', null)
    .returning('storeId'),
);

/** Stops new checkouts at the slot's own store. Returns its id, or null if there was none. */
export async function retireStore(statements: Statements, slot: StoreSlot): Promise<string | null> {
  return (await RETIRE.first(statements, slot))?.storeId ?? null;
}

const HAS_HAD = statement((db, $: Given<StoreSlot>) =>
  db.selectNoFrom((eb) =>
    eb
      .exists(
        eb
          .selectFrom('gateway_configurations')
          .select('id')
          .where((own) => inSlot(own, $)),
      )
      .$castTo<boolean>()
      .as('has'),
  ),
);

/** Reports whether the slot has or had its own store. */
export async function hasHadStore(statements: Statements, slot: StoreSlot): Promise<boolean> {
  return (await HAS_HAD.first(statements, slot))?.has === true;
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

const READ_SLOT = statement((db, $: Given<StoreSlot>) =>
  db
    .selectFrom('gateway_configurations')
    .select((eb) => [
      'storeId',
      eb.fn<string | null>('lenden_shown_account', ['id']).as('shownAccount'),
      eb.fn<string>('concat_ws', [sql.lit(' '), 'id', 'updatedAt']).as('fingerprint'),
    ])
    .where((eb) => inSlot(eb, $))
    .where('retiredAt', 'is', null),
);

/** Returns what currently opens new checkouts in the slot, for an operator's request. */
export async function readSlot(statements: Statements, slot: StoreSlot): Promise<SlotState> {
  return (await READ_SLOT.first(statements, slot)) ?? { storeId: null, shownAccount: null, fingerprint: 'none' };
}

const LOCK = statement((db, $: Given<{ name: string }>) =>
  db.selectNoFrom((eb) =>
    eb
      .fn<null>('pg_advisory_xact_lock', [
        eb.fn('hashtextextended', [$('name'), sql.lit(ADVISORY_LOCK_SEEDS.gatewayStore)]),
      ])
      .as('locked'),
  ),
);

/** Locks the slot, so that concurrent changes by operators run one after the other. */
export async function lockSlot(statements: Statements, { applicationId, mode, gateway }: StoreSlot): Promise<void> {
  await LOCK.all(statements, { name: `gateway store ${applicationId ?? 'all'} ${mode} ${gateway}` });
}
