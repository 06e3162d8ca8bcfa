import { expressionBuilder, sql } from 'kysely';
import { list, type ListPage, type ListRow, type ListSlice, type ValuesOf } from '../../../database/lists.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import type { Mode } from '../../../domain/mode.ts';
import type { CaseKind, CaseState } from '../../../domain/payouts/reconciliation.ts';

export interface CaseFilter {
  readonly mode?: Mode | undefined;
  readonly gateway?: string | undefined;
  readonly state?: CaseState | undefined;
  readonly kind?: CaseKind | undefined;
  readonly reason?: string | undefined;
  readonly applicationId?: bigint | undefined;
  readonly ownerId?: bigint | undefined;
  readonly minAgeDays?: number | undefined;
}

const CASE = [
  'c.id',
  'c.reference',
  'c.mode',
  'c.gateway',
  'c.applicationId',
  'c.kind',
  'c.reason',
  'c.amountMinor',
  'c.currency',
  'c.state',
  'c.ownerOperatorId',
  'w.name as ownerName',
  'c.resolution',
  'c.createdAt',
  'c.resolvedAt',
] as const;
/** In days, until now or until it was resolved. */
const AGE = sql<number>`floor(extract(epoch from coalesce(c.resolved_at, now()) - c.created_at) / 86400)::integer`;

const CASES = list((db, $: Given<ValuesOf<CaseFilter>>) => {
  const cases = db.selectFrom('reconciliation_cases as c').leftJoin('operators as w', 'w.id', 'c.ownerOperatorId');
  const eb = expressionBuilder(cases);
  return {
    rows: cases.select(CASE).select(AGE.as('ageDays')),
    conditions: {
      mode: eb('c.mode', '=', $('mode')),
      gateway: eb('c.gateway', '=', $('gateway')),
      state: eb('c.state', '=', $('state')),
      kind: eb('c.kind', '=', $('kind')),
      reason: eb('c.reason', '=', $('reason')),
      applicationId: eb('c.applicationId', '=', $('applicationId')),
      ownerId: eb('c.ownerOperatorId', '=', $('ownerId')),
      minAgeDays: sql<boolean>`c.created_at <= now() - ${$('minAgeDays')}::integer * interval '1 day'`,
    },
    orders: { id: ['c.id'] },
  };
});

/** A case as a list shows it. */
export type ListedCase = ListRow<typeof CASES>;

/** Returns a page of the cases in an operator's view. */
export function listCases(
  statements: Statements,
  { filter, slice }: { readonly filter: CaseFilter; readonly slice: ListSlice },
): Promise<ListPage<ListedCase>> {
  return CASES.page(statements, { filter, sortBy: 'id', slice });
}

const READ = statement((db, $: Given<{ reference: string }>) =>
  db
    .selectFrom('reconciliation_cases as c')
    .leftJoin('operators as w', 'w.id', 'c.ownerOperatorId')
    .leftJoin('payouts as o', 'o.id', 'c.payoutId')
    .leftJoin('refunds as f', 'f.id', 'c.refundId')
    .leftJoin('disputes as d', 'd.id', 'c.disputeId')
    .select(CASE)
    .select(AGE.as('ageDays'))
    .select([
      'c.resultId',
      'c.payoutId',
      'c.refundId',
      'o.reference as payoutReference',
      'f.reference as refundReference',
      'c.disputeId',
      'd.gatewayDisputeId',
      'd.status as disputeStatus',
    ])
    .where('c.reference', '=', $('reference')),
);

/** A case with the ids of what it is about. */
export type CaseRow = RowOf<typeof READ>;

/** Returns null if the operator's view has no such case. */
export async function readCase(statements: Statements, reference: string): Promise<CaseRow | null> {
  return (await READ.first(statements, { reference })) ?? null;
}

const ENTRIES = statement((db, $: Given<{ caseId: bigint }>) =>
  db
    .selectFrom('reconciliation_case_entries as y')
    .leftJoin('operators as o', 'o.id', 'y.operatorId')
    .leftJoin('operators as s', 's.id', 'y.secondOperatorId')
    .select([
      'y.id',
      'y.kind',
      'y.action',
      'y.text',
      'y.operatorId',
      'o.name as operatorName',
      'y.movementKey',
      'y.account',
      'y.needsSecond',
      'y.secondOperatorId',
      's.name as secondOperatorName',
      'y.outcome',
      'y.outcomeText',
      'y.answer',
      'y.createdAt',
      'y.secondedAt',
      'y.consumedAt',
    ])
    .where('y.caseId', '=', $('caseId'))
    .orderBy('y.id')
    .limit(1_000),
);

export type ShownEntry = RowOf<typeof ENTRIES>;

/** Returns the history of a case, oldest first. */
export function readEntries(statements: Statements, caseId: bigint): Promise<ShownEntry[]> {
  return ENTRIES.all(statements, { caseId });
}
