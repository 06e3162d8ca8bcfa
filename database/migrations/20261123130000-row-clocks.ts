import { Migration } from '@mikro-orm/migrations';

/**
 * What time it is for a row: the database's, and a test clock's offset where the row has one. Nothing moves a clock yet; money that is real never
 * gets another time than the database's.
 */
export class RowClocksMigration extends Migration {
  override async up(): Promise<void> {
    this.addSql(`create function lenden_now(clock_offset interval) returns timestamptz language sql stable parallel safe
      as $$ select now() + clock_offset $$`);
    for (const table of ['payments', 'refunds', 'invoices']) {
      this.addSql(`alter table ${table} add column clock_offset interval not null default interval '0 seconds'`);
      this.addSql(
        `alter table ${table} add constraint ${table}_clock_offset_check check (mode = 'TEST' or clock_offset = interval '0 seconds')`,
      );
    }
  }
}
