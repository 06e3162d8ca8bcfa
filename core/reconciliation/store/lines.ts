import { sql, type Kysely } from 'kysely';
import type { Statements } from '../../../database/statements.ts';
import type { Tables } from '../../../database/tables.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import type { AtGateway } from './movements.ts';

function lines(db: Kysely<Tables>, $: Given<AtGateway>) {
  return db
    .selectFrom('payout_lines as n')
    .innerJoin('payout_files as f', 'f.id', 'n.fileId')
    .select([
      'n.id',
      'n.storeId',
      'f.storeApplicationId',
      'f.kind as source',
      'f.operatorId as uploaderId',
      'f.createdAt as uploadedAt',
      'n.payoutId',
      'n.period',
      'n.kind',
      'n.payoutReference',
      'n.lineReference',
      'n.gatewayTxnId',
      'n.attemptReference',
      'n.currency',
      'n.grossMinor',
      'n.feeMinor',
      'n.taxMinor',
      'n.netMinor',
      'n.originalCurrency',
      'n.exchangeRate',
      'n.occurredAt',
      'n.paidOutOn',
      'n.description',
    ])
    .where('n.mode', '=', $('mode'))
    .where('n.gateway', '=', $('gateway'));
}

const BY_KEYS = statement((db, $: Given<AtGateway & { keys: readonly string[] }>) => {
  const keys = sql<string>`any(${$('keys')})`;
  return lines(db, $)
    .where('n.gatewayTxnId', '=', keys)
    .union(lines(db, $).where('n.attemptReference', '=', keys))
    .union(lines(db, $).where('n.lineReference', '=', keys).where('n.kind', 'in', ['REFUND', 'ADJUSTMENT']));
});

/** A stored line with its payout, the owner of its store, and who has said it. */
export type LineRow = RowOf<typeof BY_KEYS>;

/** Returns the lines that carry one of these references. */
export function findLines(
  statements: Statements,
  wanted: AtGateway & { readonly keys: readonly string[] },
): Promise<LineRow[]> {
  return BY_KEYS.all(statements, wanted);
}

const BY_IDS = statement((db, $: Given<AtGateway & { ids: readonly bigint[] }>) =>
  lines(db, $).where('n.id', '=', sql<bigint>`any(${$('ids')})`),
);

export function findLinesById(
  statements: Statements,
  wanted: AtGateway & { readonly ids: readonly bigint[] },
): Promise<LineRow[]> {
  return BY_IDS.all(statements, wanted);
}

interface Page extends AtGateway {
  readonly after: bigint;
  readonly limit: number;
}

const UNJUDGED = statement((db, $: Given<Page>) =>
  lines(db, $)
    .leftJoin('reconciliation_results as r', 'r.lineId', 'n.id')
    .where('r.id', 'is', null)
    .where('n.id', '>', $('after'))
    .orderBy('n.id')
    .limit($('limit')),
);

/** Returns lines that no run has judged yet, whatever their period. */
export function unjudgedLines(statements: Statements, page: Page): Promise<LineRow[]> {
  return UNJUDGED.all(statements, page);
}

const OF_PERIOD = statement((db, $: Given<Page & { period: string }>) =>
  lines(db, $).where('n.period', '=', $('period')).where('n.id', '>', $('after')).orderBy('n.id').limit($('limit')),
);

/** Returns lines of a run's day. */
export function linesOfPeriod(statements: Statements, page: Page & { readonly period: string }): Promise<LineRow[]> {
  return OF_PERIOD.all(statements, page);
}

const OPEN = statement((db, $: Given<Page>) =>
  db
    .selectFrom('reconciliation_results as r')
    .leftJoin('payout_lines as n', 'n.id', 'r.lineId')
    .select(['r.id', 'r.lineId', 'r.movementKey', 'n.gatewayTxnId', 'n.attemptReference', 'n.lineReference'])
    .where('r.mode', '=', $('mode'))
    .where('r.gateway', '=', $('gateway'))
    .where('r.status', 'in', ['FLAGGED', 'DEFERRED'])
    .where('r.superseded', '=', false)
    .where('r.id', '>', $('after'))
    .orderBy('r.id')
    .limit($('limit')),
);

/** A result that is open, with the references by which its line and movement are found. */
export interface OpenResult {
  readonly id: bigint;
  readonly lineId: bigint | null;
  /** Empty for a line that names nothing. */
  readonly keys: readonly string[];
}

/** Returns open results, of any age. */
export async function openResults(statements: Statements, page: Page): Promise<readonly OpenResult[]> {
  const rows = await OPEN.all(statements, page);
  return rows.map(({ id, lineId, movementKey, gatewayTxnId, attemptReference, lineReference }) => ({
    id,
    lineId,
    keys: [gatewayTxnId, attemptReference, lineReference, referenceIn(movementKey)].filter((key) => key !== null),
  }));
}

/** Returns the reference by which a movement is found. Its key is `charge:{attempt reference}:{validation id}` or `refund:{refund reference}`. */
export function referenceIn(movementKey: string | null): string | null {
  return movementKey?.split(':')[1] ?? null;
}
