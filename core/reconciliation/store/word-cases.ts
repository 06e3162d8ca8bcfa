import { sql, type ExpressionBuilder } from 'kysely';
import { now } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import type { Tables } from '../../../database/tables.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import type { WordReason } from '../../../domain/payouts/reconciliation.ts';
import { caseReference } from '../../../domain/references.ts';
import { CLOSED_BY_EVIDENCE, CLOSED_CASE, noteClosing } from './closed-cases.ts';
import type { AtGateway } from './movements.ts';

interface ByWord {
  readonly refundId: bigint;
  readonly status: 'SUCCEEDED' | 'FAILED';
}

type Cases = Tables & { c: Tables['reconciliation_cases']; f: Tables['refunds'] };

const lit = sql.lit<WordReason>;

const OPEN = statement((db, $: Given<ByWord & { reference: string }>) =>
  db
    .insertInto('reconciliation_cases')
    .columns(['reference', 'mode', 'gateway', 'applicationId', 'kind', 'refundId', 'currency', 'reason', 'amountMinor'])
    .expression((insert) =>
      insert
        .selectFrom('refunds as f')
        .select((eb) => [
          sql<string>`${$('reference')}::text`.as('reference'),
          'f.mode',
          'f.gateway',
          'f.applicationId',
          sql<'refund-by-word'>`${sql.lit('refund-by-word')}`.as('kind'),
          'f.id',
          'f.currency',
          eb
            .case()
            .when('f.status', '=', 'SUCCEEDED')
            .then(lit('REFUNDED_BY_WORD'))
            .else(lit('NOT_REFUNDED_BY_WORD'))
            .end()
            .as('reason'),
          'f.amountMinor',
        ])
        .where('f.id', '=', $('refundId'))
        .where('f.status', '=', $('status')),
    )
    // A refund may end by word twice: what is asked of the lines is read again from the refund.
    .onConflict((conflict) => conflict.doNothing()),
);

/**
 * Opens the case of a refund that two people have ended by their word, in the transaction of that end. It stays open until a payout line confirms the word, or
 * people accept it.
 */
export async function openWordCase(statements: Statements, ended: ByWord): Promise<void> {
  await OPEN.all(statements, { ...ended, reference: caseReference() });
}

/** Lines of the refund itself, as they were judged. */
function linesOfRefund(eb: ExpressionBuilder<Cases, 'f'>) {
  return eb
    .selectFrom('reconciliation_results as x')
    .select('x.id')
    .whereRef('x.paymentId', '=', 'f.paymentId')
    .whereRef('x.refundId', '=', 'f.id')
    .where('x.lineId', 'is not', null)
    .where('x.superseded', '=', false);
}

/** A line that says the payer has the money, though the word was that they have not. */
function contradicting(eb: ExpressionBuilder<Cases, 'f'>) {
  return eb
    .selectFrom('reconciliation_results as x')
    .innerJoin('payout_lines as l', 'l.id', 'x.lineId')
    .leftJoin('payment_attempts as t', (join) =>
      join.onRef('t.paymentId', '=', 'f.paymentId').onRef('t.gatewayTxnId', '=', 'f.gatewayTxnId'),
    )
    .select('x.id')
    .whereRef('x.mode', '=', 'f.mode')
    .whereRef('x.gateway', '=', 'f.gateway')
    .where('x.status', '=', 'FLAGGED')
    .where('x.superseded', '=', false)
    .where('l.kind', '=', 'REFUND')
    .where('l.grossMinor', '<', 0n)
    .where((by) =>
      by.or([
        by('x.refundId', '=', by.ref('f.id')),
        by.and([
          by('x.reason', '=', 'REFUND_UNKNOWN'),
          by.or([
            by('l.gatewayTxnId', 'in', [by.ref('f.reference'), by.ref('f.gatewayRefundId').$notNull()]),
            by('l.lineReference', 'in', [by.ref('f.reference'), by.ref('f.gatewayRefundId').$notNull()]),
            by('l.attemptReference', '=', by.ref('f.reference')),
            by.and([
              by('l.currency', '=', by.ref('f.currency')),
              by('l.grossMinor', '=', sql<bigint>`-${by.ref('f.amountMinor')}`),
              by.or([
                by('l.gatewayTxnId', '=', by.ref('f.gatewayTxnId')),
                by('l.attemptReference', '=', by.ref('t.reference')),
              ]),
            ]),
          ]),
        ]),
      ]),
    );
}

const CLOSE = statement((db, $: Given<AtGateway>) =>
  noteClosing(
    db.with('closed', (q) =>
      q
        .updateTable('reconciliation_cases as c')
        .from('refunds as f')
        .set(CLOSED_BY_EVIDENCE)
        .whereRef('f.id', '=', 'c.refundId')
        .where('c.kind', '=', 'refund-by-word')
        .where('c.mode', '=', $('mode'))
        .where('c.gateway', '=', $('gateway'))
        .where('c.state', '<>', 'RESOLVED')
        .where((eb) => eb.exists(linesOfRefund(eb).where('x.status', '=', 'MATCHED')))
        .where((eb) => eb.not(eb.exists(linesOfRefund(eb).where('x.status', '<>', 'MATCHED'))))
        .returning(CLOSED_CASE),
    ),
    'A line of a payout confirms what was decided.',
  ),
);

function reasonOf(eb: ExpressionBuilder<Cases, 'f'>) {
  return eb
    .case()
    .when('f.status', '=', 'SUCCEEDED')
    .then(lit('REFUNDED_BY_WORD'))
    .when(eb.exists(contradicting(eb)))
    .then(lit('WORD_CONTRADICTED'))
    .else(lit('NOT_REFUNDED_BY_WORD'))
    .end();
}

const RENEW = statement((db, $: Given<AtGateway>) =>
  db
    .updateTable('reconciliation_cases as c')
    .from('refunds as f')
    .set((eb) => ({ reason: reasonOf(eb as unknown as ExpressionBuilder<Cases, 'f'>), updatedAt: now }))
    .whereRef('f.id', '=', 'c.refundId')
    .where('c.kind', '=', 'refund-by-word')
    .where('c.mode', '=', $('mode'))
    .where('c.gateway', '=', $('gateway'))
    .where('c.state', '<>', 'RESOLVED')
    .where((eb) => eb('c.reason', '<>', reasonOf(eb as unknown as ExpressionBuilder<Cases, 'f'>))),
);

/** Closes the cases whose word a line confirms, and says of the others whether a line contradicts it. Returns how many were closed. */
export async function keepWordCases(statements: Statements, at: AtGateway): Promise<number> {
  const closed = await CLOSE.all(statements, at);
  await RENEW.all(statements, at);
  return closed.length;
}
