import { createHash } from 'node:crypto';
import type { EntityManager } from '../../database/connection.ts';

/**
 * The encoding of ledger rows and seals as bytes. docs/ledger.md describes it for anyone who recomputes the chain independently. A released encoding
 * never changes: a new column requires a new number, and old seals are verified with their own.
 */
export const ENCODING = 1;

export const LEDGER_TABLES = ['ledger_accounts', 'ledger_transactions', 'ledger_postings'] as const;
export type LedgerTable = (typeof LEDGER_TABLES)[number];

/** Every column, in this order. */
const COLUMNS: Readonly<Record<LedgerTable, readonly string[]>> = {
  ledger_accounts: 'id application_id mode currency name normal_side created_at'.split(' '),
  ledger_transactions: 'id application_id mode currency cause_type cause_id kind reverses_id xid created_at'.split(' '),
  ledger_postings:
    'id transaction_id application_id mode currency debit_account_id credit_account_id amount_minor created_at'.split(
      ' ',
    ),
};

/** A row's values as text, in the order of the encoding. The first one is its id. */
export interface LedgerRow {
  readonly table: LedgerTable;
  readonly id: string;
  readonly values: readonly (string | null)[];
}

/** Returns the SHA-256 of the UTF-8 JSON array `[encoding, table, …values]`, where every value is a string or null. */
export function digestOf({ table, values }: LedgerRow): Buffer {
  return createHash('sha256')
    .update(JSON.stringify([`lenden-ledger-${ENCODING}`, table, ...values]))
    .digest();
}

export interface SealHeader {
  readonly id: bigint;
  readonly encoding: number;
  readonly previousHash: Buffer;
  readonly cluster: string;
  readonly throughXid: string;
  readonly throughId: string;
  readonly transactions: number;
  readonly totalTransactions: bigint;
  readonly rowCount: number;
  /** RFC 3339 in UTC with six fractional digits. */
  readonly createdAt: string;
}

export interface SealedRow {
  readonly position: number;
  readonly table: string;
  readonly rowId: string;
  readonly digest: Buffer;
}

/** The previous hash of the first seal. */
export const GENESIS_HASH: Buffer = Buffer.alloc(32);

/** Hashes a seal without holding all its rows in memory: first the header, then each row in order of position. */
export class SealHash {
  private readonly hash = createHash('sha256');

  constructor(header: SealHeader) {
    const { id, previousHash, cluster, throughXid, throughId, transactions, totalTransactions, rowCount } = header;
    const numbers = [transactions, totalTransactions, rowCount].map(String);
    const fields = [id.toString(), previousHash.toString('hex'), cluster, throughXid, throughId, ...numbers];
    this.hash.update(`${JSON.stringify([`lenden-seal-${header.encoding}`, ...fields, header.createdAt])}\n`);
  }

  add({ position, table, rowId, digest }: SealedRow): void {
    this.hash.update(`${position} ${table} ${rowId} ${digest.toString('hex')}\n`);
  }

  digest(): Buffer {
    return this.hash.digest();
  }
}

/** Returns a SQL expression for a column's canonical text, the same under every session setting. */
function canonicalColumn(column: string): string {
  return column === 'created_at'
    ? `to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
    : `${column}::text`;
}

/** Returns the rows with these values in this column, ordered by id. Rows that do not exist are left out. */
export async function ledgerRows(
  em: EntityManager,
  { table, column, ids }: { table: LedgerTable; column: 'id' | 'transaction_id'; ids: readonly string[] },
): Promise<LedgerRow[]> {
  if (ids.length === 0) {
    return [];
  }
  const values = COLUMNS[table].map(canonicalColumn).join(', ');
  // SQL text: every column is read as the text that is hashed.
  const rows = await em.execute<{ values: (string | null)[] }[]>(
    `select array[${values}] as values from ${table} where ${column} = any(?::bigint[]) order by id`,
    [`{${ids.join(',')}}`],
  );
  return rows.map(({ values }) => ({ table, id: values[0] ?? '', values }));
}

export function valueOf(row: LedgerRow, column: string): string {
  return row.values[COLUMNS[row.table].indexOf(column)] ?? '';
}

/** Describes a row as text: `amount_minor=10000 …`. */
export function describe(row: LedgerRow): string {
  return COLUMNS[row.table].map((column, index) => `${column}=${row.values[index] ?? 'null'}`).join(' ');
}
