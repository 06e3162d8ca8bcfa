import { now, recordsOf } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import type { Mode } from '../../../domain/mode.ts';
import { dueAgain } from '../../sweep/backoff.ts';

const SEARCH = statement((db, $: Given<{ since: Date }>) =>
  db.insertInto('dispute_searches').values({ since: $('since') }),
);

/** Has the sweeper look for disputes that were opened at the gateways since a time. */
export async function searchDisputesSince(statements: Statements, since: Date): Promise<void> {
  await SEARCH.all(statements, { since });
}

const TAKE_DUE = statement((db, $: Given<{ max: number }>) =>
  db
    .with('due', (q) =>
      q
        .selectFrom('dispute_searches')
        .select('id')
        .where('nextSweepAt', '<=', now)
        .orderBy('nextSweepAt')
        .limit($('max'))
        .forUpdate()
        .skipLocked(),
    )
    .updateTable('dispute_searches as s')
    .from('due')
    .set((eb) => ({ sweeps: eb('s.sweeps', '+', 1), nextSweepAt: dueAgain(eb.ref('s.sweeps')), updatedAt: now }))
    .whereRef('s.id', '=', 'due.id')
    .returning(['s.id', 's.since', 's.sweeps']),
);

export type DueSearch = RowOf<typeof TAKE_DUE>;

/** Takes searches that are due, and postpones their next try: 30 seconds, then twice as long each time, up to an hour. */
export function takeDueSearches(statements: Statements, max: number): Promise<DueSearch[]> {
  return TAKE_DUE.all(statements, { max });
}

const END = statement((db, $: Given<{ id: bigint }>) =>
  db.updateTable('dispute_searches').set({ nextSweepAt: null, updatedAt: now }).where('id', '=', $('id')),
);

export async function endSearch(statements: Statements, id: bigint): Promise<void> {
  await END.all(statements, { id });
}

interface Listed {
  readonly gateway: string;
  readonly mode: Mode;
  readonly storeId: string;
  readonly disputes: readonly { readonly disputeId: string; readonly gatewayTxnId: string | null }[];
}

const LISTED = { dispute: 'text', txn: 'text' } as const;

/** Money of an attempt may also be an unapplied payment with a transaction of its own. */
const NOTICE_LISTED = statement((db, $: Given<Pick<Listed, 'gateway' | 'mode' | 'storeId'> & { disputes: string }>) =>
  db
    .with('charged', (q) =>
      q
        .selectFrom(recordsOf($('disputes'), 'l', LISTED))
        .innerJoin('payment_attempts as t', (join) =>
          join.on((eb) =>
            eb.or([
              eb('t.gatewayTxnId', '=', eb.ref('l.txn')),
              eb(
                't.id',
                'in',
                eb.selectFrom('unapplied_payments as u').select('u.attemptId').whereRef('u.gatewayTxnId', '=', 'l.txn'),
              ),
            ]),
          ),
        )
        .distinctOn('l.dispute')
        .select([
          't.applicationId',
          't.mode',
          't.paymentId',
          't.id as attemptId',
          't.gateway',
          't.storeId',
          'l.txn as gatewayTxnId',
          'l.dispute as gatewayDisputeId',
        ])
        .where('t.gateway', '=', $('gateway'))
        .where('t.mode', '=', $('mode'))
        .where('t.storeId', '=', $('storeId'))
        .orderBy('l.dispute')
        .orderBy('t.id'),
    )
    .with('noticed', (q) =>
      q
        .insertInto('disputes')
        .columns([
          'applicationId',
          'mode',
          'paymentId',
          'attemptId',
          'gateway',
          'storeId',
          'gatewayTxnId',
          'gatewayDisputeId',
        ])
        .expression((eb) => eb.selectFrom('charged').selectAll())
        // Known disputes are asked about as usual.
        .onConflict((conflict) => conflict.constraint('disputes_gateway_dispute_id_key').doNothing())
        .returning('gatewayDisputeId'),
    )
    .selectFrom('charged')
    .leftJoin('noticed', 'noticed.gatewayDisputeId', 'charged.gatewayDisputeId')
    .select((eb) => [
      'charged.gatewayDisputeId as disputeId',
      eb('noticed.gatewayDisputeId', 'is not', null).as('isNew'),
    ]),
);

/** Stores the listed disputes whose charge is known, unless they are known. Returns those of known charges, and which of them are new. */
export function noticeListed(
  statements: Statements,
  { disputes, ...at }: Listed,
): Promise<readonly RowOf<typeof NOTICE_LISTED>[]> {
  const listed = disputes.map(({ disputeId, gatewayTxnId }) => ({ dispute: disputeId, txn: gatewayTxnId }));
  return NOTICE_LISTED.all(statements, { ...at, disputes: JSON.stringify(listed) });
}
