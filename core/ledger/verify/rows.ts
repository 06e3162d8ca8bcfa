import type { EntityManager } from '../../../database/connection.ts';

// The statements of this folder are SQL text, so that verification shares nothing with the code that it judges, neither the entities nor their mapping.

export const ROWS_PER_PAGE = 200;

/** Pages through a query that takes the last id seen and ends with `limit ROWS_PER_PAGE`. Returns the number of rows. */
export async function eachRow<Row extends { readonly id: string }>(
  em: EntityManager,
  sql: string,
  visit: (row: Row) => void,
): Promise<number> {
  let count = 0;
  let after = '0';
  while (true) {
    const rows = await em.execute<Row[]>(sql, [after]);
    rows.forEach(visit);
    count += rows.length;
    const end = rows.at(-1);
    if (end === undefined || rows.length < ROWS_PER_PAGE) {
      return count;
    }
    after = end.id;
  }
}
