import { randomUUID } from 'node:crypto';
import type { Database, Scope } from '../../database/connection.ts';
import { postTransaction } from '../../database/ledger.ts';
import { paymentPosting, type LedgerTransaction } from '../../domain/ledger.ts';

/** A settlement of 100.00 with its fee, as `finalizePayment` posts it: two postings between three accounts. */
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

/** Posts for so many seconds with so many transactions in flight, each for the next of the scopes in turn; answers how many a second. */
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
        await database.inTransaction(scope, (statements) =>
          postTransaction(statements, postingOf(scope, randomUUID())),
        );
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

/** What `postTransaction` sends for one settlement whose accounts exist, taken down on its way. */
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
