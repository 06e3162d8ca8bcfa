import { Migration } from '@mikro-orm/migrations';

/** Two workers may hear of two charges of one payment at the same moment: one of them settles it, the other one is unapplied money. */
export class OneConfirmedAttemptMigration extends Migration {
  override async up(): Promise<void> {
    this.addSql(
      `create unique index payment_attempts_one_confirmed on payment_attempts (payment_id) where status = 'CONFIRMED'`,
    );
  }
}
