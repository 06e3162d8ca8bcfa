import { Migration } from '@mikro-orm/migrations';

/** After a restore: the numbers that customers hold and no invoice has any more. They are written once, so that a gap has a reason. */
export class LostInvoiceNumbersMigration extends Migration {
  override async up(): Promise<void> {
    this.addSql(`create table lost_invoice_numbers (
      application_id bigint not null references applications,
      mode text not null check (mode in ('TEST', 'LIVE')),
      first_number bigint not null check (first_number > 0),
      last_number bigint not null check (last_number >= first_number),
      created_at timestamptz not null default now(),
      primary key (application_id, mode, first_number)
    )`);
    this.addSql('alter table lost_invoice_numbers enable row level security');
    this.addSql('alter table lost_invoice_numbers force row level security');
    this.addSql('create policy system on lost_invoice_numbers to lenden_system using (true) with check (true)');
    this.addSql('grant select, insert on lost_invoice_numbers to lenden_system');
    this.addSql(`create trigger append_only before update or delete or truncate on lost_invoice_numbers
      for each statement execute function lenden_refuse_rewriting()`);
  }
}
