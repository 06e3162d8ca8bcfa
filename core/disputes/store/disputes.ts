import { later, now } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import type { StatedDisputeStatus } from '../../../domain/dispute.ts';
import type { Mode } from '../../../domain/mode.ts';
import { dueAgain } from '../../sweep/backoff.ts';

/** A dispute of which a callback spoke. */
export interface NoticedDispute {
  readonly applicationId: bigint;
  readonly mode: Mode;
  readonly paymentId: bigint;
  readonly attemptId: bigint;
  readonly gateway: string;
  readonly storeId: string;
  readonly gatewayTxnId: string;
  readonly gatewayDisputeId: string;
}

const NOTICE = statement((db, $: Given<NoticedDispute>) =>
  db
    .insertInto('disputes')
    .values({
      applicationId: $('applicationId'),
      mode: $('mode'),
      paymentId: $('paymentId'),
      attemptId: $('attemptId'),
      gateway: $('gateway'),
      storeId: $('storeId'),
      gatewayTxnId: $('gatewayTxnId'),
      gatewayDisputeId: $('gatewayDisputeId'),
    })
    // It may have changed, so the gateway is asked again, also of one that has ended.
    .onConflict((conflict) =>
      conflict.constraint('disputes_gateway_dispute_id_key').doUpdateSet({ nextSweepAt: now, sweeps: 0 }),
    ),
);

/** Stores that there is, or may be, a dispute, so that the gateway is asked about it. */
export async function noticeDispute(statements: Statements, noticed: NoticedDispute): Promise<void> {
  await NOTICE.all(statements, noticed);
}

const TAKE_DUE = statement((db, $: Given<{ max: number }>) =>
  db
    .with('due', (q) =>
      q
        .selectFrom('disputes')
        .select('id')
        .where('nextSweepAt', '<=', now)
        .orderBy('nextSweepAt')
        .limit($('max'))
        .forUpdate()
        .skipLocked(),
    )
    .with('moved', (q) =>
      q
        .updateTable('disputes as d')
        .from('due')
        .set((eb) => ({
          sweeps: eb('d.sweeps', '+', 1),
          nextSweepAt: dueAgain(eb.ref('d.sweeps')),
        }))
        .whereRef('d.id', '=', 'due.id')
        .returning([
          'd.id',
          'd.applicationId',
          'd.mode',
          'd.paymentId',
          'd.gateway',
          'd.storeId',
          'd.gatewayTxnId',
          'd.gatewayDisputeId',
          'd.status',
          'd.sweeps',
        ]),
    )
    .selectFrom('moved')
    .innerJoin('payments as p', 'p.id', 'moved.paymentId')
    .select([
      'moved.id',
      'moved.applicationId',
      'moved.mode',
      'moved.paymentId',
      'p.reference as paymentReference',
      'moved.gateway',
      'moved.storeId',
      'moved.gatewayTxnId',
      'moved.gatewayDisputeId',
      'moved.status',
      'moved.sweeps',
    ])
    .select((eb) =>
      eb
        .fn<string | null>('lenden_store_secret', [
          'moved.applicationId',
          'moved.mode',
          'moved.gateway',
          'moved.storeId',
        ])
        .as('sealedSecret'),
    ),
);

/** A dispute about which the gateway is to be asked. */
export type DueDispute = RowOf<typeof TAKE_DUE>;

/** Takes disputes that are due, and postpones their next query: 30 seconds, then twice as long each time, up to an hour. */
export function takeDueDisputes(statements: Statements, max: number): Promise<DueDispute[]> {
  return TAKE_DUE.all(statements, { max });
}

const LOCK = statement((db, $: Given<{ id: bigint }>) =>
  db
    .selectFrom('disputes')
    .select(['id', 'paymentId', 'status', 'reason', 'gateway', 'gatewayTxnId', 'createdAt'])
    .where('id', '=', $('id'))
    .forUpdate(),
);

export type LockedDispute = RowOf<typeof LOCK>;

export async function lockDispute(statements: Statements, id: bigint): Promise<LockedDispute | null> {
  return (await LOCK.first(statements, { id })) ?? null;
}

/** What the gateway says now. */
export interface DisputeChange {
  readonly id: bigint;
  readonly status: StatedDisputeStatus;
  readonly gatewayStatus: string;
  readonly reason: string | null;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly respondBy: Date | null;
  readonly evidence: string;
  /** `sweeps` when the gateway was asked. A notice that has come since asks again. */
  readonly asked: number;
}

const ENDED: readonly StatedDisputeStatus[] = ['WON', 'LOST', 'CLOSED'];
/** Stripe tells every change. The daily query finds what was told while nobody listened. */
const ASKED_AGAIN = later('1 day');

const WRITE = statement((db, $: Given<DisputeChange>) =>
  db
    .updateTable('disputes as d')
    .set((eb) => ({
      status: $('status'),
      gatewayStatus: $('gatewayStatus'),
      reason: $('reason'),
      amountMinor: $('amountMinor'),
      currency: $('currency'),
      respondBy: $('respondBy'),
      evidence: $('evidence'),
      endedAt: eb.case().when($('status'), 'in', ENDED).then(eb.fn.coalesce('d.endedAt', now)).end(),
      queriedAt: now,
      sweeps: 0,
      nextSweepAt: eb
        .case()
        .when('d.sweeps', '<>', $('asked'))
        .then(eb.ref('d.nextSweepAt'))
        .when($('status'), 'not in', ENDED)
        .then(ASKED_AGAIN)
        .end(),
      updatedAt: now,
    }))
    .where('d.id', '=', $('id'))
    .returning([
      'd.id',
      'd.status',
      'd.reason',
      'd.amountMinor',
      'd.currency',
      'd.gateway',
      'd.gatewayTxnId',
      'd.respondBy',
      'd.createdAt',
      'd.updatedAt',
    ]),
);

export type StoredDispute = RowOf<typeof WRITE>;

/** Writes what the gateway says. The row is locked. */
export async function writeDispute(statements: Statements, change: DisputeChange): Promise<StoredDispute> {
  const row = await WRITE.first(statements, change);
  if (row === undefined) {
    throw new Error('a locked dispute was not written');
  }
  return row;
}

const ASK_AGAIN = statement((db, $: Given<{ id: bigint }>) =>
  db.updateTable('disputes').set({ nextSweepAt: now, sweeps: 0, updatedAt: now }).where('id', '=', $('id')),
);

/** Makes a dispute due, so that the sweeper asks the gateway about it. */
export async function askAgainAboutDispute(statements: Statements, id: bigint): Promise<void> {
  await ASK_AGAIN.all(statements, { id });
}

const GIVE_UP = statement((db, $: Given<{ id: bigint }>) =>
  db.updateTable('disputes').set({ nextSweepAt: null, queriedAt: now, updatedAt: now }).where('id', '=', $('id')),
);

/** Stops asking about a dispute that the gateway does not know, until another notice of it comes. */
export async function giveUpOnDispute(statements: Statements, id: bigint): Promise<void> {
  await GIVE_UP.all(statements, { id });
}
