import { sql, type Expression, type RawBuilder } from 'kysely';
import type { Database } from '../../../database/connection.ts';
import { now, plus, span, timeOf } from '../../../database/expressions.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import { OPEN_STATUSES } from '../../../domain/payment.ts';
import { findAttempt } from '../../gateway-callbacks/store/found-attempt.ts';

type Doubt = 'lost' | 'executed';

interface ExecutionState {
  /** The attempt's time, by the database's clock. */
  readonly readAt: Date;
  readonly atWork: boolean;
  readonly barred: boolean;
  readonly doubt: Doubt | null;
}

interface Begun {
  readonly doubt: Doubt | null;
  end(left: Doubt | 'plain' | 'barred'): Promise<void>;
}

interface ToSend {
  readonly attemptReference: string;
  readonly paymentId: string;
  readonly atWorkMs: number;
}

type StoredDoubt = 'LOST' | 'EXECUTED' | null;

/** An execution that was begun and never ended: its process died, so it may have been carried out. */
function doubtIn(doubt: Expression<StoredDoubt>, atWorkUntil: Expression<Date | null>): RawBuilder<StoredDoubt> {
  return sql`coalesce(${doubt}, case when ${atWorkUntil} is not null then 'LOST' end)`;
}

const STATE = statement((db, $: Given<{ attemptId: bigint }>) =>
  db
    .selectFrom('payment_attempts as t')
    .innerJoin('payments as p', 'p.id', 't.paymentId')
    .select((eb) => [
      timeOf(eb.ref('p.clockOffset')).as('readAt'),
      eb.fn
        .coalesce(eb('t.executionAtWorkUntil', '>', now), sql.lit(false))
        .$castTo<boolean>()
        .as('atWork'),
      't.executionBarred as barred',
      doubtIn(eb.ref('t.executionDoubt'), eb.ref('t.executionAtWorkUntil')).as('doubt'),
    ])
    .where('t.id', '=', $('attemptId')),
);

const BEGIN = statement((db, $: Given<{ attemptId: bigint; paymentId: string; atWorkMs: number }>) =>
  db
    .updateTable('payment_attempts as t')
    .from('payments as p')
    .set((eb) => ({
      executionsSent: eb('t.executionsSent', '+', 1),
      executionDoubt: doubtIn(eb.ref('t.executionDoubt'), eb.ref('t.executionAtWorkUntil')),
      executionAtWorkUntil: plus(now, span($('atWorkMs'), 'millisecond')),
      updatedAt: now,
    }))
    .where('t.id', '=', $('attemptId'))
    .where('t.sessionKey', '=', $('paymentId'))
    .where('t.status', 'in', ['OPEN', 'UNKNOWN'])
    .where('t.supersededAt', 'is', null)
    .where((eb) => eb.not('t.executionBarred'))
    .where((eb) => eb.or([eb('t.executionAtWorkUntil', 'is', null), eb('t.executionAtWorkUntil', '<=', now)]))
    .whereRef('p.id', '=', 't.paymentId')
    .where('p.status', 'in', OPEN_STATUSES)
    .where('p.cancelRequestedAt', 'is', null)
    .returning(['t.executionsSent as sent', 't.executionDoubt as doubt']),
);

interface Ended {
  readonly attemptId: bigint;
  readonly sent: number;
  readonly barred: boolean;
  readonly executed: boolean;
  readonly lost: boolean;
  readonly inDoubt: boolean;
  readonly atWorkMs: number;
}

const END = statement((db, $: Given<Ended>) =>
  db
    .updateTable('payment_attempts')
    .set((eb) => ({
      executionBarred: eb.or([eb.ref('executionBarred'), $('barred')]).$castTo<boolean>(),
      executionDoubt: eb
        .case()
        .when($('executed'))
        .then(sql.lit<StoredDoubt>('EXECUTED'))
        .when($('lost'))
        .then(eb.fn.coalesce('executionDoubt', sql.lit<StoredDoubt>('LOST')))
        .else(eb.ref('executionDoubt'))
        .end(),
      executionAtWorkUntil: eb
        .case()
        .when($('inDoubt'))
        .then(plus(now, span($('atWorkMs'), 'millisecond')))
        .end(),
      updatedAt: now,
    }))
    .where('id', '=', $('attemptId'))
    .where('executionsSent', '=', $('sent')),
);

/**
 * Records our executions of attempts whose money moves only by them, in the attempts' rows. The update that permits an execution and the one that
 * ends an attempt without a charge guard the same row, so only one of them can happen.
 */
export class GatewayExecutions {
  readonly #database: Database;
  readonly #gateway: string;

  constructor(database: Database, gateway: string) {
    this.#database = database;
    this.#gateway = gateway;
  }

  /** @throws Error if there is no such attempt */
  async stateOf(attemptReference: string): Promise<ExecutionState> {
    const { scope, attemptId } = await this.#find(attemptReference);
    const row = await this.#database.inOneTrip(scope, (statements) => STATE.first(statements, { attemptId }));
    if (row === undefined) {
      throw new Error('the attempt does not exist in this scope');
    }
    return { ...row, doubt: doubtOf(row.doubt) };
  }

  /** @throws Error if there is no such attempt */
  async begin({ attemptReference, paymentId, atWorkMs }: ToSend): Promise<Begun | null> {
    const { scope, attemptId } = await this.#find(attemptReference);
    const row = await this.#database.inOneTrip(scope, (statements) =>
      BEGIN.first(statements, { attemptId, paymentId, atWorkMs }),
    );
    if (row === undefined) {
      return null;
    }
    return {
      doubt: doubtOf(row.doubt),
      end: async (left) => {
        const [barred, executed, lost] = [left === 'barred', left === 'executed', left === 'lost'];
        const ended = { attemptId, sent: row.sent, barred, executed, lost, inDoubt: lost || executed, atWorkMs };
        await this.#database.inOneTrip(scope, (statements) => END.all(statements, ended));
      },
    };
  }

  async #find(attemptReference: string) {
    const found = await findAttempt(this.#database, this.#gateway, attemptReference);
    if (found === null) {
      throw new Error('the attempt does not exist');
    }
    return found;
  }
}

function doubtOf(doubt: StoredDoubt): Doubt | null {
  return doubt === null ? null : doubt === 'LOST' ? 'lost' : 'executed';
}
