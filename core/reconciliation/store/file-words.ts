import { sql } from 'kysely';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import type { AtGateway } from './movements.ts';

/** The costs of no charge that one person has uploaded on one day for one store, in one currency. */
interface SameWord extends AtGateway {
  readonly storeId: string;
  readonly currency: string;
  readonly uploaderId: bigint | null;
  readonly from: Date;
  /** Exclusive. */
  readonly before: Date;
}

function costs(db: Parameters<Parameters<typeof statement>[0]>[0], $: Given<SameWord>) {
  return db
    .selectFrom('payout_files as f')
    .innerJoin('payout_lines as n', 'n.fileId', 'f.id')
    .where('f.mode', '=', $('mode'))
    .where('f.gateway', '=', $('gateway'))
    .where('f.storeId', '=', $('storeId'))
    .where('f.kind', '=', 'lines')
    .where('f.operatorId', 'is not distinct from', $('uploaderId'))
    .where('f.createdAt', '>=', $('from'))
    .where('f.createdAt', '<', $('before'))
    .where('n.currency', '=', $('currency'))
    .where('n.kind', 'in', ['FEE', 'TAX', 'RESERVE'])
    .where((eb) =>
      eb.or([
        eb('n.kind', '=', 'RESERVE'),
        eb.and([eb('n.gatewayTxnId', 'is', null), eb('n.attemptReference', 'is', null)]),
      ]),
    );
}

const SUM = statement((db, $: Given<SameWord>) =>
  costs(db, $).select(
    sql<bigint>`coalesce(sum(abs(n.gross_minor) + abs(n.fee_minor) + abs(n.tax_minor)), 0)::bigint`.as('sumMinor'),
  ),
);

/** Returns what they add up to. */
export async function sumOfCosts(statements: Statements, word: SameWord): Promise<bigint> {
  return (await SUM.first(statements, word))?.sumMinor ?? 0n;
}

const EXPLAINED = statement((db, $: Given<SameWord>) =>
  costs(db, $)
    .innerJoin('reconciliation_results as r', 'r.lineId', 'n.id')
    .select('n.id')
    .where('r.status', '=', 'MATCHED')
    .where('r.detail', '=', 'EXPLAINED_BY_KIND'),
);

/** Returns the ids of the lines among them that a run has let explain themselves. */
export async function explainedCosts(statements: Statements, word: SameWord): Promise<bigint[]> {
  return (await EXPLAINED.all(statements, word)).map(({ id }) => id);
}
