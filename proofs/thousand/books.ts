import { z } from 'zod';
import type { Database } from '../../database/connection.ts';

const ChargeLines = z.array(z.object({ kind: z.string(), tranId: z.string(), amount: z.string() }));

export interface Books {
  /** What the gateway says it took, in paisa, by attempt reference. */
  readonly charged: ReadonlyMap<string, bigint>;
  /** What the ledger says was taken, in paisa, by attempt reference. */
  readonly posted: ReadonlyMap<string, bigint>;
}

/** Reads the gateway's and the ledger's records of these applications' payments. */
export async function readBooks(
  database: Database,
  { simulators, applicationIds }: { simulators: string; applicationIds: readonly bigint[] },
): Promise<Books> {
  const attempts = await postedByAttempt(database, applicationIds);
  const ours = new Set(attempts.keys());
  const charged = new Map<string, bigint>();
  for (const { kind, tranId, amount } of await chargeLines(simulators)) {
    if (kind === 'charge' && ours.has(tranId)) {
      charged.set(tranId, (charged.get(tranId) ?? 0n) + minorUnits(amount));
    }
  }
  return { charged, posted: new Map([...attempts].filter(([, gross]) => gross > 0n)) };
}

/** Returns one sentence for each reference on which the two disagree. */
export function disagreements({ charged, posted }: Books): string[] {
  return [...new Set([...charged.keys(), ...posted.keys()])]
    .filter((reference) => charged.get(reference) !== posted.get(reference))
    .map(
      (reference) =>
        `${reference}: the gateway charged ${charged.get(reference) ?? 'nothing'}, the ledger holds ${posted.get(reference) ?? 'nothing'}`,
    );
}

async function chargeLines(simulators: string): Promise<z.infer<typeof ChargeLines>> {
  const response = await fetch(`${simulators}/__sim/charges`, { signal: AbortSignal.timeout(30_000) });
  return ChargeLines.parse(await response.json());
}

/** A payment's gross amount is the sum of its postings to `app:payable`: the amount on the clearing account plus the fee that the gateway kept. */
async function postedByAttempt(
  database: Database,
  applicationIds: readonly bigint[],
): Promise<ReadonlyMap<string, bigint>> {
  const rows = await database.withSystem((em) =>
    em.execute<{ reference: string; gross: string }[]>(
      `select t.reference, coalesce(g.gross, 0)::text as gross
       from payment_attempts t join payments p on p.id = t.payment_id
       left join lateral (
         select sum(l.amount_minor) as gross
         from ledger_transactions x join ledger_postings l on l.transaction_id = x.id
         join ledger_accounts c on c.id = l.credit_account_id
         where x.cause_type = 'payment' and x.cause_id = p.reference and c.name = 'app:payable'
           and t.status = 'CONFIRMED') g on true
       where p.application_id = any(string_to_array(?, ',')::bigint[])`,
      [applicationIds.join(',')],
    ),
  );
  return new Map(rows.map(({ reference, gross }) => [reference, BigInt(gross)]));
}

function minorUnits(amount: string): bigint {
  const [, taka = '', paisa = ''] = /^(\d+)(?:\.(\d{1,2}))?$/.exec(amount) ?? [];
  if (taka === '') {
    throw new Error(`not an amount in the charge log: ${amount}`);
  }
  return BigInt(taka) * 100n + BigInt(paisa.padEnd(2, '0'));
}
