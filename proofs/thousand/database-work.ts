import { openOrm, type EntityManager } from '../../database/connection.ts';

export interface DatabaseWork {
  readonly transactionsPerPayment: number;
  /** Null if the server does not preload pg_stat_statements. */
  readonly statementsPerPayment: number | null;
  readonly deadlocks: number;
}

export interface Measurement {
  finish(payments: number): Promise<DatabaseWork>;
}

interface Counts {
  readonly transactions: number;
  readonly deadlocks: number;
  readonly statements: number | null;
}

/** Counts the database work of the whole service from now on, including the sweeper and the sealer. */
export async function measureDatabase(databaseUrl: string): Promise<Measurement> {
  const orm = await openOrm({ url: databaseUrl, role: 'owner', poolSize: 1 });
  const preloaded = await isPreloaded(orm.em.fork());
  if (preloaded) {
    await orm.em.fork().execute('create extension if not exists pg_stat_statements');
  }
  const before = await count(orm.em.fork(), preloaded);
  return {
    async finish(payments) {
      const after = await count(orm.em.fork(), preloaded);
      await orm.close();
      const each = (total: number): number => Number((total / payments).toFixed(1));
      return {
        transactionsPerPayment: each(after.transactions - before.transactions),
        statementsPerPayment: after.statements === null ? null : each(after.statements - (before.statements ?? 0)),
        deadlocks: after.deadlocks - before.deadlocks,
      };
    },
  };
}

async function isPreloaded(em: EntityManager): Promise<boolean> {
  const [row] = await em.execute<{ shared_preload_libraries: string }[]>('show shared_preload_libraries');
  return row?.shared_preload_libraries.includes('pg_stat_statements') ?? false;
}

async function count(em: EntityManager, preloaded: boolean): Promise<Counts> {
  const [row] = await em.execute<{ transactions: string; deadlocks: string }[]>(
    'select xact_commit + xact_rollback as transactions, deadlocks from pg_stat_database where datname = current_database()',
  );
  const [statements] = preloaded
    ? await em.execute<{ calls: string }[]>(
        `select sum(calls) as calls from pg_stat_statements
         where dbid = (select oid from pg_database where datname = current_database())`,
      )
    : [];
  return {
    transactions: Number(row?.transactions ?? 0),
    deadlocks: Number(row?.deadlocks ?? 0),
    statements: statements === undefined ? null : Number(statements.calls),
  };
}
