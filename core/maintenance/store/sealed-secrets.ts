import type { SecretBox } from '../../../runtime/secrets.ts';
import type { Database, EntityManager } from '../../../database/connection.ts';

/** A column with secrets that must be recoverable. */
interface Place {
  readonly name: string;
  readonly table: string;
  readonly id: string;
  readonly column: string;
  readonly role: 'system' | 'operator';
}

const PLACES: readonly Place[] = [
  { name: 'signing secrets', table: 'webhook_signing_secrets', id: 'id', column: 'sealed', role: 'system' },
  { name: 'store passwords', table: 'gateway_configurations', id: 'id', column: 'store_secret', role: 'system' },
  { name: 'pending store passwords', table: 'pending_changes', id: 'id', column: 'secret', role: 'system' },
  { name: 'gateway tokens', table: 'gateway_tokens', id: 'id', column: 'sealed', role: 'system' },
  { name: 'waiting stores', table: 'pending_changes', id: 'id', column: 'secret', role: 'system' },
  { name: 'second factors', table: 'operators', id: 'id', column: 'totp_secret', role: 'operator' },
];

const BATCH = 200;

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
  for (const place of PLACES) {
    const { name: what, table, column } = place;
    const rows = await as(database, place, (em) =>
      em.execute<{ key_id: string; secrets: string; example: string }[]>(
        `select split_part(${column}, '.', 2) as key_id, count(*) as secrets, min(${column}) as example from ${table} where ${column} is not null group by 1 order by 1`,
      ),
    );
    counts.push(
      ...rows.map(({ key_id: keyId, secrets, example }) => ({ what, keyId, secrets: Number(secrets), example })),
    );
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
  for (const place of PLACES) {
    for (let after = '0'; ;) {
      const batch = await as(database, place, (em) => resealBatch(em, secrets, { place, after }));
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
  { place: { table, id, column }, after }: { place: Place; after: string },
): Promise<{ changed: number; last: string | null }> {
  const rows = await em.execute<{ id: string; sealed: string }[]>(
    `select ${id} as id, ${column} as sealed from ${table} where ${column} is not null and ${id} > ?::bigint order by ${id} limit ${BATCH}`,
    [after],
  );
  let changed = 0;
  for (const row of rows) {
    const resealed = secrets.reseal(row.sealed);
    if (resealed !== null) {
      const written = await em.execute<object[]>(
        `update ${table} set ${column} = ? where ${id} = ?::bigint and ${column} = ? returning 1`,
        [resealed, row.id, row.sealed],
      );
      changed += written.length;
    }
  }
  return { changed, last: rows.length < BATCH ? null : (rows.at(-1)?.id ?? null) };
}

function as<T>(database: Database, { role }: Place, work: (em: EntityManager) => Promise<T>): Promise<T> {
  return role === 'system' ? database.withSystem(work) : database.withOperator('every-app', work);
}
