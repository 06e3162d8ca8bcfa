import { randomUUID } from 'node:crypto';
import type { Database, Scope } from '../../database/connection.ts';
import { postTransaction } from '../../core/ledger/store.ts';
import { paymentPosting, type LedgerTransaction } from '../../domain/ledger.ts';

/** Returns the transaction for a payment of 100.00 and its fee, as `finalizePayment` posts it: two postings between three accounts. */
function postingOf(scope: Scope, reference: string): LedgerTransaction {
  return paymentPosting({
    ...scope,
    currency: 'BDT',
    gateway: 'sslcommerz',
    reference,
    grossMinor: 10_000n,
    feeMinor: 250n,
  });
}

/** Posts for the given time with a fixed number of transactions in flight, for each scope in turn. Returns the rate per second. */
export async function postingRate(
  database: Database,
  { scopes, inFlight, seconds }: { scopes: readonly Scope[]; inFlight: number; seconds: number },
): Promise<number> {
  let posted = 0;
  const startedMs = performance.now();
  const lane = async (number: number): Promise<void> => {
    for (let turn = number; performance.now() - startedMs < seconds * 1_000; turn += inFlight) {
      const scope = scopes[turn % scopes.length];
      if (scope !== undefined) {
        await database.withScope(scope, (statements) => postTransaction(statements, postingOf(scope, randomUUID())));
        posted += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: inFlight }, (_, number) => lane(number)));
  return posted / ((performance.now() - startedMs) / 1_000);
}

export interface RecordedStatement {
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

/** Records the statement that `postTransaction` sends for one payment whose accounts exist. */
export async function recordPosting(
  database: Database,
  { scope, reference }: { scope: Scope; reference: string },
): Promise<RecordedStatement> {
  const recorded: RecordedStatement[] = [];
  await database.withScope(scope, async (em) => {
    const send = em.execute.bind(em);
    Object.assign(em, {
      execute: (sql: string, parameters: unknown[] = []) => {
        recorded.push({ sql, parameters });
        return send(sql, parameters);
      },
    });
    await postTransaction(em, postingOf(scope, reference));
  });
  const [statement, ...others] = recorded;
  if (statement === undefined || others.length > 0) {
    throw new Error(`a posting between accounts that exist took ${recorded.length} statements instead of one`);
  }
  return statement;
}
