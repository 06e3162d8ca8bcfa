import { Migration } from '@mikro-orm/migrations';

/** What the pages tell payers of: that they were at the gateway before, and which news speaks of money. */
export class PayersOnTheirWayMigration extends Migration {
  override async up(): Promise<void> {
    for (const statement of STATEMENTS) {
      this.addSql(statement);
    }
  }
}

const STATEMENTS = [
  // When our page first led the payer on to a gateway: from then on money may be on its way without a callback.
  'alter table payments add column led_on_at timestamptz',
  // The callback itself says that nothing was paid. Never believed, but no reason to tell a payer that their money is being looked for.
  'alter table gateway_callbacks add column claims_no_money boolean not null default false',
];
