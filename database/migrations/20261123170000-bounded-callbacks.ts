import { Migration } from '@mikro-orm/migrations';

/** What strangers can make us store is bounded, and what proves nothing any more is removed. */
export class BoundedCallbacksMigration extends Migration {
  override async up(): Promise<void> {
    for (const statement of CHANGES) {
      this.addSql(statement);
    }
  }
}

/** 16 kB each, so 80 MB at most. */
const UNMATCHED_KEPT_MAX = 5_000;

const CHANGES = [
  // Unsigned callbacks that named the attempt, each payload once: the first hundred are kept, all are counted.
  `alter table payment_attempts add column unsigned_callbacks integer not null default 0`,
  // Belongs to money, so it is never removed. Decided once, when its time would be over.
  `alter table gateway_callbacks add column kept boolean not null default false`,
  // A signed one is never refused for its size, up to what a request may have.
  `alter table gateway_callbacks drop constraint gateway_callbacks_raw_payload_check,
    add constraint gateway_callbacks_raw_payload_check check (octet_length(raw_payload) <= 1048576)`,
  `create index on gateway_callbacks (created_at) where not kept and consumed_at is not null`,
  `create index on gateway_callbacks (id) where attempt_id is null and not signature_valid`,
  `create index on webhook_attempts (created_at)`,
  `create index on operator_sessions (least(ended_at, expires_at))`,
  `grant delete on gateway_callbacks, webhook_attempts, operator_sessions to lenden_system`,
  // Whoever stores such a row may not read any, so the bound is the table's own.
  `create policy lookup on gateway_callbacks for select to lenden_lookup using (true)`,
  `grant select on gateway_callbacks to lenden_lookup`,
  `grant create on schema public to lenden_lookup`,
  `create function lenden_bound_unmatched() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public
    as $$ begin
      if (select count(*) from (select from public.gateway_callbacks where attempt_id is null and not signature_valid
          limit ${UNMATCHED_KEPT_MAX}) kept) >= ${UNMATCHED_KEPT_MAX} then
        return null;
      end if;
      return new;
    end $$`,
  `alter function lenden_bound_unmatched() owner to lenden_lookup`,
  `revoke create on schema public from lenden_lookup`,
  `revoke all on function lenden_bound_unmatched() from public`,
  `create trigger bound_unmatched before insert on gateway_callbacks
    for each row when (new.attempt_id is null and not new.signature_valid) execute function lenden_bound_unmatched()`,
];
