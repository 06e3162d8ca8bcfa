import { unappliedPaymentKept, refundPosting } from '../../../domain/ledger.ts';
import type { Mode } from '../../../domain/mode.ts';
import type { EntityManager } from '../../../database/connection.ts';
import type { Findings } from './findings.ts';
import { postedFinding, postedJson, type PostedTransaction } from './posted.ts';
import { eachRow } from './rows.ts';

const LISTED_MAX = 100;

/**
 * Checks that every successful refund is posted, that no payment refunded more than it took, and that payment statuses match. Returns the number of
 * refunds.
 */
export async function verifyRefunds(em: EntityManager, findings: Findings): Promise<number> {
  const refunds = await eachRow<RefundRow>(em, SUCCEEDED_REFUNDS, (refund) => {
    const finding = refundFinding(refund);
    if (finding !== null) {
      findings.add({ check: 'refund', ...finding });
    }
  });
  await eachRow<KeptRow>(em, KEPT_UNAPPLIED_PAYMENTS, (late) => {
    const finding = keptFinding(late);
    if (finding !== null) {
      findings.add({ check: 'unapplied-payment', ...finding });
    }
  });
  const wrong =
    await em.execute<{ id: string; table: 'payments' | 'unapplied_payments'; what: string }[]>(WRONG_STATUS);
  for (const { id, table, what } of wrong) {
    findings.add({ check: 'refund', table, id, what });
  }
  return refunds;
}

interface RefundRow {
  readonly id: string;
  readonly reference: string;
  readonly applicationId: string;
  readonly mode: Mode;
  readonly currency: string;
  readonly gateway: string;
  readonly amount: string;
  readonly late: boolean;
  readonly posted: PostedTransaction | null;
}

const SUCCEEDED_REFUNDS = `
select r.id::text, r.reference, r.application_id::text as "applicationId", r.mode, r.currency, r.gateway, r.amount_minor::text as amount,
  r.unapplied_payment_id is not null as late,
  (select ${postedJson('t')} from ledger_transactions t
    where t.cause_type = 'refund' and t.cause_id = r.reference and t.kind = 'refund') as posted
from refunds r where r.id > ?::bigint and r.status = 'SUCCEEDED' order by r.id limit 200`;

function refundFinding({ id, reference, applicationId, mode, currency, gateway, amount, late, posted }: RefundRow) {
  const bad = (what: string) => ({ table: 'refunds' as const, id, what: `(${reference}) ${what}` });
  return posted === null
    ? bad('refunded money, but nothing is posted for it')
    : postedFinding({
        name: `refund ${reference}`,
        posted,
        expected: () =>
          refundPosting({
            applicationId: BigInt(applicationId),
            mode,
            currency,
            gateway,
            reference,
            amountMinor: BigInt(amount),
            late,
          }),
        bad,
      });
}

interface KeptRow {
  readonly id: string;
  readonly applicationId: string;
  readonly mode: Mode;
  readonly currency: string;
  readonly gross: string;
  readonly attemptReference: string;
  readonly validationId: string;
  readonly posted: PostedTransaction | null;
}

const KEPT_UNAPPLIED_PAYMENTS = `
select l.id::text, l.application_id::text as "applicationId", l.mode, l.currency, l.gross_minor::text as gross,
  a.reference as "attemptReference", l.validation_id as "validationId",
  (select ${postedJson('t')} from ledger_transactions t
    where t.cause_type = 'unapplied-payment' and t.cause_id = a.reference || ':' || l.validation_id and t.kind = 'kept') as posted
from unapplied_payments l join payment_attempts a on a.id = l.attempt_id
where l.id > ?::bigint and l.status = 'KEPT' order by l.id limit 200`;

function keptFinding({ id, applicationId, mode, currency, gross, attemptReference, validationId, posted }: KeptRow) {
  const bad = (what: string) => ({ table: 'unapplied_payments' as const, id, what });
  return posted === null
    ? bad('was kept by the application, but nothing is posted for it')
    : postedFinding({
        name: `unapplied payment ${id}`,
        posted,
        expected: () =>
          unappliedPaymentKept({
            applicationId: BigInt(applicationId),
            mode,
            currency,
            grossMinor: BigInt(gross),
            attemptReference,
            validationId,
          }),
        bad,
      });
}

const WRONG_STATUS = `
with given as (
  select payment_id, sum(amount_minor) filter (where status = 'SUCCEEDED') as back, sum(amount_minor) as reserved
  from refunds where unapplied_payment_id is null and status in ('AWAITING_APPROVAL', 'PENDING', 'SUCCEEDED') group by payment_id
), judged as (
  select p.id, p.reference, p.status, p.amount_minor - p.overpayment_minor as captured, coalesce(g.back, 0) as back, coalesce(g.reserved, 0) as reserved
  from payments p left join given g on g.payment_id = p.id
  where g.payment_id is not null or p.status in ('PARTIALLY_REFUNDED', 'REFUNDED')
)
select id::text, 'payments' as "table",
  format('(%s) is %s; of %s captured, %s was given back and %s is given back or reserved', reference, status, captured, back, reserved) as what
from judged
where reserved > captured or status not in ('SUCCEEDED', 'PARTIALLY_REFUNDED', 'REFUNDED')
  or status <> case when back = 0 then 'SUCCEEDED' when back >= captured then 'REFUNDED' else 'PARTIALLY_REFUNDED' end
union all
select l.id::text, 'unapplied_payments',
  format('is %s with %s given back and %s under way, of %s', l.status, coalesce(sum(r.amount_minor) filter (where r.status = 'SUCCEEDED'), 0),
    coalesce(sum(r.amount_minor) filter (where r.status in ('AWAITING_APPROVAL', 'PENDING')), 0), l.gross_minor)
from unapplied_payments l left join refunds r on r.unapplied_payment_id = l.id
group by l.id
having l.status <> case
    when coalesce(sum(r.amount_minor) filter (where r.status = 'SUCCEEDED'), 0) >= l.gross_minor then 'REFUNDED'
    when coalesce(sum(r.amount_minor) filter (where r.status in ('AWAITING_APPROVAL', 'PENDING')), 0) > 0 then 'REFUNDING'
    when l.status = 'KEPT' then 'KEPT' else 'HELD' end
  or coalesce(sum(r.amount_minor) filter (where r.status in ('AWAITING_APPROVAL', 'PENDING', 'SUCCEEDED')), 0) > l.gross_minor
order by 1 limit ${LISTED_MAX}`;
