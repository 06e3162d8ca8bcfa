import { Migration } from '@mikro-orm/migrations';

/** A key of an application with a threshold waits for a second person, held money for a workflow that watches over it. */
export class WaitingKeysAndMoneyMigration extends Migration {
  override async up(): Promise<void> {
    for (const statement of STATEMENTS) {
      this.addSql(statement);
    }
  }
}

const STATEMENTS = [
  // A key that waits is found like one that is revoked: `lenden_find_credential` calls neither usable. Until it is confirmed, `expires_at` says when
  // nobody can confirm it any more.
  `alter table credentials drop constraint credentials_status_check,
    add constraint credentials_status_check check (status in ('PENDING', 'ACTIVE', 'REVOKED'))`,
  `create index on credentials (expires_at) where status = 'PENDING'`,
  `alter table pending_changes drop constraint pending_changes_kind_check,
    add constraint pending_changes_kind_check check (kind in ('application-settings', 'credential', 'credential-rotation', 'gateway-store',
      'gateway-store-retirement', 'operator-roles', 'operator-access', 'operator-enabling', 'role'))`,
  // Set while no workflow is known to watch over held money: the start of one can be lost.
  `alter table unapplied_payments add column next_sweep_at timestamptz`,
  `create index on unapplied_payments (next_sweep_at) where status = 'HELD' and next_sweep_at is not null`,
];
