import type { EntityManager } from '../../../database/connection.ts';
import {
  describe,
  digestOf,
  ENCODING,
  GENESIS_HASH,
  LEDGER_TABLES,
  ledgerRows,
  SealHash,
  type LedgerRow,
  type LedgerTable,
  type SealedRow,
  type SealHeader,
} from '../canonical.ts';
import type { Findings } from './findings.ts';

/** A chain head remembered outside the database. */
export interface Witness {
  readonly sealId: bigint;
  /** Hexadecimal. */
  readonly hash: string;
  /** Where it is remembered, for the finding's text. */
  readonly source: string;
  /** When it was remembered. A head of a state that a restore has undone is not compared. */
  readonly at?: Date;
}

export interface ChainReport {
  readonly seals: bigint;
  readonly sealedTransactions: bigint;
  readonly sealedRows: bigint;
  readonly head: { readonly sealId: bigint; readonly hash: string };
  /** The number of witnesses whose seals a restore has undone. They were not compared. */
  readonly undoneWitnesses: number;
}

const SEALS_PER_PAGE = 100;
const ROWS_PER_PAGE = 2_000;

/** Recomputes every digest and link from the current rows, page by page, so that memory use does not grow with the ledger. */
export async function verifyChain(
  em: EntityManager,
  { findings, witnesses }: { findings: Findings; witnesses: readonly Witness[] },
): Promise<ChainReport> {
  const state = { previousHash: GENESIS_HASH, sealId: 0n, totalTransactions: 0n, rows: 0n };
  const comparable = await stillRemembered(em, witnesses);
  const remembered = Map.groupBy(comparable, ({ sealId }) => sealId);
  while (true) {
    const page = await sealsAfter(em, state.sealId);
    const proofs = await proveRows(em, { page, findings });
    for (const seal of page) {
      checkLink(seal, state, findings);
      checkSeal(seal, proofs.get(seal.id), findings);
      for (const witness of remembered.get(seal.id) ?? []) {
        checkWitness(seal, witness, findings);
      }
      state.previousHash = seal.hash;
      state.sealId = seal.id;
      state.totalTransactions = seal.totalTransactions;
      state.rows += BigInt(seal.rowCount);
    }
    if (page.length < SEALS_PER_PAGE) {
      break;
    }
  }
  reportLostSeals({ witnesses: comparable, headId: state.sealId, findings });
  return {
    seals: state.sealId,
    sealedTransactions: state.totalTransactions,
    sealedRows: state.rows,
    head: { sealId: state.sealId, hash: state.previousHash.toString('hex') },
    undoneWitnesses: witnesses.length - comparable.length,
  };
}

type Seal = SealHeader & { readonly hash: Buffer };

interface SealRecord {
  readonly id: string;
  readonly encoding: number;
  readonly previousHash: string;
  readonly hash: string;
  readonly cluster: string;
  readonly throughXid: string;
  readonly throughId: string;
  readonly transactions: number;
  readonly totalTransactions: string;
  readonly rowCount: number;
  readonly createdAt: string;
}

async function sealsAfter(em: EntityManager, sealId: bigint): Promise<Seal[]> {
  const records = await em.execute<SealRecord[]>(
    `select s.id::text, s.encoding, encode(s.previous_hash, 'hex') as "previousHash", encode(s.hash, 'hex') as hash, s.cluster,
       s.through_xid::text as "throughXid", s.through_id::text as "throughId", s.transactions,
       s.total_transactions::text as "totalTransactions", s.row_count as "rowCount",
       to_char(s.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "createdAt"
     from ledger_seals s where s.id > ?::bigint order by s.id limit ${SEALS_PER_PAGE}`,
    [sealId],
  );
  return records.map((record) => ({
    ...record,
    id: BigInt(record.id),
    totalTransactions: BigInt(record.totalTransactions),
    previousHash: Buffer.from(record.previousHash, 'hex'),
    hash: Buffer.from(record.hash, 'hex'),
  }));
}

/** What the stored rows of a seal add up to. */
interface Proof {
  readonly hash: SealHash;
  rows: number;
  transactions: number;
  inOrder: boolean;
}

async function proveRows(
  em: EntityManager,
  { page, findings }: { page: readonly Seal[]; findings: Findings },
): Promise<Map<bigint, Proof>> {
  const proofs = new Map(
    page.map((seal) => [seal.id, { hash: new SealHash(seal), rows: 0, transactions: 0, inOrder: true }]),
  );
  const first = page[0];
  const last = page.at(-1);
  if (first === undefined || last === undefined) {
    return proofs;
  }
  let after: { readonly sealId: bigint; readonly position: number } = { sealId: first.id, position: 0 };
  while (true) {
    const rows = await sealedRowsAfter(em, { after, lastSealId: last.id });
    await compareWithLedger(em, { rows, findings });
    for (const row of rows) {
      addToProof(proofs.get(row.sealId), row);
    }
    const end = rows.at(-1);
    if (end === undefined || rows.length < ROWS_PER_PAGE) {
      return proofs;
    }
    after = end;
  }
}

type StoredSealedRow = SealedRow & { readonly sealId: bigint };

async function sealedRowsAfter(
  em: EntityManager,
  { after, lastSealId }: { after: { sealId: bigint; position: number }; lastSealId: bigint },
): Promise<StoredSealedRow[]> {
  const rows = await em.execute<{ sealId: string; position: number; table: string; rowId: string; digest: string }[]>(
    `select s.seal_id::text as "sealId", s.position, s.table_name as "table", s.row_id::text as "rowId", encode(s.digest, 'hex') as digest
     from ledger_sealed_rows s
     where (s.seal_id, s.position) > (?::bigint, ?::integer) and s.seal_id <= ?::bigint
     order by s.seal_id, s.position limit ${ROWS_PER_PAGE}`,
    [after.sealId, after.position, lastSealId],
  );
  return rows.map((row) => ({ ...row, sealId: BigInt(row.sealId), digest: Buffer.from(row.digest, 'hex') }));
}

function addToProof(proof: Proof | undefined, row: StoredSealedRow): void {
  if (proof === undefined) {
    return;
  }
  proof.rows += 1;
  proof.inOrder &&= row.position === proof.rows;
  proof.transactions += row.table === 'ledger_transactions' ? 1 : 0;
  proof.hash.add(row);
}

/** Compares each sealed digest with the current row. */
async function compareWithLedger(
  em: EntityManager,
  { rows, findings }: { rows: readonly StoredSealedRow[]; findings: Findings },
): Promise<void> {
  const live = new Map<string, LedgerRow>();
  for (const table of LEDGER_TABLES) {
    const ids = rows.filter((row) => row.table === table).map(({ rowId }) => rowId);
    for (const row of await ledgerRows(em, { table, column: 'id', ids })) {
      live.set(keyOf(table, row.id), row);
    }
  }
  for (const { sealId, table, rowId, digest } of rows) {
    const row = live.get(keyOf(table, rowId));
    if (row === undefined) {
      findings.add({ check: 'chain', table, id: rowId, what: `was deleted after seal ${sealId} sealed it` });
    } else if (!digestOf(row).equals(digest)) {
      const what = `is not what seal ${sealId} sealed: this row or its sealed digest was changed; it now reads ${describe(row)}`;
      findings.add({ check: 'chain', table, id: rowId, what });
    }
  }
}

function keyOf(table: LedgerTable | string, id: string): string {
  return `${table} ${id}`;
}

function checkLink(
  seal: Seal,
  state: { previousHash: Buffer; sealId: bigint; totalTransactions: bigint },
  findings: Findings,
): void {
  const bad = (what: string): void =>
    findings.add({ check: 'chain', table: 'ledger_seals', id: seal.id.toString(), what });
  if (seal.id !== state.sealId + 1n) {
    bad(`follows seal ${state.sealId}, but the seals between them are missing`);
  }
  if (!seal.previousHash.equals(state.previousHash)) {
    bad(`does not link to seal ${state.sealId}: one of the two was replaced`);
  }
  if (seal.totalTransactions !== state.totalTransactions + BigInt(seal.transactions)) {
    bad(
      `counts ${seal.totalTransactions} transactions in total, but ${state.totalTransactions} + ${seal.transactions} are sealed`,
    );
  }
}

function checkSeal(seal: Seal, proof: Proof | undefined, findings: Findings): void {
  const bad = (what: string): void =>
    findings.add({ check: 'chain', table: 'ledger_seals', id: seal.id.toString(), what });
  if (seal.encoding !== ENCODING) {
    return bad(`uses encoding ${seal.encoding}, which this version does not know`);
  }
  if (proof === undefined) {
    return;
  }
  if (proof.rows !== seal.rowCount || !proof.inOrder || proof.transactions !== seal.transactions) {
    bad(
      `sealed ${seal.rowCount} rows with ${seal.transactions} transactions, but ${proof.rows} rows with ${proof.transactions} are stored under it`,
    );
  }
  if (!proof.hash.digest().equals(seal.hash)) {
    bad('has a hash that does not match its header and its sealed rows: the seal or its rows were edited');
  }
}

/** Removes witnesses of seals that were lost when an older state of the database was restored. */
async function stillRemembered(em: EntityManager, witnesses: readonly Witness[]): Promise<Witness[]> {
  const rows = await em.execute<{ last: string; at: string }[]>(
    'select last_seal_id::text as last, restored_at::text as at from restores',
  );
  const restores = rows.map(({ last, at }) => ({ lastSealId: BigInt(last), atMs: new Date(at).getTime() }));
  return witnesses.filter(
    ({ sealId, at }) =>
      at === undefined || !restores.some(({ lastSealId, atMs }) => at.getTime() < atMs && sealId > lastSealId),
  );
}

function checkWitness(seal: Seal, { hash, source }: Witness, findings: Findings): void {
  if (seal.hash.toString('hex') !== hash) {
    const what = `has a different hash than ${source} recorded (${hash}): the chain was rewritten`;
    findings.add({ check: 'witness', table: 'ledger_seals', id: seal.id.toString(), what });
  }
}

function reportLostSeals({
  witnesses,
  headId,
  findings,
}: {
  witnesses: readonly Witness[];
  headId: bigint;
  findings: Findings;
}): void {
  for (const { sealId, source } of witnesses) {
    if (sealId > headId) {
      const what = `was recorded by ${source}, but the chain ends at seal ${headId}: its end was cut off`;
      findings.add({ check: 'witness', table: 'ledger_seals', id: sealId.toString(), what });
    }
  }
}
