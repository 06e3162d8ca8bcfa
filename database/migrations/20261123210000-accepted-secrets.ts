import { Migration } from '@mikro-orm/migrations';

/**
 * Which signing secret a receiver accepted last while several sign. OwnPay's and ShadhinPay's headers have room for one signature, so the secret
 * that the receiver is known to hold is offered first.
 */
export class AcceptedSecretsMigration extends Migration {
  override async up(): Promise<void> {
    this.addSql(
      `alter table webhook_endpoints add column accepted_secret_id bigint references webhook_signing_secrets`,
    );
  }
}
