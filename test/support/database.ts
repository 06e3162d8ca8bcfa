import { randomBytes } from 'node:crypto';
import { openOrm } from '../../database/connection.ts';
import { testServers } from './test-servers.ts';

/** A database of one test's own, cloned from the migrated template. */
export interface TestDatabase {
  /** The owner's connection string. */
  readonly url: string;
  drop(): Promise<void>;
}

/** Clones the template; takes some tens of milliseconds. Drop it in `afterAll`. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { templateUrl } = testServers();
  const template = new URL(templateUrl).pathname.slice(1);
  const name = `lenden_${randomBytes(6).toString('hex')}`;
  // File copy, not WAL: a clone needs no checkpoint-free path, and the test cluster does not wait for the disk anyway.
  await administer(`create database "${name}" template "${template}" strategy file_copy`);
  return {
    url: withDatabase(templateUrl, name),
    drop: () => administer(`drop database if exists "${name}" with (force)`),
  };
}

/** A database as it stands, as a dump would bring it back. Nobody may be connected to it. */
export async function copyDatabase({ url }: Pick<TestDatabase, 'url'>): Promise<TestDatabase> {
  const name = `lenden_${randomBytes(6).toString('hex')}`;
  await administer(`create database "${name}" template "${new URL(url).pathname.slice(1)}" strategy file_copy`);
  return {
    url: withDatabase(url, name),
    drop: () => administer(`drop database if exists "${name}" with (force)`),
  };
}

/** An empty database, for tests of the migrations themselves. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  const { templateUrl } = testServers();
  const name = `lenden_${randomBytes(6).toString('hex')}`;
  await administer(`create database "${name}"`);
  return {
    url: withDatabase(templateUrl, name),
    drop: () => administer(`drop database if exists "${name}" with (force)`),
  };
}

/** Nobody may be connected to a template while it is cloned, so this uses the server's own database. */
async function administer(sql: string): Promise<void> {
  try {
    await administerOnce(sql);
  } catch (error) {
    // A worker process that is busy for five seconds, as on a shared machine, misses the answer to its own connection. Nothing was sent by then.
    if (!String(error).includes('Connection terminated due to connection timeout')) {
      throw error;
    }
    await administerOnce(sql);
  }
}

async function administerOnce(sql: string): Promise<void> {
  const orm = await openOrm({ url: withDatabase(testServers().templateUrl, 'postgres'), role: 'owner', poolSize: 1 });
  try {
    await orm.em.fork().execute(sql);
  } finally {
    await orm.close();
  }
}

function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}
