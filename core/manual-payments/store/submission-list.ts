import { expressionBuilder, sql, type QueryCreator } from 'kysely';
import type { EntityManager } from '../../../database/connection.ts';
import { list, type ListPage, type ListSlice, type ValuesOf } from '../../../database/lists.ts';
import type { Tables } from '../../../database/tables.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import type { SubmissionStatus } from '../../../domain/manual-payment.ts';
import type { Mode } from '../../../domain/mode.ts';
import { COMPLETE } from '../../decisions/store/complete.ts';
import { IS_CORRECTED } from './newest-submission.ts';

const of = expressionBuilder<
  Tables & { s: Tables['manual_submissions']; d: Tables['decisions']; t: Tables['payment_attempts'] },
  's' | 'd' | 't'
>();
const lit = sql.lit<SubmissionStatus>;

const STATUS = of
  .case()
  .when(of.and([of('d.id', 'is not', null), COMPLETE]))
  .then(of.case().when('d.decision', '=', 'accept').then(lit('CONFIRMED')).else(lit('REJECTED')).end())
  .when(IS_CORRECTED)
  .then(lit('CORRECTED'))
  .else(lit('WAITING'))
  .end();

/** How many other payments the same transaction was submitted for, of those paid into the same account. */
const CLAIMED_BY_OTHERS = of
  .selectFrom('manual_submissions as o')
  .innerJoin('payment_attempts as ot', 'ot.id', 'o.attemptId')
  .select((o) => o.cast<number>(o.fn.count('o.paymentId').distinct(), 'integer').as('count'))
  .whereRef('o.mode', '=', 's.mode')
  .whereRef('o.normalized', '=', 's.normalized')
  .whereRef('o.paymentId', '<>', 's.paymentId')
  .whereRef('ot.storeId', '=', 't.storeId')
  .whereRef('o.storeApplicationId', 'is not distinct from', 's.storeApplicationId');

/** Submissions with the decision on them. */
function details(q: QueryCreator<Tables>) {
  return q
    .selectFrom('manual_submissions as s')
    .innerJoin('payments as p', 'p.id', 's.paymentId')
    .innerJoin('payment_attempts as t', 't.id', 's.attemptId')
    .innerJoin('applications as a', 'a.id', 's.applicationId')
    .leftJoin('decisions as d', (join) =>
      join.onRef('d.manualSubmissionId', '=', 's.id').on((eb) => eb.or([eb('d.consumedAt', 'is', null), COMPLETE])),
    )
    .select((eb) => [
      's.id',
      's.paymentId',
      'p.reference as paymentReference',
      'p.status as paymentStatus',
      's.applicationId',
      'a.name as applicationName',
      's.mode',
      STATUS.as('status'),
      'p.amountMinor',
      'p.currency',
      't.storeId',
      't.reference as code',
      's.transaction',
      's.normalized',
      's.sender',
      CLAIMED_BY_OTHERS.as('claimedByOthers'),
      eb.ref('d.decision').$castTo<'accept' | 'reject' | null>().as('decision'),
      eb.fn.coalesce(eb.not(COMPLETE), sql.lit(false)).$castTo<boolean>().as('awaitsSecond'),
      'p.expiresAt',
      's.createdAt',
    ]);
}

const BY_ID = statement((db, $: Given<{ id: bigint }>) => details(db).where('s.id', '=', $('id')));

/** A payer's submission as operators see it, with the decision on it. */
export type SubmissionDetail = RowOf<typeof BY_ID>;

/** Returns null if the operator's view has no such submission. */
export async function readSubmissionDetail(em: EntityManager, id: bigint): Promise<SubmissionDetail | null> {
  return (await BY_ID.first(em, { id })) ?? null;
}

export interface SubmissionFilter {
  readonly applicationId?: bigint | undefined;
  readonly mode?: Mode | undefined;
  readonly status?: SubmissionStatus | undefined;
  readonly paymentId?: bigint | undefined;
}

const IN_VIEW = list((db, $: Given<ValuesOf<SubmissionFilter>>) => {
  const rows = details(db);
  const eb = expressionBuilder(rows);
  return {
    rows,
    conditions: {
      applicationId: eb('s.applicationId', '=', $('applicationId')),
      mode: eb('s.mode', '=', $('mode')),
      status: eb(STATUS, '=', $('status')),
      paymentId: eb('s.paymentId', '=', $('paymentId')),
    },
    orders: { createdAt: ['s.createdAt', 's.id'], amountMinor: ['p.amountMinor', 's.id'] },
  };
});

/** Returns a page of the submissions in an operator's view. */
export function listAllSubmissions(
  em: EntityManager,
  query: { filter: SubmissionFilter; sortBy: 'createdAt' | 'amountMinor'; slice: ListSlice },
): Promise<ListPage<SubmissionDetail>> {
  return IN_VIEW.page(em, query);
}
