import { Migration } from '@mikro-orm/migrations';

/** Payers may choose where they pay, and change their mind: a payment then has several attempts, at several gateways. */
export class GatewayChoicesMigration extends Migration {
  override async up(): Promise<void> {
    for (const statement of CHANGES) {
      this.addSql(statement);
    }
  }
}

const CHANGES = [
  `alter table payments
    -- What the payer may choose from; null where the application has chosen.
    add column gateway_choices text[],
    -- Null until the payer has chosen.
    alter column gateway drop not null,
    add constraint payments_gateway_check check (gateway is not null or gateway_choices is not null)`,
  // The payer has gone on to another gateway: whatever is still paid here is taken, but no money is moved for it.
  `alter table payment_attempts add column superseded_at timestamptz`,
];
