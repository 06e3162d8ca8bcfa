import type { Kysely, SelectQueryBuilder } from 'kysely';
import type { SecretBox } from '../../../runtime/secrets.ts';
import type { Database, EntityManager } from '../../../database/connection.ts';
import type { Tables } from '../../../database/tables.ts';
import { statement, type Given, type TypedStatement } from '../../../database/typed-statements.ts';

const BATCH = 200;

interface SealedRow {
  readonly id: bigint;
  readonly sealed: string | null;
}

/** A secret as it was read, and as it is written. */
interface Resealed {
  readonly id: bigint;
  readonly sealed: string;
  readonly resealed: string;
}

type Write = TypedStatement<Resealed, { readonly id: bigint }>;

/** A column with secrets that must be recoverable. */
function place<DB, TB extends keyof DB>(
  name: string,
  role: 'system' | 'operator',
  {
    rows,
    write,
  }: { readonly rows: (db: Kysely<Tables>) => SelectQueryBuilder<DB, TB, SealedRow>; readonly write: Write },
) {
  return {
    name,
    role,
    write,
    /** The secrets of each master key. */
    count: statement((db) =>
      db
        .selectFrom(rows(db).as('s'))
        .select((eb) => [
          eb.fn<string>('split_part', ['s.sealed', eb.val('.'), eb.val(2)]).as('keyId'),
          eb.cast<number>(eb.fn.countAll(), 'integer').as('secrets'),
          // One of them, to detect a wrong key with that id.
          eb.fn.min<string>('s.sealed').as('example'),
        ])
        .where('s.sealed', 'is not', null)
        .groupBy('keyId')
        .orderBy('keyId'),
    ),
    batch: statement((db, $: Given<{ after: bigint }>) =>
      db
        .selectFrom(rows(db).as('s'))
        .select((eb) => ['s.id', eb.ref('s.sealed').$notNull().as('sealed')])
        .where('s.sealed', 'is not', null)
        .where('s.id', '>', $('after'))
        .orderBy('s.id')
        .limit(BATCH),
    ),
  };
}

type Place = ReturnType<typeof place>;

const PLACES: readonly Place[] = [
  place('signing secrets', 'system', {
    rows: (db) => db.selectFrom('webhook_signing_secrets').select(['id', 'sealed']),
    write: statement((db, $: Given<Resealed>) =>
      db
        .updateTable('webhook_signing_secrets')
        .set({ sealed: $('resealed') })
        .where('id', '=', $('id'))
        .where('sealed', '=', $('sealed'))
        .returning('id'),
    ),
  }),
  place('store passwords', 'system', {
    rows: (db) => db.selectFrom('gateway_configurations').select(['id', 'storeSecret as sealed']),
    write: statement((db, $: Given<Resealed>) =>
      db
        .updateTable('gateway_configurations')
        .set({ storeSecret: $('resealed') })
        .where('id', '=', $('id'))
        .where('storeSecret', '=', $('sealed'))
        .returning('id'),
    ),
  }),
  place('pending store passwords', 'system', {
    rows: (db) => db.selectFrom('pending_changes').select(['id', 'secret as sealed']),
    write: statement((db, $: Given<Resealed>) =>
      db
        .updateTable('pending_changes')
        .set({ secret: $('resealed') })
        .where('id', '=', $('id'))
        .where('secret', '=', $('sealed'))
        .returning('id'),
    ),
  }),
  place('gateway tokens', 'system', {
    rows: (db) => db.selectFrom('gateway_tokens').select(['id', 'sealed']),
    write: statement((db, $: Given<Resealed>) =>
      db
        .updateTable('gateway_tokens')
        .set({ sealed: $('resealed') })
        .where('id', '=', $('id'))
        .where('sealed', '=', $('sealed'))
        .returning('id'),
    ),
  }),
  place('second factors', 'operator', {
    rows: (db) => db.selectFrom('operators').select(['id', 'totpSecret as sealed']),
    write: statement((db, $: Given<Resealed>) =>
      db
        .updateTable('operators')
        .set({ totpSecret: $('resealed') })
        .where('id', '=', $('id'))
        .where('totpSecret', '=', $('sealed'))
        .returning('id'),
    ),
  }),
];

/** The number of secrets of one kind that are sealed with one master key. */
export interface SealedCount {
  readonly what: string;
  readonly keyId: string;
  readonly secrets: number;
  /** One of them, to detect a wrong key with that id. */
  readonly example: string;
}

export async function countSealed(database: Database): Promise<SealedCount[]> {
  const counts: SealedCount[] = [];
  for (const { name: what, role, count } of PLACES) {
    const rows = await as(database, role, (em) => count.all(em, {}));
    counts.push(...rows.map((row) => ({ what, ...row })));
  }
  return counts;
}

/**
 * Reseals every secret with the current master key, in batches with a transaction each, so it can be interrupted and run again at any time. A secret
 * that changes in the meantime is left alone, since it was sealed with the new key. Throws if one cannot be opened.
 *
 * @returns how many secrets it changed
 */
export async function resealAll(database: Database, secrets: SecretBox): Promise<number> {
  let changed = 0;
  for (const sealed of PLACES) {
    for (let after = 0n; ;) {
      const batch = await as(database, sealed.role, (em) => resealBatch(em, secrets, { sealed, after }));
      changed += batch.changed;
      if (batch.last === null) {
        break;
      }
      after = batch.last;
    }
  }
  return changed;
}

async function resealBatch(
  em: EntityManager,
  secrets: SecretBox,
  { sealed: { batch, write }, after }: { sealed: Place; after: bigint },
): Promise<{ changed: number; last: bigint | null }> {
  const rows = await batch.all(em, { after });
  let changed = 0;
  for (const { id, sealed } of rows) {
    const resealed = secrets.reseal(sealed);
    if (resealed !== null) {
      changed += (await write.all(em, { id, sealed, resealed })).length;
    }
  }
  return { changed, last: rows.length < BATCH ? null : (rows.at(-1)?.id ?? null) };
}

function as<T>(database: Database, role: Place['role'], work: (em: EntityManager) => Promise<T>): Promise<T> {
  return role === 'system' ? database.withSystem(work) : database.withOperator('every-app', work);
}
