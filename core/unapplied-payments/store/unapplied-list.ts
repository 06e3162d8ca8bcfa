import { expressionBuilder, type QueryCreator } from 'kysely';
import type { EntityManager } from '../../../database/connection.ts';
import { list, type ListPage, type ListSlice, type ValuesOf } from '../../../database/lists.ts';
import type { Tables } from '../../../database/tables.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import type { Mode } from '../../../domain/mode.ts';
import type { UnappliedStatus } from '../../../domain/unapplied-payment.ts';

/** Unapplied payments with the decision that is waiting. */
function details(q: QueryCreator<Tables>) {
  return q
    .selectFrom('unapplied_payments as l')
    .innerJoin('payments as p', 'p.id', 'l.paymentId')
    .innerJoin('applications as a', 'a.id', 'l.applicationId')
    .leftJoin('decisions as d', (join) =>
      join.onRef('d.unappliedPaymentId', '=', 'l.id').on('d.consumedAt', 'is', null),
    )
    .select((eb) => [
      'l.id',
      'l.paymentId',
      'p.reference as paymentReference',
      'p.status as paymentStatus',
      'l.applicationId',
      'a.name as applicationName',
      'l.mode',
      'l.status',
      'l.kind',
      'l.grossMinor',
      'l.feeMinor',
      'l.currency',
      'l.gateway',
      'l.gatewayTxnId',
      eb.ref('d.decision').$castTo<'refund' | 'keep' | null>().as('decision'),
      eb
        .and([eb.ref('d.needsSecond').$castTo<boolean>(), eb('d.secondOperatorId', 'is', null)])
        .$castTo<boolean | null>()
        .as('awaitsSecond'),
      'l.createdAt',
      'l.updatedAt',
    ]);
}

const BY_ID = statement((db, $: Given<{ id: bigint }>) => details(db).where('l.id', '=', $('id')));

/** An unapplied payment as operators see it, with the decision that is waiting. */
export type UnappliedDetail = RowOf<typeof BY_ID>;

/** Returns null if the operator's view has no such unapplied payment. */
export async function readUnappliedDetail(em: EntityManager, id: bigint): Promise<UnappliedDetail | null> {
  return (await BY_ID.first(em, { id })) ?? null;
}

export interface UnappliedFilter {
  readonly applicationId?: bigint | undefined;
  readonly mode?: Mode | undefined;
  readonly status?: UnappliedStatus | undefined;
  readonly paymentId?: bigint | undefined;
}

const IN_VIEW = list((db, $: Given<ValuesOf<UnappliedFilter>>) => {
  const rows = details(db);
  const eb = expressionBuilder(rows);
  return {
    rows,
    conditions: {
      applicationId: eb('l.applicationId', '=', $('applicationId')),
      mode: eb('l.mode', '=', $('mode')),
      status: eb('l.status', '=', $('status')),
      paymentId: eb('l.paymentId', '=', $('paymentId')),
    },
    orders: { createdAt: ['l.createdAt', 'l.id'], amountMinor: ['l.grossMinor', 'l.id'] },
  };
});

/** Returns a page of the unapplied payments in an operator's view. */
export function listAllUnapplied(
  em: EntityManager,
  query: { filter: UnappliedFilter; sortBy: 'createdAt' | 'amountMinor'; slice: ListSlice },
): Promise<ListPage<UnappliedDetail>> {
  return IN_VIEW.page(em, query);
}
