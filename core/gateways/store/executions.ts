import type { Database } from '../../../database/connection.ts';
import { findAttempt } from '../../gateway-callbacks/store/found-attempt.ts';
import { instant } from '../../../database/read-row.ts';

type Doubt = 'lost' | 'executed';

interface Stand {
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

interface StateRow {
  read_at: string;
  at_work: boolean;
  barred: boolean;
  doubt: 'LOST' | 'EXECUTED' | null;
}

/** An execution that was begun and never ended: its process died, so it may have been carried out. */
const DOUBT = `coalesce(execution_doubt, case when execution_at_work_until is not null then 'LOST' end)`;

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
  async stateOf(attemptReference: string): Promise<Stand> {
    const { scope, attemptId } = await this.#find(attemptReference);
    const [row] = await this.#database.inOneTrip(scope, (statements) =>
      statements.execute<StateRow[]>(
        `select lenden_now(p.clock_offset) as read_at, coalesce(execution_at_work_until > now(), false) as at_work,
           execution_barred as barred, ${DOUBT} as doubt
         from payment_attempts t join payments p on p.id = t.payment_id where t.id = ?`,
        [attemptId],
      ),
    );
    if (row === undefined) {
      throw new Error('the attempt does not exist in this scope');
    }
    const { read_at: readAt, at_work: atWork, barred, doubt } = row;
    return { readAt: instant(readAt), atWork, barred, doubt: doubtOf(doubt) };
  }

  /** @throws Error if there is no such attempt */
  async begin({ attemptReference, paymentId, atWorkMs }: ToSend): Promise<Begun | null> {
    const { scope, attemptId } = await this.#find(attemptReference);
    const [row] = await this.#database.inOneTrip(scope, (statements) =>
      statements.execute<{ sent: number; doubt: StateRow['doubt'] }[]>(
        `update payment_attempts t set executions_sent = executions_sent + 1, execution_doubt = ${DOUBT},
           execution_at_work_until = now() + ? * interval '1 millisecond', updated_at = now()
         from payments p
         where t.id = ? and t.session_key = ? and t.status in ('OPEN', 'UNKNOWN') and t.superseded_at is null and not t.execution_barred
           and (t.execution_at_work_until is null or t.execution_at_work_until <= now())
           and p.id = t.payment_id and p.status in ('CREATED', 'PENDING') and p.cancel_requested_at is null
         returning t.executions_sent as sent, t.execution_doubt as doubt`,
        [atWorkMs, attemptId, paymentId],
      ),
    );
    if (row === undefined) {
      return null;
    }
    return {
      doubt: doubtOf(row.doubt),
      end: async (left) => {
        const leavesDoubt = left === 'lost' || left === 'executed';
        await this.#database.inOneTrip(scope, (statements) =>
          statements.execute(
            `update payment_attempts set execution_barred = execution_barred or ?,
               execution_doubt = case when ? then 'EXECUTED' when ? then coalesce(execution_doubt, 'LOST') else execution_doubt end,
               execution_at_work_until = case when ? then now() + ? * interval '1 millisecond' end, updated_at = now()
             where id = ? and executions_sent = ?`,
            [left === 'barred', left === 'executed', left === 'lost', leavesDoubt, atWorkMs, attemptId, row.sent],
          ),
        );
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

function doubtOf(doubt: StateRow['doubt']): Doubt | null {
  return doubt === null ? null : doubt === 'LOST' ? 'lost' : 'executed';
}
