import { Migration } from '@mikro-orm/migrations';

/** Operators see and resend the events of invoices: for that they need to know whose they are, and nothing else of an invoice. */
export class InvoicesOfEventsMigration extends Migration {
  override async up(): Promise<void> {
    this.addSql(`create policy operator on invoices for select to lenden_operator
      using ((select lenden_sees_every_app()) or application_id = any((select lenden_seen_apps())::bigint[]))`);
    this.addSql('grant select (id, application_id, mode, reference) on invoices to lenden_operator');
  }
}
