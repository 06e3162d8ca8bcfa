import type { EntityManager } from '../../../database/connection.ts';
import { listRows, type ListPage, type ListSlice } from '../../../database/lists.ts';
import type { Mode } from '../../../domain/mode.ts';
import type { PaymentStatus } from '../../../domain/payment.ts';
import type { UnappliedStatus } from '../../../domain/unapplied-payment.ts';

/** An unapplied payment as operators see it, with the decision that is waiting. */
export interface UnappliedDetailRow {
  id: string;
  payment_id: string;
  payment_reference: string;
  payment_status: PaymentStatus;
  application_id: string;
  application_name: string;
  mode: Mode;
  status: UnappliedStatus;
  kind: 'late' | 'overpayment';
  gross_minor: string;
  fee_minor: string;
  currency: string;
  gateway: string;
  gateway_txn_id: string;
  decision: 'refund' | 'keep' | null;
  awaits_second: boolean | null;
  created_at: Date;
  updated_at: Date;
}

const COLUMNS = `l.id, l.payment_id, p.reference as payment_reference, p.status as payment_status, l.application_id, a.name as application_name,
  l.mode, l.status, l.kind, l.gross_minor, l.fee_minor, l.currency, l.gateway, l.gateway_txn_id, d.decision,
  d.needs_second and d.second_operator_id is null as awaits_second, l.created_at, l.updated_at`;
const FROM = `unapplied_payments l join payments p on p.id = l.payment_id join applications a on a.id = l.application_id
  left join decisions d on d.unapplied_payment_id = l.id and d.consumed_at is null`;

export interface UnappliedFilter {
  readonly applicationId?: bigint | undefined;
  readonly mode?: Mode | undefined;
  readonly status?: UnappliedStatus | undefined;
  readonly paymentId?: bigint | undefined;
}

/** Returns a page of the unapplied payments in an operator's view. */
export function listAllUnapplied(
  em: EntityManager,
  { filter, sortBy, slice }: { filter: UnappliedFilter; sortBy: 'createdAt' | 'amountMinor'; slice: ListSlice },
): Promise<ListPage<UnappliedDetailRow>> {
  return listRows(em, {
    columns: COLUMNS,
    from: FROM,
    conditions: [
      ['l.application_id = ?', filter.applicationId],
      ['l.mode = ?', filter.mode],
      ['l.status = ?', filter.status],
      ['l.payment_id = ?', filter.paymentId],
    ],
    orderBy: sortBy === 'amountMinor' ? ['l.gross_minor', 'l.id'] : ['l.created_at', 'l.id'],
    slice,
  });
}

/** Returns null if the operator's view has no such unapplied payment. */
export async function readUnappliedDetail(em: EntityManager, id: bigint): Promise<UnappliedDetailRow | null> {
  const [row] = await em.execute<UnappliedDetailRow[]>(`select ${COLUMNS} from ${FROM} where l.id = ?`, [id]);
  return row ?? null;
}
