import type { EntityManager } from '../../../database/connection.ts';
import type { Findings } from './findings.ts';

const LISTED_MAX = 100;

/**
 * Checks every issued invoice: the paid amount is what its payments brought minus what refunds re-opened, its lines and installments add up, and the
 * numbers of each application and mode are 1 to n without a gap, except those lost in a restore. Returns the number of invoices.
 */
export async function verifyInvoices(em: EntityManager, findings: Findings): Promise<number> {
  for (const sql of [WRONG_PAID, WRONG_SUMS, WRONG_NUMBERS]) {
    const rows = await em.execute<{ id: string; table: string; what: string }[]>(sql);
    for (const { id, table, what } of rows) {
      findings.add({ check: 'invoice', table, id, what });
    }
  }
  const [row] = await em.execute<{ count: number }[]>(
    `select count(*)::integer as count from invoices where status <> 'DRAFT'`,
  );
  return row?.count ?? 0;
}

const WRONG_PAID = `
with brought as (
  select p.invoice_id, sum(p.amount_minor - p.overpayment_minor) as minor from payments p
  where p.invoice_id is not null and p.status in ('SUCCEEDED', 'PARTIALLY_REFUNDED', 'REFUNDED') group by p.invoice_id
), kept as (
  select p.invoice_id, sum(l.applied_minor) as minor from unapplied_payments l join payments p on p.id = l.payment_id
  where p.invoice_id is not null group by p.invoice_id
), reopened as (
  select p.invoice_id, sum(r.amount_minor) as minor from refunds r join payments p on p.id = r.payment_id
  where p.invoice_id is not null and r.reopens_invoice and r.status = 'SUCCEEDED' group by p.invoice_id
), judged as (
  select i.id, i.number, i.status, i.paid_minor,
    coalesce(b.minor, 0) + coalesce(k.minor, 0) - coalesce(o.minor, 0) as counted
  from invoices i left join brought b on b.invoice_id = i.id left join kept k on k.invoice_id = i.id left join reopened o on o.invoice_id = i.id
)
select id::text, 'invoices' as "table", format('(number %s) is %s with %s paid, its payments and refunds come to %s', number, status, paid_minor, counted)
  as what
from judged where paid_minor <> counted order by id limit ${LISTED_MAX}`;

const WRONG_SUMS = `
select i.id::text, 'invoices' as "table", format('(number %s) has a subtotal of %s and a total of %s, its lines come to %s, its installments to %s',
    i.number, i.subtotal_minor, i.total_minor, lines.minor, coalesce(parts.minor::text, 'none')) as what
from invoices i
  left join lateral (select coalesce(sum(line_total_minor), 0) as minor from invoice_items t where t.invoice_id = i.id) lines on true
  left join lateral (select sum(amount_minor) as minor from invoice_installments s where s.invoice_id = i.id) parts on true
where lines.minor <> i.subtotal_minor or parts.minor <> i.total_minor
order by i.id limit ${LISTED_MAX}`;

const WRONG_NUMBERS = `
select concat_ws('/', coalesce(c.application_id, n.application_id), coalesce(c.mode, n.mode)) as id, 'invoice_counters' as "table",
  format('gave out %s numbers; %s invoices have one, up to %s, and %s are lost', coalesce(c.last_number, 0), coalesce(n.count, 0), coalesce(n.last, 0),
    coalesce(l.count, 0)) as what
from invoice_counters c
  full join (select application_id, mode, count(*) as count, max(number) as last from invoices where number is not null group by 1, 2) n
    on n.application_id = c.application_id and n.mode = c.mode
  left join (select application_id, mode, sum(last_number - first_number + 1) as count, max(last_number) as last from lost_invoice_numbers group by 1, 2) l
    on l.application_id = c.application_id and l.mode = c.mode
where c.last_number is distinct from coalesce(n.count, 0) + coalesce(l.count, 0) or c.last_number is distinct from greatest(n.last, l.last)
order by 1 limit ${LISTED_MAX}`;
