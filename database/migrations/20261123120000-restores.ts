import { Migration } from '@mikro-orm/migrations';

/** What was lost when an older state of the database came back. It is written once, by `npm run restore`, so that every gap has a reason. */
export class RestoresMigration extends Migration {
  override async up(): Promise<void> {
    // The numbers that customers hold and no invoice has any more.
    this.addSql(`create table lost_invoice_numbers (
      application_id bigint not null references applications,
      mode text not null check (mode in ('TEST', 'LIVE')),
      first_number bigint not null check (first_number > 0),
      last_number bigint not null check (last_number >= first_number),
      created_at timestamptz not null default now(),
      primary key (application_id, mode, first_number)
    )`);
    // Until when seals behind the last one of the dump are those of the state that is lost.
    this.addSql(`create table restores (
      id bigint generated always as identity primary key,
      last_seal_id bigint not null check (last_seal_id >= 0),
      restored_at timestamptz not null default now()
    )`);
    for (const table of ['lost_invoice_numbers', 'restores']) {
      this.addSql(`alter table ${table} enable row level security`);
      this.addSql(`alter table ${table} force row level security`);
      this.addSql(`create policy system on ${table} to lenden_system using (true) with check (true)`);
      this.addSql(`grant select, insert on ${table} to lenden_system`);
      this.addSql(`create trigger append_only before update or delete or truncate on ${table}
        for each statement execute function lenden_refuse_rewriting()`);
    }
  }
}
