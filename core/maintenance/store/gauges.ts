import { sql } from 'kysely';
import type { Database } from '../../../database/connection.ts';
import { clock } from '../../../database/expressions.ts';
import { statement } from '../../../database/typed-statements.ts';
import { OPEN_STATUSES } from '../../../domain/payment.ts';

export interface OperatingFigures {
  readonly openPayments: number;
  readonly paymentsInReview: number;
  /** 0 if everything is sealed. */
  readonly oldestUnsealedSeconds: number;
  readonly unappliedMoney: readonly {
    readonly currency: string;
    readonly charges: number;
    readonly amountMinor: number;
  }[];
}

const OPEN_PAYMENTS = statement((db) =>
  db
    .selectFrom('payments')
    .select((eb) => [
      eb.cast<number>(eb.fn.countAll(), 'integer').as('openPayments'),
      eb.cast<number>(eb.fn.countAll().filterWhere('reviewReason', 'is not', null), 'integer').as('paymentsInReview'),
    ])
    .where('status', 'in', OPEN_STATUSES),
);

/** Everything before the last seal is sealed, so only later rows are read. */
const OLDEST_UNSEALED = statement((db) =>
  db
    .selectFrom('ledger_transactions as t')
    .select((eb) =>
      sql<number | null>`extract(epoch from ${clock} - ${eb.fn.min('t.createdAt')})::float8`.as('seconds'),
    )
    .where((eb) => {
      const last = eb.selectFrom('ledger_seals').orderBy('id', 'desc').limit(1);
      const sealed = sql`(coalesce(${last.select('throughXid')}, '0'::xid8), coalesce(${last.select('throughId')}, 0))`;
      return sql<boolean>`${eb.refTuple('t.xid', 't.id')} > ${sealed}`;
    }),
);

const UNAPPLIED_MONEY = statement((db) =>
  db
    .selectFrom('unapplied_payments')
    .select((eb) => [
      'currency',
      eb.cast<number>(eb.fn.countAll(), 'integer').as('charges'),
      // A gauge has no other numbers.
      eb.cast<number>(eb.fn.sum('grossMinor'), 'float8').as('amountMinor'),
    ])
    .where('status', '=', 'HELD')
    .groupBy('currency'),
);

/** Returns figures for operators. Every worker reads the same values, so take their maximum, never their sum. */
export async function readOperatingFigures(database: Database): Promise<OperatingFigures> {
  return database.withSystem(async (em) => {
    const open = await OPEN_PAYMENTS.first(em, {});
    const unsealed = await OLDEST_UNSEALED.first(em, {});
    return {
      openPayments: open?.openPayments ?? 0,
      paymentsInReview: open?.paymentsInReview ?? 0,
      oldestUnsealedSeconds: Math.max(0, unsealed?.seconds ?? 0),
      unappliedMoney: await UNAPPLIED_MONEY.all(em, {}),
    };
  });
}
