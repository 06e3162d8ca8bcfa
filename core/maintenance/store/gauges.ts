import type { Database } from '../../../database/connection.ts';

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

/** Returns figures for operators. Every worker reads the same values, so take their maximum, never their sum. */
export async function readOperatingFigures(database: Database): Promise<OperatingFigures> {
  return database.withSystem(async (em) => {
    const [open] = await em.execute<{ open: string; review: string }[]>(
      `select count(*) as open, count(*) filter (where review_reason is not null) as review
       from payments where status in ('CREATED', 'PENDING')`,
    );
    // Everything before the last seal is sealed, so only later rows are read.
    const [tail] = await em.execute<{ oldest: number | null }[]>(
      `select extract(epoch from clock_timestamp() - min(t.created_at))::float8 as oldest from ledger_transactions t
       where (t.xid, t.id) > (coalesce((select through_xid from ledger_seals order by id desc limit 1), '0'::xid8),
         coalesce((select through_id from ledger_seals order by id desc limit 1), 0))`,
    );
    const late = await em.execute<{ currency: string; charges: string; amount: string }[]>(
      `select currency, count(*) as charges, sum(gross_minor) as amount from unapplied_payments where status = 'HELD' group by currency`,
    );
    return {
      openPayments: Number(open?.open ?? 0),
      paymentsInReview: Number(open?.review ?? 0),
      oldestUnsealedSeconds: Math.max(0, tail?.oldest ?? 0),
      unappliedMoney: late.map(({ currency, charges, amount }) => ({
        currency,
        charges: Number(charges),
        amountMinor: Number(amount),
      })),
    };
  });
}
