import { openOrm } from '../../database/connection.ts';

/**
 * Runs one statement as the database owner, who sees every row. Tests use it to look up rows and to move times back.
 */
export async function asOwner<T extends object = object>(
  databaseUrl: string,
  { sql, parameters = [] }: { sql: string; parameters?: readonly unknown[] },
): Promise<T[]> {
  const orm = await openOrm({ url: databaseUrl, role: 'owner', poolSize: 1 });
  try {
    return await orm.em.fork().execute<T[]>(sql, [...parameters]);
  } finally {
    await orm.close();
  }
}

/** Returns the reference of a payment's newest attempt, which is the order id at the gateway. */
export async function attemptReference(databaseUrl: string, reference: string): Promise<string> {
  const [row] = await asOwner<{ reference: string }>(databaseUrl, {
    sql: `select t.reference from payment_attempts t join payments p on p.id = t.payment_id
          where p.reference = ? order by t.number desc limit 1`,
    parameters: [reference],
  });
  if (row === undefined) {
    throw new Error(`${reference} has no attempt`);
  }
  return row.reference;
}
