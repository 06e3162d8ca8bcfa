import { expressionBuilder, sql } from 'kysely';
import { ADVISORY_LOCK_SEEDS } from '../../../database/advisory-locks.ts';
import { list, type ListPage, type ListSlice, type ValuesOf } from '../../../database/lists.ts';
import type { Statements } from '../../../database/statements.ts';
import type { Tables } from '../../../database/tables.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';

const COLUMNS = ['id', 'gateway', 'storeId', 'version', 'mapping', 'operatorId', 'createdAt'] as const;

/** What a mapping is of: a store, or every store at the gateway that has none of its own. */
export interface MappingOwner {
  readonly gateway: string;
  readonly storeId: string | null;
}

const LOCK = statement((db, $: Given<{ name: string }>) =>
  db.selectNoFrom((eb) =>
    eb
      .fn<null>('pg_advisory_xact_lock', [
        eb.fn('hashtextextended', [$('name'), sql.lit(ADVISORY_LOCK_SEEDS.payoutMapping)]),
      ])
      .as('locked'),
  ),
);

const SAVE = statement((db, $: Given<MappingOwner & { mapping: string; operatorId: bigint }>) =>
  db
    .insertInto('payout_mappings')
    .values((eb) => ({
      gateway: $('gateway'),
      storeId: $('storeId'),
      version: eb
        .selectFrom('payout_mappings as m')
        .select((of) => of(of.fn.coalesce(of.fn.max('m.version'), sql.lit(0)), '+', 1).as('version'))
        .where('m.gateway', '=', $('gateway'))
        .where('m.storeId', 'is not distinct from', eb.cast<string | null>($('storeId'), 'text')),
      mapping: $('mapping'),
      operatorId: $('operatorId'),
    }))
    .returning(COLUMNS),
);

/** A version of a mapping. `mapping` is JSON. */
export type MappingVersion = RowOf<typeof SAVE>;

/** Saves the next version. Two that are saved at once get two numbers. */
export async function saveMapping(
  statements: Statements,
  version: MappingOwner & { readonly mapping: string; readonly operatorId: bigint },
): Promise<MappingVersion> {
  await LOCK.all(statements, { name: `payout mapping ${version.gateway} ${version.storeId ?? ''}` });
  const saved = await SAVE.first(statements, version);
  if (saved === undefined) {
    throw new Error('the mapping was not saved');
  }
  return saved;
}

const READ = statement((db, $: Given<{ id: bigint }>) =>
  db.selectFrom('payout_mappings').select(COLUMNS).where('id', '=', $('id')),
);

export async function readMapping(statements: Statements, id: bigint): Promise<MappingVersion | null> {
  return (await READ.first(statements, { id })) ?? null;
}

const CURRENT = statement((db, $: Given<{ gateway: string; storeId: string }>) =>
  db
    .selectFrom('payout_mappings')
    .select(COLUMNS)
    .where('gateway', '=', $('gateway'))
    .where((eb) => eb.or([eb('storeId', '=', $('storeId')), eb('storeId', 'is', null)]))
    .orderBy('storeId', (order) => order.asc().nullsLast())
    .orderBy('version', 'desc')
    .limit(1),
);

/** Returns the newest mapping of a store; if it has none of its own, that of its gateway. */
export async function currentMapping(
  statements: Statements,
  store: { readonly gateway: string; readonly storeId: string },
): Promise<MappingVersion | null> {
  return (await CURRENT.first(statements, store)) ?? null;
}

export interface MappingFilter {
  readonly gateway?: string | undefined;
  readonly storeId?: string | undefined;
}

const LIST = list((db, $: Given<ValuesOf<MappingFilter>>) => {
  const eb = expressionBuilder<Tables, 'payout_mappings'>();
  return {
    rows: db.selectFrom('payout_mappings').select(COLUMNS),
    conditions: {
      gateway: eb('gateway', '=', $('gateway')),
      storeId: eb('storeId', '=', $('storeId')),
    },
    orders: { id: ['id'] },
  };
});

/** Returns a page of the versions that were saved. The newest one of a store is the current one. */
export function listMappings(
  statements: Statements,
  { filter, slice }: { readonly filter: MappingFilter; readonly slice: ListSlice },
): Promise<ListPage<MappingVersion>> {
  return LIST.page(statements, { filter, sortBy: 'id', slice });
}
