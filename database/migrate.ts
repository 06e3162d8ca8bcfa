import { openOrm } from './connection.ts';

/** Brings the schema to the newest migration, as the owner. Safe to run from several processes: one migrates, the others wait. */
export async function migrate(url: string): Promise<string[]> {
  const orm = await openOrm({ url, role: 'owner', poolSize: 2 });
  try {
    return await orm.em.fork().transactional(async (em) => {
      await em.execute('select pg_advisory_xact_lock(7016402)');
      const done = await orm.migrator.up();
      return done.map(({ name }) => name);
    });
  } finally {
    await orm.close();
  }
}

if (import.meta.main) {
  const url = process.env['DATABASE_URL'];
  if (url === undefined || url === '') {
    console.error('DATABASE_URL is not set: the owner URL of the PostgreSQL database to migrate');
    process.exit(1);
  }
  const done = await migrate(url);
  console.log(JSON.stringify({ msg: 'database migrated', migrations: done }));
}
