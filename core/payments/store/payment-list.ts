import { expressionBuilder, sql } from 'kysely';
import type { Mode } from '../../../domain/mode.ts';
import type { PaymentStatus } from '../../../domain/payment.ts';
import type { Scope } from '../../../database/connection.ts';
import { filtered, list, type ListPage, type ListRow, type ListSlice, type ValuesOf } from '../../../database/lists.ts';
import type { Statements } from '../../../database/statements.ts';
import type { Tables } from '../../../database/tables.ts';
import type { Given } from '../../../database/typed-statements.ts';
import { PAYMENT, type PaymentRecord } from './payments.ts';

export interface OperatorsFilter {
  readonly applicationId?: bigint | undefined;
  readonly mode?: Mode | undefined;
  readonly status?: PaymentStatus | undefined;
  readonly reference?: string | undefined;
  readonly customerReference?: string | undefined;
  readonly gateway?: string | undefined;
  readonly leastMinor?: bigint | undefined;
  readonly mostMinor?: bigint | undefined;
  readonly underReview?: true | undefined;
  readonly notUnderReview?: true | undefined;
  readonly from: Date | null;
  /** Exclusive. */
  readonly before: Date | null;
}

const IN_VIEW = list((db, $: Given<ValuesOf<OperatorsFilter>>) => {
  const payments = db.selectFrom('payments as p').innerJoin('applications as a', 'a.id', 'p.applicationId');
  const eb = expressionBuilder(payments);
  return {
    rows: payments.select([
      'p.id',
      'p.reference',
      'p.applicationId',
      'a.name as applicationName',
      'p.mode',
      'p.status',
      'p.amountMinor',
      'p.currency',
      'p.customerReference',
      'p.gateway',
      'p.gatewayTxnId',
      'p.reviewReason',
      'p.createdAt',
      'p.endedAt',
      eb
        .cast<bigint>(
          eb
            .selectFrom('refunds as r')
            .select((r) => r.fn.coalesce(r.fn.sum('r.amountMinor'), sql.lit(0)).as('refunded'))
            .whereRef('r.paymentId', '=', 'p.id')
            .where('r.unappliedPaymentId', 'is', null)
            .where('r.status', '=', 'SUCCEEDED'),
          'bigint',
        )
        .as('refundedMinor'),
    ]),
    conditions: {
      applicationId: eb('p.applicationId', '=', $('applicationId')),
      mode: eb('p.mode', '=', $('mode')),
      status: eb('p.status', '=', $('status')),
      reference: eb('p.reference', '=', $('reference')),
      customerReference: eb('p.customerReference', '=', $('customerReference')),
      gateway: eb('p.gateway', '=', $('gateway')),
      leastMinor: eb('p.amountMinor', '>=', $('leastMinor')),
      mostMinor: eb('p.amountMinor', '<=', $('mostMinor')),
      underReview: eb('p.reviewReason', 'is not', null),
      notUnderReview: eb('p.reviewReason', 'is', null),
      from: eb('p.createdAt', '>=', $('from')),
      before: eb('p.createdAt', '<', $('before')),
    },
    orders: { createdAt: ['p.createdAt', 'p.id'], amountMinor: ['p.amountMinor', 'p.id'] },
  };
});

/** A payment as operators' lists and exports show it. */
export type PaymentSummary = ListRow<typeof IN_VIEW>;

/** Returns a page of the payments in an operator's view. */
export function listAllPayments(
  statements: Statements,
  query: { filter: OperatorsFilter; sortBy: 'createdAt' | 'amountMinor'; slice: ListSlice },
): Promise<ListPage<PaymentSummary>> {
  return IN_VIEW.page(statements, query);
}

export interface PaymentsFilter {
  readonly statuses?: readonly PaymentStatus[] | undefined;
  readonly inReview?: boolean | undefined;
  readonly gateway?: string | undefined;
  readonly merchantReference?: string | undefined;
  readonly leastMinor?: bigint | undefined;
  readonly mostMinor?: bigint | undefined;
  readonly from: Date | null;
  /** Exclusive. */
  readonly before: Date | null;
}

function conditionsOf($: Given<ValuesOf<PaymentsFilter & Scope>>) {
  const eb = expressionBuilder<Tables & { p: Tables['payments'] }, 'p'>();
  return {
    applicationId: eb('p.applicationId', '=', $('applicationId')),
    mode: eb('p.mode', '=', $('mode')),
    statuses: eb('p.status', '=', eb.fn.any($('statuses'))),
    inReview: eb(eb('p.reviewReason', 'is not', null), '=', $('inReview')),
    gateway: eb('p.gateway', '=', $('gateway')),
    merchantReference: eb('p.merchantReference', '=', $('merchantReference')),
    leastMinor: eb('p.amountMinor', '>=', $('leastMinor')),
    mostMinor: eb('p.amountMinor', '<=', $('mostMinor')),
    from: eb('p.createdAt', '>=', $('from')),
    before: eb('p.createdAt', '<', $('before')),
  };
}

const OF_APPLICATION = list((db, $: Given<ValuesOf<PaymentsFilter & Scope>>) => ({
  rows: db.selectFrom('payments as p').select(PAYMENT),
  conditions: conditionsOf($),
  orders: { id: ['p.id'] },
}));

/** Returns a page of an application's payments that match a filter, ordered by id. */
export function pageOfPayments(
  statements: Statements,
  { applicationId, mode }: Scope,
  { filter, slice }: { readonly filter: PaymentsFilter; readonly slice: ListSlice },
): Promise<ListPage<PaymentRecord>> {
  return OF_APPLICATION.page(statements, { filter: { ...filter, applicationId, mode }, sortBy: 'id', slice });
}

const SUMS = filtered((db, $: Given<ValuesOf<PaymentsFilter & Scope>>) => ({
  rows: db
    .selectFrom('payments as p')
    .select((eb) => [
      'p.status',
      'p.currency',
      eb.cast<number>(eb.fn.countAll(), 'integer').as('payments'),
      eb.cast<bigint>(eb.fn.sum('p.amountMinor'), 'bigint').as('amountMinor'),
    ])
    .groupBy(['p.status', 'p.currency']),
  conditions: conditionsOf($),
}));

export interface PaymentsSum {
  readonly statuses: ReadonlyMap<PaymentStatus, number>;
  readonly amountMinor: bigint;
}

/** Returns the number of payments by status that match a filter, and their sum in one currency. Reads all of them. */
export async function sumOfPayments(
  statements: Statements,
  { applicationId, mode }: Scope,
  { filter, currency }: { readonly filter: PaymentsFilter; readonly currency: string },
): Promise<PaymentsSum> {
  const statuses = new Map<PaymentStatus, number>();
  let amountMinor = 0n;
  for (const row of await SUMS.all(statements, { ...filter, applicationId, mode })) {
    statuses.set(row.status, (statuses.get(row.status) ?? 0) + row.payments);
    amountMinor += row.currency === currency ? row.amountMinor : 0n;
  }
  return { statuses, amountMinor };
}
