import { openOrm } from '../../database/connection.ts';

/** Runs statements as the database's owner, who sees every row. The driver uses it to move times back, and the judges to count. */
export interface Owner {
  run<Row extends object = object>(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

const TRIES = 3;

/** Repeats a statement whose connection was lost, because the server is killed now and then. Every statement must be safe to repeat. */
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
