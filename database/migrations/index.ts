import { InitialMigration } from './20261123000000-initial/initial-migration.ts';

/** All migrations, in the order in which they run. Append only: a released migration is never edited. */
export const MIGRATIONS = [{ name: '20261123000000-initial', class: InitialMigration }];
