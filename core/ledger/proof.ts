import { sql } from 'kysely';
import type { Statements } from '../../database/statements.ts';
import { statement, type Given, type RowOf } from '../../database/typed-statements.ts';
import type { Finding } from './verify/findings.ts';

/** What a verification of the whole ledger found. */
export interface Verification {
  readonly findingCount: number;
  readonly findings: readonly Finding[];
  /** Null: nothing was sealed. */
  readonly lastSealId: bigint | null;
  readonly sealedTransactions: bigint;
  /** Null: Temporal was not asked for the heads that the sealer recorded. */
  readonly witnesses: number | null;
  /** Null: no gateway was queried. */
  readonly queriedCharges: number | null;
}

const FINDING_CHARS_MAX = 500;

interface NewVerification extends Omit<Verification, 'findings'> {
  readonly firstFinding: string | null;
}

const ADD = statement((db, $: Given<NewVerification>) =>
  db.insertInto('ledger_verifications').values({
    findingCount: $('findingCount'),
    firstFinding: $('firstFinding'),
    lastSealId: $('lastSealId'),
    sealedTransactions: $('sealedTransactions'),
    witnesses: $('witnesses'),
    queriedCharges: $('queriedCharges'),
  }),
);

/** Records that the ledger was verified. Must run as the system. */
export async function recordVerification(
  statements: Statements,
  { findings: [first], ...verification }: Verification,
): Promise<void> {
  const firstFinding =
    first === undefined ? null : `${first.table} ${first.id} ${first.what}`.slice(0, FINDING_CHARS_MAX);
  await ADD.all(statements, { ...verification, firstFinding });
}

const LAST_SEAL = statement((db) =>
  db
    .selectFrom('ledger_seals')
    .select(['id', 'hash', 'totalTransactions', 'createdAt', 'throughXid', 'throughId'])
    .orderBy('id', 'desc')
    .limit(1),
);

/** Transactions come behind the last seal in this order. */
const FIRST_BEHIND = statement((db, $: Given<{ throughXid: string; throughId: bigint }>) =>
  db
    .selectFrom('ledger_transactions')
    .select('createdAt')
    .where(sql<boolean>`(xid, id) > (${$('throughXid')}::xid8, ${$('throughId')}::bigint)`)
    .orderBy('xid')
    .orderBy('id')
    .limit(1),
);

const LAST_VERIFICATION = statement((db) =>
  db.selectFrom('ledger_verifications').selectAll().orderBy('id', 'desc').limit(1),
);

export interface LedgerProof {
  readonly seal: {
    readonly id: bigint;
    readonly hash: Uint8Array;
    readonly totalTransactions: bigint;
    readonly createdAt: Date;
  } | null;
  /** When the oldest transaction behind the last seal was posted. Null: there is none. */
  readonly unsealedSince: Date | null;
  readonly verification: RowOf<typeof LAST_VERIFICATION> | null;
}

/** Returns how far the ledger is sealed, and what its last verification found. */
export async function readProof(statements: Statements): Promise<LedgerProof> {
  const [seal, verification] = await Promise.all([
    LAST_SEAL.first(statements, {}),
    LAST_VERIFICATION.first(statements, {}),
  ]);
  const { throughXid = '0', throughId = 0n } = seal ?? {};
  const behind = await FIRST_BEHIND.first(statements, { throughXid, throughId });
  return { seal: seal ?? null, unsealedSince: behind?.createdAt ?? null, verification: verification ?? null };
}
