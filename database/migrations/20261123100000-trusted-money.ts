import { Migration } from '@mikro-orm/migrations';

/** Transactions by hand are compared strictly and by whose account they went into. */
export class TrustedMoneyMigration extends Migration {
  override async up(): Promise<void> {
    for (const statement of CHANGES) {
      this.addSql(statement);
    }
  }
}

const CHANGES = [
  // Whose store of that name an application uses: its own (its id), or the installation's (null).
  `create function lenden_store_owner(for_application bigint, in_mode text, at_gateway text, at_store text) returns bigint
  language sql stable set search_path = pg_catalog, public
  as $$ select application_id from public.gateway_configurations
    where (application_id = for_application or application_id is null) and mode = in_mode and gateway = at_gateway and store_id = at_store
    order by application_id nulls last limit 1 $$`,
  `alter table manual_submissions
    -- Whose account the payer was asked to pay into when they wrote: an application's own, or with null the installation's.
    add column store_application_id bigint references applications,
    add check (normalized ~ '^[0-9A-Z]+$')`,
  // Two applications may call their accounts alike; one transaction into one account still pays for one thing.
  `alter table manual_confirmations
    add column store_application_id bigint references applications,
    add check (normalized ~ '^[0-9A-Z]+$'),
    drop constraint manual_confirmations_pkey,
    add primary key (submission_id),
    add unique nulls not distinct (store_application_id, mode, store_id, normalized)`,
  // A manual charge is named by its payer's transaction, which manual_confirmations keeps apart by account.
  `drop index payment_attempts_validation_id`,
  `create unique index payment_attempts_validation_id on payment_attempts (gateway, mode, store_id, validation_id)
    where validation_id is not null and gateway <> 'manual'`,
];
