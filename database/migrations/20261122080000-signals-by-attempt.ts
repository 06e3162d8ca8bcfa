import { Migration } from '@mikro-orm/migrations';

/** Where the payer has changed the gateway, a callback of the one does not keep the other's from being heard at once. */
export class SignalsByAttemptMigration extends Migration {
  override async up(): Promise<void> {
    // The attempt whose signed callback was signalled last.
    this.addSql('alter table payments add column last_signalled_attempt_id bigint');
  }
}
