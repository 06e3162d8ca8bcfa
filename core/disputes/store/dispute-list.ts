import { expressionBuilder, sql } from 'kysely';
import { list, type ListPage, type ListRow, type ListSlice, type ValuesOf } from '../../../database/lists.ts';
import type { Statements } from '../../../database/statements.ts';
import type { Given } from '../../../database/typed-statements.ts';
import type { DisputeStatus } from '../../../domain/dispute.ts';
import type { Mode } from '../../../domain/mode.ts';

export interface DisputeFilter {
  readonly mode?: Mode | undefined;
  readonly gateway?: string | undefined;
  readonly status?: DisputeStatus | undefined;
  readonly applicationId?: bigint | undefined;
  readonly paymentId?: bigint | undefined;
}

/** What payout lines moved for all disputes of the charge so far. */
const MOVED = sql<bigint>`(select coalesce(sum(l.gross_minor), 0)::bigint from reconciliation_results x join payout_lines l on l.id = x.line_id
  where x.payment_id = d.payment_id and x.line_kind = 'DISPUTE' and l.gateway_txn_id = d.gateway_txn_id)`;

const LIST = list((db, $: Given<ValuesOf<DisputeFilter>>) => {
  const disputes = db
    .selectFrom('disputes as d')
    .innerJoin('payments as p', 'p.id', 'd.paymentId')
    .innerJoin('applications as a', 'a.id', 'd.applicationId')
    .leftJoin('reconciliation_cases as c', (join) =>
      join
        .onRef('c.disputeId', '=', 'd.id')
        .on('c.kind', '=', sql.lit('dispute'))
        .on('c.state', '<>', sql.lit('RESOLVED')),
    );
  const eb = expressionBuilder(disputes);
  return {
    rows: disputes
      .select([
        'd.id',
        'd.applicationId',
        'a.name as applicationName',
        'd.mode',
        'd.paymentId',
        'p.reference as paymentReference',
        'd.gateway',
        'd.storeId',
        'd.gatewayTxnId',
        'd.gatewayDisputeId',
        'd.status',
        'd.gatewayStatus',
        'd.reason',
        'd.amountMinor',
        'd.currency',
        'd.respondBy',
        'd.endedAt',
        'd.queriedAt',
        'd.createdAt',
        'd.updatedAt',
        'c.reference as caseReference',
      ])
      .select(MOVED.as('movedMinor')),
    conditions: {
      mode: eb('d.mode', '=', $('mode')),
      gateway: eb('d.gateway', '=', $('gateway')),
      status: eb('d.status', '=', $('status')),
      applicationId: eb('d.applicationId', '=', $('applicationId')),
      paymentId: eb('d.paymentId', '=', $('paymentId')),
    },
    orders: { id: ['d.id'] },
  };
});

/** A dispute as operators see it. */
export type ListedDispute = ListRow<typeof LIST>;

/** Returns a page of the disputes in an operator's view. */
export function listDisputes(
  statements: Statements,
  { filter, slice }: { readonly filter: DisputeFilter; readonly slice: ListSlice },
): Promise<ListPage<ListedDispute>> {
  return LIST.page(statements, { filter, sortBy: 'id', slice });
}
