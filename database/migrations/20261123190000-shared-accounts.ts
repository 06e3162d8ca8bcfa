import { Migration } from '@mikro-orm/migrations';

/** What a decision depends on beyond its own application: who else uses the account, and whether whoever spoke first may still speak. */
export class SharedAccountsMigration extends Migration {
  override async up(): Promise<void> {
    for (const statement of STATEMENTS) {
      this.addSql(statement);
    }
  }
}

/** Of `manual_submissions o` and its attempt `ot`: the payer wrote of the account that `s` and its attempt `t` are about. */
const SAME_ACCOUNT = `o.mode = s.mode and ot.store_id = t.store_id and o.store_application_id is not distinct from s.store_application_id`;

const STATEMENTS = [
  `create index on manual_submissions (application_id, mode)`,

  `grant create on schema public to lenden_lookup`,
  ...['roles', 'operator_grants', 'manual_submissions', 'decisions'].flatMap((table) => [
    `create policy lookup on ${table} for select to lenden_lookup using (true)`,
    `grant select on ${table} to lenden_lookup`,
  ]),
  `create policy lookup on operators for select to lenden_lookup using (true)`,
  `grant select (id, status) on operators to lenden_lookup`,

  // Whether an operator may do something in an application at this moment. An application's transactions see no operators.
  `create function lenden_operator_may(operator bigint, wanted text, in_application bigint) returns boolean
    language sql stable security definer set search_path = pg_catalog, public
    as $$ select exists (select from public.operators o join public.operator_grants g on g.operator_id = o.id join public.roles r on r.id = g.role_id
      where o.id = operator and o.status = 'ACTIVE' and (g.application_id is null or g.application_id = in_application)
        and (r.everything or wanted = any(r.permissions))) $$`,

  // The thresholds of each application whose payers pay into the account of a submission, or have said that they did.
  `create function lenden_account_thresholds(for_submission bigint) returns table (threshold bigint, thresholds jsonb)
    language sql stable security definer set search_path = pg_catalog, public
    as $$ select a.refund_approval_threshold_minor, a.refund_approval_thresholds
      from public.manual_submissions s join public.payment_attempts t on t.id = s.attempt_id join public.applications a on a.id = s.application_id
        or (s.store_application_id is null and not exists (select from public.gateway_configurations g
          where g.application_id = a.id and g.mode = s.mode and g.gateway = t.gateway and g.retired_at is null))
        or exists (select from public.manual_submissions o join public.payment_attempts ot on ot.id = o.attempt_id
          where o.application_id = a.id and ${SAME_ACCOUNT})
      where s.id = for_submission $$`,

  // How much an operator has lately confirmed in the account of a submission, for other applications than its own.
  `create function lenden_confirmed_elsewhere(for_submission bigint, by_operator bigint, in_currency text, within interval) returns numeric
    language sql stable security definer set search_path = pg_catalog, public
    as $$ select coalesce(sum(d.amount_minor), 0)
      from public.manual_submissions s join public.payment_attempts t on t.id = s.attempt_id
        join public.decisions d on d.mode = s.mode and d.application_id <> s.application_id and d.operator_id = by_operator
          and d.currency = in_currency and d.created_at > now() - within and d.kind = 'manual' and d.decision = 'accept'
          and coalesce(d.outcome, '') not in ('TAKEN_BACK', 'LAPSED')
        join public.manual_submissions o on o.id = d.manual_submission_id join public.payment_attempts ot on ot.id = o.attempt_id
      where s.id = for_submission and ${SAME_ACCOUNT} $$`,

  ...[
    'lenden_operator_may(bigint, text, bigint)',
    'lenden_account_thresholds(bigint)',
    'lenden_confirmed_elsewhere(bigint, bigint, text, interval)',
  ].flatMap((lookup) => [
    `alter function ${lookup} owner to lenden_lookup`,
    `revoke all on function ${lookup} from public`,
    `grant execute on function ${lookup} to lenden_app`,
  ]),
  `revoke create on schema public from lenden_lookup`,
];
