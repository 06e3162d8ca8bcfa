import { randomBytes } from 'node:crypto';
import { openOrm } from '../../database/connection.ts';
import { testServers } from './test-servers.ts';

/** A database for one test, cloned from the migrated template. */
export interface TestDatabase {
  /** The owner's connection string. */
  readonly url: string;
  drop(): Promise<void>;
}

/** Clones the template, which takes tens of milliseconds. Drop it in `afterAll`. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { templateUrl } = testServers();
  const template = new URL(templateUrl).pathname.slice(1);
  const name = `lenden_${randomBytes(6).toString('hex')}`;
  // `file_copy` instead of WAL: the checkpoints that it causes are cheap, because the test cluster does not wait for the disk.
  await administer(`create database "${name}" template "${template}" strategy file_copy`);
  return {
    url: withDatabase(templateUrl, name),
    drop: () => administer(`drop database if exists "${name}" with (force)`),
  };
}

/** Copies a database as a restored dump would be. The database must have no connections. */
export async function copyDatabase({ url }: Pick<TestDatabase, 'url'>): Promise<TestDatabase> {
  const name = `lenden_${randomBytes(6).toString('hex')}`;
  await administer(`create database "${name}" template "${new URL(url).pathname.slice(1)}" strategy file_copy`);
  return {
    url: withDatabase(url, name),
    drop: () => administer(`drop database if exists "${name}" with (force)`),
  };
}

/** Creates an empty database, for tests of the migrations themselves. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  const { templateUrl } = testServers();
  const name = `lenden_${randomBytes(6).toString('hex')}`;
  await administer(`create database "${name}"`);
  return {
    url: withDatabase(templateUrl, name),
    drop: () => administer(`drop database if exists "${name}" with (force)`),
  };
}

/** Runs SQL in the server's own database, because a template must have no connections while it is cloned. */
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
