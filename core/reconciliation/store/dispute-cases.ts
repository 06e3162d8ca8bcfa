import { sql, type ExpressionBuilder } from 'kysely';
import { now } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import type { Tables } from '../../../database/tables.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import type { DisputeReason } from '../../../domain/dispute.ts';
import { caseReference } from '../../../domain/references.ts';
import { CLOSED_BY_EVIDENCE, CLOSED_CASE, noteClosing } from './closed-cases.ts';
import type { AtGateway } from './movements.ts';

type Cases = Tables & { c: Tables['reconciliation_cases']; d: Tables['disputes'] };

const lit = sql.lit<DisputeReason>;

function reasonOf(eb: ExpressionBuilder<Cases, 'd'>) {
  return eb
    .case()
    .when('d.status', '=', 'WON')
    .then(lit('DISPUTE_WON'))
    .when('d.status', '=', 'LOST')
    .then(lit('DISPUTE_LOST'))
    .else(lit('DISPUTE_OPEN'))
    .end();
}

const OPEN = statement((db, $: Given<{ id: bigint; reference: string }>) =>
  db
    .insertInto('reconciliation_cases')
    .columns([
      'reference',
      'mode',
      'gateway',
      'applicationId',
      'kind',
      'disputeId',
      'currency',
      'reason',
      'amountMinor',
    ])
    .expression((insert) =>
      insert
        .selectFrom('disputes as d')
        .select((eb) => [
          sql<string>`${$('reference')}::text`.as('reference'),
          'd.mode',
          'd.gateway',
          'd.applicationId',
          sql<'dispute'>`${sql.lit('dispute')}`.as('kind'),
          'd.id',
          eb.ref('d.currency').$notNull().as('currency'),
          reasonOf(eb as unknown as ExpressionBuilder<Cases, 'd'>).as('reason'),
          eb.ref('d.amountMinor').$notNull().as('amountMinor'),
        ])
        .where('d.id', '=', $('id'))
        .where('d.status', 'in', ['OPEN', 'WON', 'LOST']),
    )
    .onConflict((conflict) => conflict.doNothing()),
);

/** Opens the case of a dispute, unless it has one, in the transaction that stores what the gateway says of the dispute. */
export async function openDisputeCase(statements: Statements, disputeId: bigint): Promise<void> {
  await OPEN.all(statements, { id: disputeId, reference: caseReference() });
}

/** What the lines of payouts say of all disputes of the charge. */
const LINES = sql`(select count(*) as lines, coalesce(sum(l.gross_minor), 0) as moved, count(*) filter (where l.currency <> d.currency) as foreign_lines
  from reconciliation_results x join payout_lines l on l.id = x.line_id
  where x.payment_id = d.payment_id and x.line_kind = 'DISPUTE' and x.status = 'MATCHED' and not x.superseded and l.gateway_txn_id = d.gateway_txn_id)`;
/** What the ended disputes of the charge took. Null while one is open. */
const TAKEN = sql`(select case when bool_or(e.status in ('NOTICED', 'OPEN')) then null else coalesce(sum(e.amount_minor) filter (where e.status = 'LOST'), 0) end
  from disputes e where e.payment_id = d.payment_id and e.gateway_txn_id = d.gateway_txn_id)`;

/** A dispute that took money shows in the payouts as that amount; one that was won, as nothing left of what was taken. */
const CONFIRMED = sql<boolean>`d.status = 'CLOSED' or d.status in ('WON', 'LOST') and exists (
  select from ${LINES} s, lateral ${TAKEN} t (taken) where s.lines > 0 and t.taken is not null
    and (s.moved = -t.taken or s.foreign_lines > 0 and sign(s.moved) = -sign(t.taken)))`;

const CLOSE = statement((db, $: Given<AtGateway>) =>
  noteClosing(
    db.with('closed', (q) =>
      q
        .updateTable('reconciliation_cases as c')
        .from('disputes as d')
        .set(CLOSED_BY_EVIDENCE)
        .whereRef('d.id', '=', 'c.disputeId')
        .where('c.kind', '=', 'dispute')
        .where('c.mode', '=', $('mode'))
        .where('c.gateway', '=', $('gateway'))
        .where('c.state', '<>', 'RESOLVED')
        .where(CONFIRMED)
        .returning(CLOSED_CASE),
    ),
    'The dispute has ended, and the lines of payouts agree.',
  ),
);

const RENEW = statement((db, $: Given<AtGateway>) =>
  db
    .updateTable('reconciliation_cases as c')
    .from('disputes as d')
    .set((eb) => ({
      reason: reasonOf(eb as unknown as ExpressionBuilder<Cases, 'd'>),
      amountMinor: eb.ref('d.amountMinor').$notNull(),
      updatedAt: now,
    }))
    .whereRef('d.id', '=', 'c.disputeId')
    .where('c.kind', '=', 'dispute')
    .where('c.mode', '=', $('mode'))
    .where('c.gateway', '=', $('gateway'))
    .where('c.state', '<>', 'RESOLVED')
    .where((eb) =>
      eb.or([
        eb('c.reason', '<>', reasonOf(eb as unknown as ExpressionBuilder<Cases, 'd'>)),
        eb('c.amountMinor', '<>', eb.ref('d.amountMinor').$notNull()),
      ]),
    ),
);

/** Says of the cases of disputes how the disputes stand now, and closes those that have ended as the payouts show. Returns how many were closed. */
export async function keepDisputeCases(statements: Statements, at: AtGateway): Promise<number> {
  await RENEW.all(statements, at);
  return (await CLOSE.all(statements, at)).length;
}
