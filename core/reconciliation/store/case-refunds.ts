import { sql } from 'kysely';
import { earlier } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';

/** Longer than a request takes. */
const LEFT_BEHIND = earlier('1 minute');
/** Shorter than keys are kept: without its key, a refund that was made could be made again. */
const TOO_OLD = earlier('25 days');

const LEFT = statement((db, $: Given<{ max: number }>) =>
  db
    .selectFrom('reconciliation_case_entries as y')
    .innerJoin('reconciliation_cases as c', 'c.id', 'y.caseId')
    .leftJoin('reconciliation_results as r', 'r.id', 'c.resultId')
    .leftJoin('payout_lines as l', 'l.id', 'r.lineId')
    .leftJoin('operators as o', 'o.id', 'y.operatorId')
    .select([
      'y.id',
      'c.reference as caseReference',
      'y.operatorId',
      'o.email as operatorEmail',
      'y.amountMinor',
      'y.text',
      'r.paymentId',
    ])
    .select((eb) =>
      eb
        .and([
          eb('c.state', '<>', 'RESOLVED'),
          eb('r.revision', '=', eb.ref('y.resultRevision')),
          eb('r.refundId', 'is', null),
          eb(eb.fn.coalesce('l.kind', sql.lit('CHARGE')), '<>', 'REFUND'),
          eb('y.createdAt', '>', TOO_OLD),
        ])
        .$castTo<boolean | null>()
        .as('unchanged'),
    )
    .where('y.action', '=', 'create-refund')
    .where('y.consumedAt', 'is', null)
    .where('y.createdAt', '<', LEFT_BEHIND)
    .orderBy('y.id')
    .limit($('max')),
);

/** A refund that was decided in a case, whose request has not ended it. */
export type LeftRefund = RowOf<typeof LEFT>;

export function leftRefunds(statements: Statements, max: number): Promise<LeftRefund[]> {
  return LEFT.all(statements, { max });
}

const MADE = statement((db, $: Given<{ operation: string; key: string }>) =>
  db
    .selectFrom('idempotency_keys as k')
    .innerJoin('refunds as f', 'f.id', 'k.refundId')
    .select('f.reference')
    .where('k.operation', '=', $('operation'))
    .where('k.key', '=', $('key')),
);

/** Returns the reference of the refund that an entry has made, or null. */
export async function refundMadeBy(
  statements: Statements,
  { operation, entryId }: { readonly operation: string; readonly entryId: bigint },
): Promise<string | null> {
  return (await MADE.first(statements, { operation, key: entryId.toString() }))?.reference ?? null;
}

const OPEN = statement((db, $: Given<{ id: bigint }>) =>
  db.selectFrom('reconciliation_case_entries').select('id').where('id', '=', $('id')).where('consumedAt', 'is', null),
);

/** Reports whether an action has not ended. */
export async function isActionOpen(statements: Statements, id: bigint): Promise<boolean> {
  return (await OPEN.first(statements, { id })) !== undefined;
}
