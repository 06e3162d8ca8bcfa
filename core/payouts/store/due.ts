import { later, now } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import type { PayoutFileHandle } from '../../dispatch.ts';

const TAKE_DUE = statement((db, $: Given<{ max: number }>) =>
  db
    .with('due', (q) =>
      q
        .selectFrom('payout_files')
        .select('id')
        .where('state', 'in', ['UPLOADED', 'IMPORTING'])
        .where('nextSweepAt', '<=', now)
        .orderBy('nextSweepAt')
        .limit($('max'))
        .forUpdate()
        .skipLocked(),
    )
    .updateTable('payout_files as f')
    .from('due')
    .set({ nextSweepAt: later('5 minutes') })
    .whereRef('f.id', '=', 'due.id')
    .returning(['f.reference', 'f.mode', 'f.gateway', 'f.storeId', 'f.digest']),
);

/** Takes files whose import makes no progress, and postpones their next check by five minutes. */
export function takeDueImports(statements: Statements, max: number): Promise<PayoutFileHandle[]> {
  return TAKE_DUE.all(statements, { max });
}

const ABANDONED = statement((db) =>
  db
    .selectFrom('payout_files')
    .select('id')
    .where('state', '=', 'UPLOADING')
    .where('nextSweepAt', '<=', now)
    .orderBy('nextSweepAt')
    .limit(1)
    .forUpdate()
    .skipLocked(),
);

/** Locks an upload that never ended. Returns its id, or null if there is none. */
export async function lockAbandonedUpload(statements: Statements): Promise<bigint | null> {
  return (await ABANDONED.first(statements, {}))?.id ?? null;
}
