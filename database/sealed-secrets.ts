import type { SecretBox } from '../runtime/secrets.ts';
import type { Database, EntityManager } from './connection.ts';

/** Where secrets are kept that must be recoverable. */
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
  { name: 'store passwords that wait', table: 'pending_changes', id: 'id', column: 'secret', role: 'system' },
  { name: 'gateway tokens', table: 'gateway_tokens', id: 'id', column: 'sealed', role: 'system' },
  { name: 'waiting stores', table: 'pending_changes', id: 'id', column: 'secret', role: 'system' },
  { name: 'second factors', table: 'operators', id: 'id', column: 'totp_secret', role: 'operator' },
];

const BATCH = 200;

/** How many secrets of one kind are sealed under one master key. */
export interface SealedCount {
  readonly what: string;
  readonly keyId: string;
  readonly secrets: number;
  /** One of them, by which a wrong key of that id is found. */
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
 * Brings every secret under the master key that seals now, in batches, each its own transaction: it may be stopped and run again at any
 * time. A secret that changes meanwhile is left as it is, since it was sealed by the new key. Throws when one cannot be opened.
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
