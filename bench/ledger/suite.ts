import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import pg from 'pg';
import { openDatabase, type Database, type Scope } from '../../database/connection.ts';
import { migrate } from '../../database/migrate.ts';
import { startCountingPostgres } from '../counting-postgres.ts';
import { makeDirectory } from '../directory.ts';
import { spreadOf, type Spread } from '../statistics.ts';
import { verdict, type Findings, type Suite, type SuiteOptions } from '../suite.ts';
import { spreadText } from '../words.ts';
import { findPgbench, pgbenchRate } from './pgbench.ts';
import { postingRate, recordPosting } from './posting.ts';

const IN_FLIGHT = 32;
const MANY_APPLICATIONS = 200;
const PGBENCH_GOAL = 0.5;
const HOT_GOAL = 0.6;

/** Measures how many postings per second the ledger accepts by itself. */
export const ledger: Suite = {
  name: 'ledger',
  what: `postings of ours ÷ pgbench with the same statement; one app's accounts ÷ those of ${MANY_APPLICATIONS}`,
  minutes: { full: 2, quick: 1 },
  run: runLedger,
};

interface Rates {
  readonly pgbench: number[];
  /** Rates with all postings between the three accounts of one app. */
  readonly hot: number[];
  readonly many: number[];
}

async function runLedger({ quick, say, keep }: SuiteOptions): Promise<Findings> {
  const directory = makeDirectory();
  keep(async () => rmSync(directory, { recursive: true, force: true }));
  const postgres = await startCountingPostgres({ directory });
  keep(() => postgres.child.stop());
  await migrate(postgres.url);
  const database = await openDatabase({ url: postgres.url, poolSize: IN_FLIGHT });
  keep(() => database.close());
  const scopes = await makeApplications(postgres.url);
  const pgbench = await findPgbench();
  if (pgbench === undefined) {
    say('ledger: pgbench is not installed, so that comparison is skipped');
  }
  const rates = await measure({
    database,
    scopes,
    plan: quick ? { pairs: 3, seconds: 3 } : { pairs: 7, seconds: 5 },
    say,
    databaseUrl: postgres.url,
    pgbenchDirectory: pgbench === undefined ? undefined : directory,
  });
  return findingsOf(rates, pgbench);
}

async function makeApplications(databaseUrl: string): Promise<Scope[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const { rows } = await client.query<{ id: string }>(
    `insert into applications (name) select 'Bench ' || number from generate_series(1, ${MANY_APPLICATIONS}) number returning id`,
  );
  await client.end();
  return rows.map(({ id }) => ({ applicationId: BigInt(id), mode: 'TEST' as const }));
}

async function measure(given: {
  database: Database;
  scopes: readonly Scope[];
  plan: { pairs: number; seconds: number };
  say: (line: string) => void;
  databaseUrl: string;
  pgbenchDirectory: string | undefined;
}): Promise<Rates> {
  const { database, scopes, plan, say, databaseUrl, pgbenchDirectory: directory } = given;
  const rates: Rates = { pgbench: [], hot: [], many: [] };
  const [scope] = scopes;
  if (scope === undefined) {
    throw new Error('there is no application to post for');
  }
  const { seconds } = plan;
  // This run also creates the accounts, which only an app's first posting has to do.
  await postingRate(database, { scopes, inFlight: IN_FLIGHT, seconds });
  await analyze(given.databaseUrl);
  const unique = randomUUID();
  const statement = await recordPosting(database, { scope, reference: unique });
  for (let pair = 0; pair < plan.pairs; pair += 1) {
    rates.hot.push(await postingRate(database, { scopes: [scope], inFlight: IN_FLIGHT, seconds }));
    if (directory !== undefined) {
      rates.pgbench.push(
        await pgbenchRate({ directory, databaseUrl, scope, statement, unique, clients: IN_FLIGHT, seconds }),
      );
    }
    rates.many.push(await postingRate(database, { scopes, inFlight: IN_FLIGHT, seconds }));
    const last = Object.entries(rates).map(([name, each]) => `${name} ${each.at(-1)?.toFixed(0) ?? '–'}`);
    say(`ledger, turn ${pair + 1}: ${last.join(', ')} transactions/s`);
  }
  return rates;
}

/** Gathers the table statistics that a running service would have from autovacuum. */
async function analyze(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query('vacuum analyze');
  await client.end();
}

function findingsOf(rates: Rates, pgbench: string | undefined): Findings {
  const ratio = (a: readonly number[], b: readonly number[]): Spread =>
    spreadOf(a.map((value, index) => value / (b[index] ?? Number.NaN)));
  const overPgbench = ratio(rates.hot, rates.pgbench);
  const hotOverMany = ratio(rates.hot, rates.many);
  const against =
    pgbench === undefined
      ? 'The comparison with pgbench was skipped: it is not installed.'
      : `Ours ÷ ${pgbench}: ${overPgbench.median.toFixed(2)} (${verdict({ met: overPgbench.median >= PGBENCH_GOAL, goal: `≥ ${PGBENCH_GOAL}` })}).`;
  return {
    order: 40,
    title: 'Ledger',
    summary: [
      `\`postTransaction\` in its own database transaction, ${IN_FLIGHT} in flight, fsync on: begin, scope, one statement that writes a ledger transaction with two postings, commit. pgbench runs the very statement that ours sends, prepared, in the same transaction and role.`,
      `${against} All postings on the accounts of one app ÷ spread over ${MANY_APPLICATIONS} apps: ${hotOverMany.median.toFixed(2)} (${verdict({ met: hotOverMany.median >= HOT_GOAL, goal: `≥ ${HOT_GOAL}` })}).`,
    ],
    tables: [
      {
        caption: `Ledger transactions a second: median (quartiles) of ${rates.hot.length} turns`,
        columns: [
          'ours, one app',
          'pgbench, one app',
          `ours, ${MANY_APPLICATIONS} apps`,
          'ours ÷ pgbench',
          'one app ÷ many',
        ],
        rows: [
          [
            spreadText(spreadOf(rates.hot), 0),
            pgbench === undefined ? 'skipped' : spreadText(spreadOf(rates.pgbench), 0),
            spreadText(spreadOf(rates.many), 0),
            pgbench === undefined ? 'skipped' : spreadText(overPgbench, 2),
            spreadText(hotOverMany, 2),
          ],
        ],
      },
    ],
    data: rates,
  };
}
