import { openOrm } from '../../database/connection.ts';

/** Statements as the database's owner, who sees every row: what the driver sets back in time, and what the judges count. */
export interface Owner {
  run<Row extends object = object>(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

const TRIES = 3;

/** The server it speaks to is killed now and then, so a statement whose connection is gone is run once more. All of them may be. */
export async function openOwner(databaseUrl: string): Promise<Owner> {
  const orm = await openOrm({ url: databaseUrl, role: 'owner', poolSize: 2 });
  return {
    async run<Row extends object>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
      for (let tries = 1; ; tries += 1) {
        try {
          return await orm.em.fork().execute<Row[]>(sql, [...parameters]);
        } catch (error) {
          if (tries === TRIES) {
            throw error;
          }
        }
      }
    },
    close: () => orm.close(),
  };
}
