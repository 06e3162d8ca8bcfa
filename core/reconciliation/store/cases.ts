import { sql, type ExpressionBuilder } from 'kysely';
import type { EntityManager } from '../../../database/connection.ts';
import { now } from '../../../database/expressions.ts';
import type { Tables } from '../../../database/tables.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import { CLOSED_BY_EVIDENCE, CLOSED_CASE, noteClosing } from './closed-cases.ts';
import { keepDisputeCases } from './dispute-cases.ts';
import { lockGateway } from './locks.ts';
import type { AtGateway } from './movements.ts';
import { keepWordCases } from './word-cases.ts';

/** A reference that the database draws: 22 hexadecimal digits, 88 random bits. */
const DRAWN = sql<string>`'case_' || substr(replace(gen_random_uuid()::text, '-', ''), 1, 22)`;

type Results = ExpressionBuilder<Tables & { r: Tables['reconciliation_results'] }, 'r'>;

/** How much is at stake. */
function stakeOf(eb: Results) {
  return sql<bigint>`abs(case when ${eb.ref('r.reason')} = 'FEE'
    then coalesce(${eb.ref('r.feeSettledMinor')}, 0) - coalesce(${eb.ref('r.feeExpectedMinor')}, 0)
    else coalesce(${eb.ref('r.settledMinor')}, 0) - coalesce(${eb.ref('r.expectedMinor')}, 0) end)`;
}

const OPEN_OF_RESULTS = statement((db, $: Given<AtGateway>) =>
  db
    .insertInto('reconciliation_cases')
    .columns(['reference', 'mode', 'gateway', 'applicationId', 'kind', 'resultId', 'currency', 'reason', 'amountMinor'])
    .expression((insert) =>
      insert
        .selectFrom('reconciliation_results as r')
        .select((eb) => [
          DRAWN.as('reference'),
          'r.mode',
          'r.gateway',
          'r.applicationId',
          sql<'result'>`${sql.lit('result')}`.as('kind'),
          'r.id',
          'r.currency',
          eb.ref('r.reason').$notNull().as('reason'),
          stakeOf(eb).as('amountMinor'),
        ])
        .where('r.mode', '=', $('mode'))
        .where('r.gateway', '=', $('gateway'))
        .where('r.status', '=', 'FLAGGED')
        .where('r.superseded', '=', false)
        .where('r.acceptedAt', 'is', null)
        .where((eb) =>
          eb.not(
            eb.exists(
              eb
                .selectFrom('reconciliation_cases as c')
                .select('c.id')
                .whereRef('c.resultId', '=', 'r.id')
                .where('c.state', '<>', 'RESOLVED'),
            ),
          ),
        )
        .orderBy('r.id'),
    )
    .returning('id'),
);

/** What an open case is about may have changed: another reason, or another amount, in another currency if a converted line came. */
const RENEW = statement((db, $: Given<AtGateway>) =>
  db
    .updateTable('reconciliation_cases as c')
    .from('reconciliation_results as r')
    .set((eb) => ({
      reason: eb.ref('r.reason').$notNull(),
      currency: eb.ref('r.currency'),
      amountMinor: stakeOf(eb as unknown as Results),
      applicationId: eb.ref('r.applicationId'),
      updatedAt: now,
    }))
    .whereRef('r.id', '=', 'c.resultId')
    .where('c.mode', '=', $('mode'))
    .where('c.gateway', '=', $('gateway'))
    .where('c.state', '<>', 'RESOLVED')
    .where('r.status', '=', 'FLAGGED')
    .where((eb) =>
      eb.or([
        eb('c.reason', '<>', eb.ref('r.reason').$notNull()),
        eb('c.currency', '<>', eb.ref('r.currency')),
        eb('c.amountMinor', '<>', stakeOf(eb as unknown as Results)),
      ]),
    ),
);

const CLOSE_BY_EVIDENCE = statement((db, $: Given<AtGateway>) =>
  noteClosing(
    db.with('closed', (q) =>
      q
        .updateTable('reconciliation_cases as c')
        .from('reconciliation_results as r')
        .set(CLOSED_BY_EVIDENCE)
        .whereRef('r.id', '=', 'c.resultId')
        .where('c.mode', '=', $('mode'))
        .where('c.gateway', '=', $('gateway'))
        .where('c.state', '<>', 'RESOLVED')
        .where((eb) => eb.or([eb('r.status', '<>', 'FLAGGED'), eb('r.superseded', '=', true)]))
        .returning(CLOSED_CASE),
    ),
    'A later line or another state of the books explains it.',
  ),
);

/** For `payouts o`: what no line explains, or by how much entries of a statement moved what had arrived, if people have to accept that. */
export const RESIDUAL_STAKE = sql<bigint>`case when o.bank_in_doubt then greatest(abs(o.bank_minor - o.lines_minor), abs(o.bank_minor - o.bank_base_minor))
    else abs(o.bank_minor - o.lines_minor) end`;
const RESIDUAL_REASON = sql<string>`case when o.bank_in_doubt then 'BANK_AMOUNT_MOVED' else 'RESIDUAL' end`;

const RESIDUALS = statement((db, $: Given<AtGateway>) =>
  db
    .insertInto('reconciliation_cases')
    .columns(['reference', 'mode', 'gateway', 'applicationId', 'kind', 'payoutId', 'currency', 'reason', 'amountMinor'])
    .expression((insert) =>
      insert
        .selectFrom('payouts as o')
        .select([
          DRAWN.as('reference'),
          'o.mode',
          'o.gateway',
          'o.storeApplicationId',
          sql<'residual'>`${sql.lit('residual')}`.as('kind'),
          'o.id',
          'o.currency',
          RESIDUAL_REASON.as('reason'),
          RESIDUAL_STAKE.as('amountMinor'),
        ])
        .where('o.mode', '=', $('mode'))
        .where('o.gateway', '=', $('gateway'))
        .where('o.bankMinor', 'is not', null)
        .where((eb) =>
          eb.or([
            eb('o.bankInDoubt', '=', true),
            eb.and([
              eb('o.itemized', '=', true),
              eb('o.bankMinor', '<>', eb.ref('o.linesMinor')),
              sql<boolean>`o.accepted_residual_minor is distinct from o.bank_minor - o.lines_minor`,
            ]),
          ]),
        )
        .where((eb) =>
          eb.not(
            eb.exists(
              eb
                .selectFrom('reconciliation_cases as c')
                .select('c.id')
                .whereRef('c.payoutId', '=', 'o.id')
                .where('c.state', '<>', 'RESOLVED'),
            ),
          ),
        ),
    )
    .returning('id'),
);
const CLOSE_RESIDUALS = statement((db, $: Given<AtGateway>) =>
  noteClosing(
    db.with('closed', (q) =>
      q
        .updateTable('reconciliation_cases as c')
        .from('payouts as o')
        .set(CLOSED_BY_EVIDENCE)
        .whereRef('o.id', '=', 'c.payoutId')
        .where('c.kind', '=', 'residual')
        .where('c.mode', '=', $('mode'))
        .where('c.gateway', '=', $('gateway'))
        .where('c.state', '<>', 'RESOLVED')
        .whereRef('o.bankMinor', '=', 'o.linesMinor')
        .where('o.bankInDoubt', '=', false)
        .returning(CLOSED_CASE),
    ),
    'The payout adds up to what the bank received.',
  ),
);

const RENEW_RESIDUALS = statement((db, $: Given<AtGateway>) =>
  db
    .updateTable('reconciliation_cases as c')
    .from('payouts as o')
    .set({ amountMinor: RESIDUAL_STAKE, reason: RESIDUAL_REASON, updatedAt: now })
    .whereRef('o.id', '=', 'c.payoutId')
    .where('c.kind', '=', 'residual')
    .where('c.mode', '=', $('mode'))
    .where('c.gateway', '=', $('gateway'))
    .where('c.state', '<>', 'RESOLVED')
    .where((eb) => eb.or([eb('c.amountMinor', '<>', RESIDUAL_STAKE), eb('c.reason', '<>', RESIDUAL_REASON)])),
);

/** What waits for a second person in a case that evidence has closed. */
const LAPSE = statement((db, $: Given<AtGateway>) =>
  db
    .updateTable('reconciliation_case_entries as y')
    .from('reconciliation_cases as c')
    .set({ consumedAt: now, outcome: 'LAPSED', outcomeText: 'The case was closed by evidence.' })
    .whereRef('c.id', '=', 'y.caseId')
    .where('c.mode', '=', $('mode'))
    .where('c.gateway', '=', $('gateway'))
    .where('c.state', '=', 'RESOLVED')
    .where('y.kind', '=', 'action')
    // The refund may be there already. Whoever makes it ends the action.
    .where('y.action', '<>', 'create-refund')
    .where('y.consumedAt', 'is', null),
);

export interface CaseChanges {
  readonly opened: number;
  readonly closed: number;
}

/** Opens a case for each flagged result and each payout that does not add up or whose bank amount is in doubt, and closes those that evidence explains or confirms. */
export async function keepCases(em: EntityManager, at: AtGateway): Promise<CaseChanges> {
  // What people have decided is carried out under the same lock, which comes before those of cases.
  await lockGateway(em, at);
  const closed = await CLOSE_BY_EVIDENCE.all(em, at);
  await RENEW.all(em, at);
  const opened = await OPEN_OF_RESULTS.all(em, at);
  const closedResiduals = await CLOSE_RESIDUALS.all(em, at);
  await RENEW_RESIDUALS.all(em, at);
  const residuals = await RESIDUALS.all(em, at);
  const confirmed = (await keepWordCases(em, at)) + (await keepDisputeCases(em, at));
  await LAPSE.all(em, at);
  return { opened: opened.length + residuals.length, closed: closed.length + closedResiduals.length + confirmed };
}
