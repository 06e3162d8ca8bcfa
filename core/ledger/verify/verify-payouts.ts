import { payoutPosting, type PayoutBookingKind } from '../../../domain/ledger.ts';
import type { Mode } from '../../../domain/mode.ts';
import { amountsFrom } from '../../../domain/payouts/booking.ts';
import type { EntityManager } from '../../../database/connection.ts';
import type { Finding, Findings } from './findings.ts';
import { postedFinding, postedJson, type PostedTransaction } from './posted.ts';
import { eachRow } from './rows.ts';

const LISTED_MAX = 100;

/**
 * Checks that every booking of payouts is posted as it says, that bookings add up to what results say of the lines, in each currency, that converted lines
 * cover exactly what the gateway owed, that each payout has the lines that it counts, and that the bank has what its payouts say. Returns the number of
 * bookings.
 */
export async function verifyPayouts(em: EntityManager, findings: Findings): Promise<number> {
  const bookings = await eachRow<BookingRow>(em, BOOKINGS, (booking) => {
    const finding = bookingFinding(booking);
    if (finding !== null) {
      findings.add({ check: 'payout', ...finding });
    }
  });
  for (const text of CHECKS) {
    for (const finding of await em.execute<Omit<Finding, 'check'>[]>(text(EVERYWHERE))) {
      findings.add({ check: 'payout', ...finding });
    }
  }
  for (const finding of await em.execute<Omit<Finding, 'check'>[]>(WITHOUT_PAYOUT)) {
    findings.add({ check: 'payout', ...finding });
  }
  return bookings;
}

const EVERYWHERE = '';

/** Which payouts are looked at. */
interface OfDay {
  readonly mode: Mode;
  readonly gateway: string;
  readonly period: string;
}

/** Checks the payouts that have a line of this day. Returns what is wrong. */
export async function payoutFindingsOf(em: EntityManager, { mode, gateway, period }: OfDay): Promise<Finding[]> {
  const only = `and o.id in (select n.payout_id from payout_lines n where n.mode = ? and n.gateway = ? and n.period = ?::date)`;
  const found: Finding[] = [];
  for (const text of CHECKS) {
    const rows = await em.execute<Omit<Finding, 'check'>[]>(text(only), [mode, gateway, period]);
    found.push(...rows.map((row): Finding => ({ check: 'payout', ...row })));
  }
  return found;
}

interface BookingRow {
  readonly id: string;
  readonly applicationId: string;
  readonly mode: Mode;
  readonly currency: string;
  readonly gateway: string;
  readonly kind: PayoutBookingKind;
  readonly amounts: string;
  readonly posted: PostedTransaction | null;
}

const BOOKINGS = `
select b.id::text, b.application_id::text as "applicationId", b.mode, b.currency, b.gateway, b.kind, b.amounts,
  (select ${postedJson('t')} from ledger_transactions t
    where t.cause_type = 'payout' and t.cause_id = b.id::text and t.kind = 'payout') as posted
from payout_bookings b where b.id > ?::bigint order by b.id limit 200`;

function bookingFinding({ id, applicationId, mode, currency, gateway, kind, amounts, posted }: BookingRow) {
  const bad = (what: string) => ({ table: 'payout_bookings' as const, id, what });
  return posted === null
    ? bad('says what was posted, but nothing is posted for it')
    : postedFinding({
        name: `payout booking ${id}`,
        posted,
        expected: () =>
          payoutPosting({
            applicationId: BigInt(applicationId),
            mode,
            currency,
            gateway,
            kind,
            bookingId: BigInt(id),
            amounts: amountsFrom(amounts),
          }),
        bad,
      });
}

const LINE_SUMS = (only: string): string => `
select o.id::text, 'payouts' as "table",
  format('(%s) counts %s lines of %s in all, but has %s of %s', o.reference, o.lines, o.lines_minor, count(n.id), coalesce(sum(n.net_minor), 0)) as what
from payouts o left join payout_lines n on n.payout_id = o.id
where true ${only}
group by o.id
having o.lines <> count(n.id) or o.lines_minor <> coalesce(sum(n.net_minor), 0)
order by o.id limit ${LISTED_MAX}`;

const RESULT_AMOUNTS = (only: string): string => `
select r.id::text, 'reconciliation_results' as "table",
  format('books %s for a line of %s', coalesce(sum(a.amount), 0), n.net_minor) as what
from payouts o join payout_lines n on n.payout_id = o.id join reconciliation_results r on r.line_id = n.id
  left join lateral (select value::numeric as amount from jsonb_each_text(r.booked::jsonb)) a on true
where true ${only}
group by r.id, n.id
having coalesce(sum(a.amount), 0) <> n.net_minor
order by r.id limit ${LISTED_MAX}`;

/** What results say is booked: in the currency of the line, and what a converted line covers in the currency of its movement. */
const SAID = `
  select r.line_id, r.booked_application_id as application_id, r.mode, r.gateway, r.currency, 'lines' as kind, a.key as account, a.value::numeric as amount
  from reconciliation_results r, jsonb_each_text(r.booked::jsonb) a
  union all
  select r.line_id, r.booked_application_id, r.mode, r.gateway, r.converted_currency, 'converted', 'clearing', r.converted_minor
  from reconciliation_results r where r.converted_minor is not null`;

const BOOKED_SUMS = (only: string): string => `
with said as (
  select n.payout_id, r.application_id, r.currency, r.kind, r.account, sum(r.amount) as amount
  from payouts o join payout_lines n on n.payout_id = o.id join (${SAID}) r on r.line_id = n.id
  where true ${only} group by 1, 2, 3, 4, 5
), posted as (
  select b.payout_id, b.application_id, b.currency, b.kind, a.key as account, sum(a.value::numeric) as amount
  from payout_bookings b, jsonb_each_text(b.amounts::jsonb) a
  where b.kind <> 'bank' and b.payout_id in (select payout_id from said) group by 1, 2, 3, 4, 5
)
select coalesce(s.payout_id, p.payout_id)::text as id, 'payouts' as "table",
  format('has %s %s booked to %s of application %s, but its results say %s', coalesce(p.amount, 0), coalesce(s.currency, p.currency),
    coalesce(s.account, p.account), coalesce(s.application_id, p.application_id), coalesce(s.amount, 0)) as what
from said s full join posted p on (p.payout_id, p.application_id, p.currency, p.kind, p.account)
  = (s.payout_id, s.application_id, s.currency, s.kind, s.account)
where coalesce(s.amount, 0) <> coalesce(p.amount, 0)
order by 1 limit ${LISTED_MAX}`;

/** Lines in no payout, and movements that people wrote off. */
const WITHOUT_PAYOUT = `
with said as (
  select r.application_id, r.mode, r.gateway, r.currency, r.kind, r.account, sum(r.amount) as amount
  from (${SAID}) r left join payout_lines n on n.id = r.line_id
  where n.payout_id is null group by 1, 2, 3, 4, 5, 6
), posted as (
  select b.application_id, b.mode, b.gateway, b.currency, b.kind, a.key as account, sum(a.value::numeric) as amount, max(b.id) as id
  from payout_bookings b, jsonb_each_text(b.amounts::jsonb) a
  where b.kind <> 'bank' and b.payout_id is null group by 1, 2, 3, 4, 5, 6
)
select coalesce(p.id, 0)::text as id, 'payout_bookings' as "table",
  format('%s %s of lines without a payout are booked to %s of application %s at %s, but results say %s', coalesce(p.amount, 0),
    coalesce(s.currency, p.currency), coalesce(s.account, p.account), coalesce(s.application_id, p.application_id),
    coalesce(s.gateway, p.gateway), coalesce(s.amount, 0)) as what
from said s full join posted p on (p.application_id, p.mode, p.gateway, p.currency, p.kind, p.account)
  = (s.application_id, s.mode, s.gateway, s.currency, s.kind, s.account)
where coalesce(s.amount, 0) <> coalesce(p.amount, 0)
order by 1 limit ${LISTED_MAX}`;

/**
 * A movement with a converted line is settled: its lines cover what it put into clearing, whose currency is not that of the line. Of a refund that failed
 * after all, nothing, once it is judged again.
 */
const CONVERTED_SUMS = (only: string): string => `
with converted as (
  select r.movement_key, min(r.id) as id
  from reconciliation_results r join payout_lines n on n.id = r.line_id left join payouts o on o.id = n.payout_id
  where r.line_kind in ('CHARGE', 'REFUND', 'ADJUSTMENT') and (r.converted_minor is not null or r.booked::jsonb ->> 'conversion' is not null) ${only}
  group by 1
), caused as (
  select c.id, c.movement_key, 'gateway:' || r.gateway || ':clearing' as clearing,
    case when r.refund_id is not null then 'refund' when r.unapplied_payment_id is not null then 'unapplied-payment' else 'payment' end as cause_type,
    case when r.refund_id is not null or r.unapplied_payment_id is not null
      then substr(c.movement_key, position(':' in c.movement_key) + 1) else p.reference end as cause_id
  from converted c join reconciliation_results r on r.id = c.id left join payments p on p.id = r.payment_id
), owed as (
  select c.id, c.movement_key, exists (select from ledger_transactions b where b.reverses_id = t.id) as is_reversed,
    coalesce(sum(case when d.name = c.clearing then l.amount_minor when e.name = c.clearing then -l.amount_minor end), 0) as amount
  from caused c
    left join ledger_transactions t on t.cause_type = c.cause_type and t.cause_id = c.cause_id and t.kind in ('charge', 'unapplied', 'refund')
    left join ledger_postings l on l.transaction_id = t.id
    left join ledger_accounts d on d.id = l.debit_account_id left join ledger_accounts e on e.id = l.credit_account_id
  group by c.id, c.movement_key, t.id
), covered as (
  select o.id, o.movement_key, o.is_reversed, o.amount as owed,
    coalesce(sum(coalesce(x.converted_minor, (x.booked::jsonb ->> 'clearing')::bigint)), 0) as amount
  from owed o left join reconciliation_results x on x.movement_key = o.movement_key
  group by 1, 2, 3, 4
)
select id::text, 'reconciliation_results' as "table",
  format('and what else is said of %s cover %s of the %s that its gateway owed', movement_key, amount, owed) as what
from covered where amount <> owed and not (is_reversed and amount = 0)
order by covered.id limit ${LISTED_MAX}`;

const BANK_SUMS = (only: string): string => `
select o.id::text, 'payouts' as "table",
  format('(%s) has %s in the bank by its transfers, but %s is posted', o.reference, coalesce(o.bank_minor, 0), -coalesce(sum((b.amounts::jsonb ->> 'bank')::numeric), 0)) as what
from payouts o left join payout_bookings b on b.payout_id = o.id and b.kind = 'bank'
where not o.needs_booking ${only}
group by o.id
having coalesce(o.bank_minor, 0) <> -coalesce(sum((b.amounts::jsonb ->> 'bank')::numeric), 0)
order by o.id limit ${LISTED_MAX}`;

const CHECKS = [LINE_SUMS, RESULT_AMOUNTS, BOOKED_SUMS, CONVERTED_SUMS, BANK_SUMS];
