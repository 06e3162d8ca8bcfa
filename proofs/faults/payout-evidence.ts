import type { Owner } from './owner.ts';
import type { PaidOut } from './payout-load.ts';

/** What the rows say of payouts, of all rounds so far. */
export interface PayoutEvidence {
  /** Payout lines by the number of their results. */
  readonly lines: readonly Tally[];
  /** Charges and refunds in the ledger by the number of states that reconciliation says of them. */
  readonly movements: readonly Tally[];
  /** Bookings by the number of their ledger transactions. */
  readonly bookings: readonly Tally[];
  /** The gateways' files and the lines that are stored of them. */
  readonly files: readonly FileEvidence[];
  /** Payouts whose lines differ from what the bank received, unless people have accepted that, with the number of their open cases. */
  readonly residuals: readonly { readonly payout: string; readonly residualMinor: string; readonly cases: number }[];
}

/** How many things have a number of something, and one of them. */
export interface Tally {
  readonly times: number;
  readonly count: number;
  readonly example: string;
}

export interface FileEvidence {
  readonly gateway: string;
  readonly mode: string;
  /** Rows of the gateway's file in the end. */
  readonly rows: number;
  readonly lines: number;
}

const LINES = `
select states as times, count(*)::int, min(name) as example from (
  select n.gateway || ' line ' || n.id as name, count(r.id)::int as states
  from payout_lines n left join reconciliation_results r on r.line_id = n.id group by n.id
) counted group by states`;

/** The ledger, not the product's own query, says what moved. A movement with lines is in the state that these say together. */
const MOVEMENTS = `
with moved as (
  select 'charge:' || t.reference || ':' || coalesce(t.validation_id, '') as key
  from ledger_transactions x join payments p on x.cause_type = 'payment' and p.reference = x.cause_id
    join payment_attempts t on t.payment_id = p.id and t.status = 'CONFIRMED'
  where x.kind = 'charge' and t.gateway <> 'manual'
  union
  select 'charge:' || x.cause_id
  from ledger_transactions x join payment_attempts t on t.reference = split_part(x.cause_id, ':', 1)
  where x.cause_type = 'unapplied-payment' and x.kind = 'unapplied' and t.gateway <> 'manual'
  union
  select 'refund:' || x.cause_id from ledger_transactions x join refunds r on r.reference = x.cause_id
  where x.cause_type = 'refund' and x.kind = 'refund' and r.gateway <> 'manual'
), said as (
  select m.key, (select count(*) from reconciliation_results r where r.movement_key = m.key and r.line_id is null and not r.superseded)
    + (exists (select from reconciliation_results r where r.movement_key = m.key and r.line_id is not null and not r.superseded))::int as states
  from moved m
)
select states::int as times, count(*)::int, min(key) as example from said group by states`;

const BOOKINGS = `
select times, count(*)::int, min(name) as example from (
  select b.gateway || ' booking ' || b.id as name, count(x.id)::int as times
  from payout_bookings b left join ledger_transactions x on x.cause_type = 'payout' and x.cause_id = b.id::text group by b.id
) counted group by times`;

const STORED = `select gateway, mode, count(*)::int as lines from payout_lines group by 1, 2`;

const RESIDUALS = `
select o.gateway || ' ' || o.gateway_reference as payout, (o.bank_minor - o.lines_minor)::text as "residualMinor",
  (select count(*)::int from reconciliation_cases c where c.payout_id = o.id and c.kind = 'residual' and c.state <> 'RESOLVED') as cases
from payouts o
where o.itemized and o.bank_minor is not null and o.bank_minor <> o.lines_minor
  and o.accepted_residual_minor is distinct from o.bank_minor - o.lines_minor
order by 1`;

export async function payoutEvidence(owner: Owner, { files }: PaidOut): Promise<PayoutEvidence> {
  const stored = await owner.run<{ gateway: string; mode: string; lines: number }>(STORED);
  return {
    lines: await owner.run<Tally>(LINES),
    movements: await owner.run<Tally>(MOVEMENTS),
    bookings: await owner.run<Tally>(BOOKINGS),
    files: files.map(({ store: { gateway, mode }, rows }) => ({
      gateway,
      mode,
      rows,
      lines: stored.find((one) => one.gateway === gateway && one.mode === mode)?.lines ?? 0,
    })),
    residuals: await owner.run(RESIDUALS),
  };
}
