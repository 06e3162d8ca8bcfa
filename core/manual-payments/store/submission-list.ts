import type { EntityManager } from '../../../database/connection.ts';
import { listRows, type ListPage, type ListSlice } from '../../../database/lists.ts';
import type { SubmissionStatus } from '../../../domain/manual-payment.ts';
import type { Mode } from '../../../domain/mode.ts';
import type { PaymentStatus } from '../../../domain/payment.ts';

/** A payer's submission as operators see it, with the decision on it. */
export interface SubmissionDetailRow {
  id: string;
  payment_id: string;
  payment_reference: string;
  payment_status: PaymentStatus;
  application_id: string;
  application_name: string;
  mode: Mode;
  status: SubmissionStatus;
  amount_minor: string;
  currency: string;
  store_id: string;
  code: string;
  transaction: string;
  normalized: string;
  sender: string | null;
  claimed_by_others: number;
  decision: 'accept' | 'reject' | null;
  awaits_second: boolean;
  expires_at: Date;
  created_at: Date;
}

const AWAITS_SECOND = 'd.needs_second and d.second_operator_id is null';
const STATUS = `case when d.id is not null and not (${AWAITS_SECOND}) then case d.decision when 'accept' then 'CONFIRMED' else 'REJECTED' end
  when exists(select 1 from manual_submissions n where n.attempt_id = s.attempt_id and n.id > s.id) then 'CORRECTED' else 'WAITING' end`;
const COLUMNS = `s.id, s.payment_id, p.reference as payment_reference, p.status as payment_status, s.application_id, a.name as application_name,
  s.mode, ${STATUS} as status, p.amount_minor, p.currency, t.store_id, t.reference as code, s.transaction, s.normalized, s.sender,
  (select count(distinct o.payment_id)::integer from manual_submissions o join payment_attempts ot on ot.id = o.attempt_id
    where o.mode = s.mode and o.normalized = s.normalized and o.payment_id <> s.payment_id and ot.store_id = t.store_id
      and o.store_application_id is not distinct from s.store_application_id) as claimed_by_others,
  d.decision, coalesce(${AWAITS_SECOND}, false) as awaits_second, p.expires_at, s.created_at`;
const FROM = `manual_submissions s join payments p on p.id = s.payment_id join payment_attempts t on t.id = s.attempt_id
  join applications a on a.id = s.application_id
  left join decisions d on d.manual_submission_id = s.id and (d.consumed_at is null or not (${AWAITS_SECOND}))`;

export interface SubmissionFilter {
  readonly applicationId?: bigint | undefined;
  readonly mode?: Mode | undefined;
  readonly status?: SubmissionStatus | undefined;
  readonly paymentId?: bigint | undefined;
}

/** Returns a page of the submissions in an operator's view. */
export function listAllSubmissions(
  em: EntityManager,
  { filter, sortBy, slice }: { filter: SubmissionFilter; sortBy: 'createdAt' | 'amountMinor'; slice: ListSlice },
): Promise<ListPage<SubmissionDetailRow>> {
  return listRows(em, {
    columns: COLUMNS,
    from: FROM,
    conditions: [
      ['s.application_id = ?', filter.applicationId],
      ['s.mode = ?', filter.mode],
      [`(${STATUS}) = ?`, filter.status],
      ['s.payment_id = ?', filter.paymentId],
    ],
    orderBy: sortBy === 'amountMinor' ? ['p.amount_minor', 's.id'] : ['s.created_at', 's.id'],
    slice,
  });
}

/** Returns null if the operator's view has no such submission. */
export async function readSubmissionDetail(em: EntityManager, id: bigint): Promise<SubmissionDetailRow | null> {
  const [row] = await em.execute<SubmissionDetailRow[]>(`select ${COLUMNS} from ${FROM} where s.id = ?`, [id]);
  return row ?? null;
}
