import { Migration } from '@mikro-orm/migrations';

/** Accounts of TEST and of LIVE may bear one name: a transaction of the one is not evidence that the other has used. */
export class EvidenceByModeMigration extends Migration {
  override async up(): Promise<void> {
    for (const statement of CHANGES) {
      this.addSql(statement);
    }
  }
}

const CHANGES = [
  `drop index payment_attempts_validation_id`,
  `create unique index payment_attempts_validation_id on payment_attempts (gateway, mode, store_id, validation_id) where validation_id is not null`,
];
