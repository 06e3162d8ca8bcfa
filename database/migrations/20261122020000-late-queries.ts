import { Migration } from '@mikro-orm/migrations';

/** Attempts that were closed since nobody had paid are asked about again where the gateway tells nobody of a charge. */
export class LateQuestionsMigration extends Migration {
  override async up(): Promise<void> {
    for (const statement of CHANGES) {
      this.addSql(statement);
    }
  }
}

const CHANGES = [
  `alter table payment_attempts
    -- When the sweeper has the gateway asked next; null: no more.
    add column query_again_at timestamptz,
    add column queried_again integer not null default 0 check (queried_again >= 0)`,
  `create index on payment_attempts (query_again_at) where query_again_at is not null`,
];
