import { ADVISORY_LOCKS } from '../../database/advisory-locks.ts';
import type { EntityManager } from '../../database/connection.ts';
import {
  digestOf,
  ENCODING,
  GENESIS_HASH,
  ledgerRows,
  SealHash,
  valueOf,
  type LedgerRow,
  type SealedRow,
  type SealHeader,
} from './canonical.ts';

/** The newest link of the chain, or its start. */
export interface ChainHead {
  readonly sealId: bigint;
  readonly hash: Buffer;
  readonly totalTransactions: bigint;
}

export interface SealOutcome {
  readonly head: ChainHead;
  /** False if the batch was full, so that there may be more to seal. */
  readonly drained: boolean;
}

// These statements are SQL text: they compare transaction numbers (xid8) and snapshots, which Kysely has no types for, and every value travels as the text
// that is hashed.

/**
 * Seals one batch within the caller's transaction, which runs as `lenden_system` at read committed. Two sealers cannot fork the chain: one gives up
 * without waiting, and the seal's number and its predecessor are unique as well.
 */
export async function sealBatch(
  em: EntityManager,
  { transactionsMax }: { transactionsMax: number },
): Promise<SealOutcome> {
  // A sealer that does not get the lock leaves the work to the one that holds it.
  const [lock] = await em.execute<{ taken: boolean }[]>(
    `select pg_try_advisory_xact_lock(${ADVISORY_LOCKS.sealing}) as taken`,
  );
  // Read after the lock in a separate statement, whose snapshot includes the seal of the previous lock holder.
  const last = await lastSeal(em);
  if (lock?.taken !== true) {
    return { head: headOf(last), drained: true };
  }
  const batch = await nextBatch(em, { last, transactionsMax });
  if (batch.transactions.length === 0) {
    return { head: headOf(last), drained: true };
  }
  const rows = await rowsToSeal(em, batch.transactions);
  const head = await insertSeal(em, { last, batch, rows });
  return { head, drained: !batch.full };
}

interface LastSeal {
  readonly id: string;
  readonly hash: string;
  readonly totalTransactions: string;
  readonly cluster: string;
  readonly throughXid: string;
  readonly throughId: string;
}

const NO_SEAL: LastSeal = {
  id: '0',
  hash: GENESIS_HASH.toString('hex'),
  totalTransactions: '0',
  cluster: '',
  throughXid: '0',
  throughId: '0',
};

async function lastSeal(em: EntityManager): Promise<LastSeal> {
  const [last] = await em.execute<LastSeal[]>(
    `select id::text, encode(hash, 'hex') as hash, total_transactions::text as "totalTransactions", cluster,
       through_xid::text as "throughXid", through_id::text as "throughId"
     from ledger_seals order by ledger_seals.id desc limit 1`,
  );
  return last ?? NO_SEAL;
}

function headOf({ id, hash, totalTransactions }: LastSeal): ChainHead {
  return { sealId: BigInt(id), hash: Buffer.from(hash, 'hex'), totalTransactions: BigInt(totalTransactions) };
}

interface Candidate {
  readonly id: string;
  readonly xid: string;
  readonly horizon: string;
  readonly cluster: string;
  readonly sealedAt: string;
}

interface Batch {
  readonly transactions: readonly string[];
  readonly full: boolean;
  readonly cluster: string;
  readonly throughXid: string;
  readonly throughId: string;
  readonly sealedAt: string;
}

const CANDIDATE_COLUMNS = `t.id::text, t.xid::text, pg_snapshot_xmin(pg_current_snapshot())::text as horizon,
  (select system_identifier::text from pg_control_system()) as cluster,
  to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "sealedAt"`;

/**
 * Every database transaction with an id below the horizon has ended, so all its rows are visible now. If transactions are taken in the order (xid,
 * id) up to the horizon, none can appear later before the last one taken. The next batch starts at that pair, so the cost does not grow with the
 * sealed rows. The row id alone would not do, since a lower id may commit later.
 */
const NEXT_IN_ORDER = `select ${CANDIDATE_COLUMNS} from ledger_transactions t
  where (t.xid, t.id) > (?::xid8, ?::bigint) and t.xid < pg_snapshot_xmin(pg_current_snapshot())
  order by t.xid, t.id limit ?::integer`;

/**
 * In another cluster than the last seal's (a restored dump), the ids before and after cannot be compared. Unsealed transactions are found by scanning
 * everything until none is left. An id that this cluster has not reached yet comes from the old one, so its transaction has ended long ago.
 */
const NEXT_AFTER_RESTORE = `select ${CANDIDATE_COLUMNS} from ledger_transactions t
  where (t.xid < pg_snapshot_xmin(pg_current_snapshot()) or t.xid >= pg_snapshot_xmax(pg_current_snapshot()))
    and not exists (select from ledger_sealed_rows s where s.table_name = 'ledger_transactions' and s.row_id = t.id)
  order by t.id limit ?::integer`;

async function nextBatch(
  em: EntityManager,
  { last, transactionsMax }: { last: LastSeal; transactionsMax: number },
): Promise<Batch> {
  const [here] = await em.execute<{ cluster: string }[]>(
    `select system_identifier::text as cluster from pg_control_system()`,
  );
  const restored = last.id !== '0' && last.cluster !== here?.cluster;
  const found = restored
    ? await em.execute<Candidate[]>(NEXT_AFTER_RESTORE, [transactionsMax])
    : await em.execute<Candidate[]>(NEXT_IN_ORDER, [last.throughXid, last.throughId, transactionsMax]);
  const full = found.length === transactionsMax;
  const end = found.at(-1);
  const position = restored && full ? last : reached({ end, full });
  return {
    transactions: found.map(({ id }) => id),
    full,
    cluster: restored && full ? last.cluster : (end?.cluster ?? ''),
    throughXid: position.throughXid,
    throughId: position.throughId,
    sealedAt: end?.sealedAt ?? '',
  };
}

/** A batch that was not full took everything below the horizon, so the next one starts there. */
function reached({ end, full }: { end: Candidate | undefined; full: boolean }): {
  throughXid: string;
  throughId: string;
} {
  if (end === undefined) {
    return { throughXid: '0', throughId: '0' };
  }
  return full ? { throughXid: end.xid, throughId: end.id } : { throughXid: end.horizon, throughId: '0' };
}

/** Returns each transaction followed by its postings, in the batch's order, preceded by the accounts that no earlier seal contains. */
async function rowsToSeal(em: EntityManager, transactionIds: readonly string[]): Promise<LedgerRow[]> {
  const transactions = await ledgerRows(em, { table: 'ledger_transactions', column: 'id', ids: transactionIds });
  const postings = await ledgerRows(em, {
    table: 'ledger_postings',
    column: 'transaction_id',
    ids: transactionIds,
  });
  const accounts = await ledgerRows(em, {
    table: 'ledger_accounts',
    column: 'id',
    ids: await unsealedAccounts(em, postings),
  });
  const byId = new Map(transactions.map((row) => [row.id, row]));
  const postingsOf = Map.groupBy(postings, (row) => valueOf(row, 'transaction_id'));
  const inOrder = transactionIds.flatMap((id) => [byId.get(id) ?? [], postingsOf.get(id) ?? []].flat());
  return [...accounts, ...inOrder];
}

async function unsealedAccounts(em: EntityManager, postings: readonly LedgerRow[]): Promise<string[]> {
  const used = new Set(
    postings.flatMap((row) => [valueOf(row, 'debit_account_id'), valueOf(row, 'credit_account_id')]),
  );
  const sealed = await em.execute<{ id: string }[]>(
    `select row_id::text as id from ledger_sealed_rows where table_name = 'ledger_accounts' and row_id = any(?::bigint[])`,
    [`{${[...used].join(',')}}`],
  );
  const known = new Set(sealed.map(({ id }) => id));
  return [...used].filter((id) => !known.has(id));
}

async function insertSeal(
  em: EntityManager,
  { last, batch, rows }: { last: LastSeal; batch: Batch; rows: readonly LedgerRow[] },
): Promise<ChainHead> {
  const sealed: SealedRow[] = rows.map((row, index) => ({
    position: index + 1,
    table: row.table,
    rowId: row.id,
    digest: digestOf(row),
  }));
  const header: SealHeader = {
    id: BigInt(last.id) + 1n,
    encoding: ENCODING,
    previousHash: Buffer.from(last.hash, 'hex'),
    cluster: batch.cluster,
    throughXid: batch.throughXid,
    throughId: batch.throughId,
    transactions: batch.transactions.length,
    totalTransactions: BigInt(last.totalTransactions) + BigInt(batch.transactions.length),
    rowCount: sealed.length,
    createdAt: batch.sealedAt,
  };
  const hash = hashOf(header, sealed);
  await em.execute(
    `insert into ledger_seals (id, encoding, previous_hash, cluster, through_xid, through_id, transactions, total_transactions, row_count,
       created_at, hash)
     values (?::bigint, ?, decode(?, 'hex'), ?, ?::xid8, ?::bigint, ?, ?::bigint, ?, ?::timestamptz, decode(?, 'hex'))`,
    [
      header.id,
      header.encoding,
      last.hash,
      header.cluster,
      header.throughXid,
      header.throughId,
      header.transactions,
      header.totalTransactions,
      header.rowCount,
      header.createdAt,
      hash.toString('hex'),
    ],
  );
  await em.execute(
    `insert into ledger_sealed_rows (seal_id, position, table_name, row_id, digest)
     select ?::bigint, w.position, w."table", w.row, decode(w.digest, 'hex')
     from jsonb_to_recordset(?::jsonb) as w (position integer, "table" text, row bigint, digest text)`,
    [
      header.id,
      JSON.stringify(
        sealed.map(({ position, table, rowId, digest }) => ({
          position,
          table,
          row: rowId,
          digest: digest.toString('hex'),
        })),
      ),
    ],
  );
  return { sealId: header.id, hash, totalTransactions: header.totalTransactions };
}

function hashOf(header: SealHeader, rows: readonly SealedRow[]): Buffer {
  const hash = new SealHash(header);
  for (const row of rows) {
    hash.add(row);
  }
  return hash.digest();
}
