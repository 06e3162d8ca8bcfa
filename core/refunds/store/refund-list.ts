import { expressionBuilder } from 'kysely';
import type { EntityManager, Scope } from '../../../database/connection.ts';
import { list, type ListPage, type ListSlice, type ValuesOf } from '../../../database/lists.ts';
import type { Statements } from '../../../database/statements.ts';
import type { Given } from '../../../database/typed-statements.ts';
import type { Mode } from '../../../domain/mode.ts';
import type { RefundStatus } from '../../../domain/refund.ts';
import { REFUND, type RefundRecord } from './refunds.ts';

export interface OperatorsRefundFilter {
  readonly applicationId?: bigint | undefined;
  readonly mode?: Mode | undefined;
  readonly status?: RefundStatus | undefined;
  readonly paymentId?: bigint | undefined;
  readonly underReview?: true | undefined;
  readonly notUnderReview?: true | undefined;
  readonly from: Date | null;
  /** Exclusive. */
  readonly before: Date | null;
}

const IN_VIEW = list((db, $: Given<ValuesOf<OperatorsRefundFilter>>) => {
  const refunds = db.selectFrom('refunds as r');
  const eb = expressionBuilder(refunds);
  return {
    rows: refunds.select(REFUND),
    conditions: {
      applicationId: eb('r.applicationId', '=', $('applicationId')),
      mode: eb('r.mode', '=', $('mode')),
      status: eb('r.status', '=', $('status')),
      paymentId: eb('r.paymentId', '=', $('paymentId')),
      underReview: eb('r.reviewReason', 'is not', null),
      notUnderReview: eb('r.reviewReason', 'is', null),
      from: eb('r.createdAt', '>=', $('from')),
      before: eb('r.createdAt', '<', $('before')),
    },
    orders: { createdAt: ['r.createdAt', 'r.id'], amountMinor: ['r.amountMinor', 'r.id'] },
  };
});

/** Returns a page of the refunds in an operator's view. */
export function listAllRefunds(
  em: EntityManager,
  query: { filter: OperatorsRefundFilter; sortBy: 'createdAt' | 'amountMinor'; slice: ListSlice },
): Promise<ListPage<RefundRecord>> {
  return IN_VIEW.page(em, query);
}

export interface RefundsFilter {
  readonly statuses?: readonly RefundStatus[] | undefined;
  /** The payment's public reference. */
  readonly payment?: string | undefined;
  /** Excludes refunds of unapplied money. */
  readonly ofPayments?: true | undefined;
  readonly from: Date | null;
  /** Exclusive. */
  readonly before: Date | null;
}

const OF_APPLICATION = list((db, $: Given<ValuesOf<RefundsFilter & Scope>>) => {
  const refunds = db.selectFrom('refunds as r').innerJoin('payments as p', 'p.id', 'r.paymentId');
  const eb = expressionBuilder(refunds);
  return {
    rows: refunds.select(REFUND).select('p.reference as paymentReference'),
    conditions: {
      applicationId: eb('r.applicationId', '=', $('applicationId')),
      mode: eb('r.mode', '=', $('mode')),
      statuses: eb('r.status', '=', eb.fn.any($('statuses'))),
      payment: eb('p.reference', '=', $('payment')),
      ofPayments: eb(eb('r.unappliedPaymentId', 'is', null), '=', $('ofPayments')),
      from: eb('r.createdAt', '>=', $('from')),
      before: eb('r.createdAt', '<', $('before')),
    },
    orders: { id: ['r.id'] },
  };
});

/** Returns a page of the refunds that match a filter, ordered by id, each with its payment's public reference. */
export async function pageOfRefunds(
  statements: Statements,
  { applicationId, mode }: Scope,
  { filter, slice }: { readonly filter: RefundsFilter; readonly slice: ListSlice },
): Promise<ListPage<{ readonly refund: RefundRecord; readonly payment: string }>> {
  const { rows, ...page } = await OF_APPLICATION.page(statements, {
    filter: { ...filter, applicationId, mode },
    sortBy: 'id',
    slice,
  });
  return { ...page, rows: rows.map(({ paymentReference: payment, ...refund }) => ({ refund, payment })) };
}
