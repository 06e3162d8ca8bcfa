import type { EntityManager } from '../../../database/connection.ts';
import type { Findings } from './findings.ts';

/** The transactions that the next sealing run will take. Until then only the payments' evidence protects them. */
export interface UnsealedTail {
  readonly transactions: bigint;
  /** Age of the oldest one; null if everything is sealed. */
  readonly oldestSeconds: number | null;
}

const LISTED_MAX = 100;

const NOT_SEALED = `not exists (select from ledger_sealed_rows s where s.table_name = 'ledger_transactions' and s.row_id = t.id)`;

export async function verifyUnsealed(em: EntityManager, findings: Findings): Promise<UnsealedTail> {
  await findSkipped(em, findings);
  await findAddedPostings(em, findings);
  await findOrphanedSealRows(em, findings);
  const [tail] = await em.execute<{ transactions: string; oldest: number | null }[]>(
    `select count(*)::text as transactions, extract(epoch from clock_timestamp() - min(t.created_at))::float8 as oldest
     from ledger_transactions t where ${NOT_SEALED}`,
  );
  return { transactions: BigInt(tail?.transactions ?? '0'), oldestSeconds: tail?.oldest ?? null };
}

/** The sealer never looks before its position again, so an unsealed transaction there was inserted by hand, or its seal was removed. */
async function findSkipped(em: EntityManager, findings: Findings): Promise<void> {
  const rows = await em.execute<{ id: string }[]>(
    `select t.id::text from ledger_transactions t,
       (select through_xid, through_id, cluster from ledger_seals order by id desc limit 1) head
     where (t.xid, t.id) <= (head.through_xid, head.through_id) and ${NOT_SEALED}
       and head.cluster = (select system_identifier::text from pg_control_system())
     order by t.id limit ${LISTED_MAX}`,
  );
  for (const { id } of rows) {
    const what =
      'is not sealed although sealing has passed its position: it was inserted by hand, or its sealed row was removed';
    findings.add({ check: 'chain', table: 'ledger_transactions', id, what });
  }
}

async function findAddedPostings(em: EntityManager, findings: Findings): Promise<void> {
  const rows = await em.execute<{ id: string; transactionId: string }[]>(
    `select p.id::text, p.transaction_id::text as "transactionId" from ledger_postings p
       join ledger_sealed_rows sealed on sealed.table_name = 'ledger_transactions' and sealed.row_id = p.transaction_id
     where not exists (select from ledger_sealed_rows s where s.table_name = 'ledger_postings' and s.row_id = p.id)
     order by p.id limit ${LISTED_MAX}`,
  );
  for (const { id, transactionId } of rows) {
    const what = `was added to transaction ${transactionId} after that transaction was sealed`;
    findings.add({ check: 'chain', table: 'ledger_postings', id, what });
  }
}

async function findOrphanedSealRows(em: EntityManager, findings: Findings): Promise<void> {
  const rows = await em.execute<{ id: string }[]>(
    `select distinct r.seal_id::text as id from ledger_sealed_rows r
     where not exists (select from ledger_seals s where s.id = r.seal_id) limit ${LISTED_MAX}`,
  );
  for (const { id } of rows) {
    findings.add({ check: 'chain', table: 'ledger_seals', id, what: 'is missing, but rows that it sealed exist' });
  }
}
