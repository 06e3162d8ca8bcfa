import '../shared/lifeline.ts';
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { connectedSessions } from '../../core/maintenance/store/after-restore.ts';
import { applicationsMissing, type InvoiceCounter } from '../../core/maintenance/store/restored-numbers.ts';
import { openDatabase, openOrm, type Database, type PooledDatabase } from '../../database/connection.ts';
import { keepAlone, livingProcesses } from '../../database/presence.ts';
import { MODES } from '../../domain/mode.ts';
import { connectionOptionsOf } from '../../runtime/temporal-server.ts';
import { livingWorkers, recentWorkers } from './after-restore/pollers.ts';
import { putRight, type RestoreReport } from './after-restore/put-right.ts';
import { needsPerson, reportInJson, reportInWords } from './after-restore/words.ts';
import { lackOf } from '../shared/temporal-namespace.ts';
import { findVerifyTarget } from './verify-target.ts';

const USAGE = `npm run restore -- [--dry-run] [--taken-at TIME] [--invoice-number APP:MODE:NUMBER]… [--invoice-gap N]
                    [--ignore-sessions] [--json] [--directory DIR]

Reconciles the database with Temporal's workflows after an older backup was restored. Run it before workers and APIs start again.
See docs/restore.md for the whole procedure.
  --dry-run           only print what would be done
  --taken-at TIME     when the dump was taken, RFC 3339 (default: an hour before its newest row)
  --invoice-number    the newest invoice number that customers of an application hold, such as 7:LIVE:1204; may be repeated.
                      Needed if Temporal was also restored or is new, because the numbers are then recorded nowhere else
  --invoice-gap N     advance every application's invoice numbers by N, if the newest ones are unknown
  --ignore-sessions   do not check the database and Temporal for running APIs and workers
  --json              one line of JSON
  --directory DIR     data directory of the running stack (default .lenden); DATABASE_URL and TEMPORAL_ADDRESS take precedence
Exit: 0 done, 1 done but some items need manual checks, 2 not done.`;

const CONNECT_TIMEOUT_MS = 5_000;

process.exitCode = await main();

async function main(): Promise<number> {
  try {
    const { values } = parseArgs({
      options: {
        'dry-run': { type: 'boolean', default: false },
        'taken-at': { type: 'string' },
        'invoice-number': { type: 'string', multiple: true, default: [] },
        'invoice-gap': { type: 'string', default: '0' },
        'ignore-sessions': { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
        directory: { type: 'string', default: '.lenden' },
      },
    });
    if (values.help) {
      console.log(USAGE);
      return 0;
    }
    const report = await restore({
      directory: values.directory,
      dryRun: values['dry-run'],
      takenAt: values['taken-at'] === undefined ? null : instantOf(values['taken-at']),
      ignoreSessions: values['ignore-sessions'],
      invoiceNumbers: values['invoice-number'].map(counterOf),
      invoiceGap: gapOf(values['invoice-gap']),
    });
    console.log(values.json ? reportInJson(report) : reportInWords(report));
    return needsPerson(report) ? 1 : 0;
  } catch (error) {
    console.error(`Could not continue: ${error instanceof Error ? error.message : String(error)}`);
    return 2;
  }
}

function instantOf(text: string): Date {
  const at = new Date(text);
  if (!/^\d{4}-\d{2}-\d{2}T[\d:.]+(Z|[+-]\d{2}:\d{2})$/.test(text) || Number.isNaN(at.getTime())) {
    throw new Error('--taken-at must be a time such as 2026-11-23T04:00:00Z');
  }
  return at;
}

function counterOf(text: string): InvoiceCounter {
  const [, application = '', mode = '', number = ''] = /^([1-9]\d{0,17}):([A-Z]+):([1-9]\d{0,11})$/.exec(text) ?? [];
  const known = MODES.find((name) => name === mode);
  if (known === undefined) {
    throw new Error('--invoice-number must be APPLICATION:MODE:NUMBER, such as 7:LIVE:1204');
  }
  return { applicationId: BigInt(application), mode: known, number: BigInt(number) };
}

function gapOf(text: string): bigint {
  if (!/^\d{1,9}$/.test(text)) {
    throw new Error('--invoice-gap must be a whole number, such as 1000');
  }
  return BigInt(text);
}

interface Command {
  readonly directory: string;
  readonly dryRun: boolean;
  readonly takenAt: Date | null;
  readonly ignoreSessions: boolean;
  readonly invoiceNumbers: readonly InvoiceCounter[];
  readonly invoiceGap: bigint;
}

async function restore(command: Command): Promise<RestoreReport> {
  const { directory, dryRun, takenAt, invoiceNumbers, invoiceGap } = command;
  const { databaseUrl, temporal } = await findVerifyTarget(directory);
  if (temporal === null) {
    throw new Error('TEMPORAL_ADDRESS is not set');
  }
  const { namespace, ...server } = temporal;
  const orm = await openOrm({ url: databaseUrl, role: 'owner', poolSize: 1 });
  try {
    const owner = orm.em.fork();
    const sessions = await connectedSessions(owner);
    const connection = await Connection.connect({ ...connectionOptionsOf(server), connectTimeout: CONNECT_TIMEOUT_MS });
    const database = await openDatabase({ url: databaseUrl, poolSize: 3 });
    try {
      await requirePrepared(connection, namespace);
      await requireApplications(database, invoiceNumbers);
      const alone = await withoutOthers(command, { sessions, connection, namespace, database });
      try {
        const client = new Client({ connection, namespace });
        return await putRight({
          database,
          owner,
          client,
          takenAt,
          dryRun,
          living: alone.living,
          invoiceNumbers,
          invoiceGap,
        });
      } finally {
        alone.end();
      }
    } finally {
      await database.close();
      await connection.close();
    }
  } finally {
    await orm.close();
  }
}

/** Runs before anything is changed, because no workflow can start in an unprepared namespace. */
async function requirePrepared(connection: Connection, namespace: string): Promise<void> {
  const lacking = await lackOf(connection, namespace);
  if (lacking.length > 0) {
    throw new Error(
      `Temporal is not prepared: it lacks ${lacking.join(', ')}. Nothing was changed. First run: node scripts/bootstrap.mjs scripts/commands/prepare-temporal.ts ` +
        '(with compose: docker compose run --rm temporal-namespace)',
    );
  }
}

async function requireApplications(database: Database, numbers: readonly InvoiceCounter[]): Promise<void> {
  const [unknown] = await database.withSystem((em) => applicationsMissing(em, numbers));
  if (unknown !== undefined) {
    throw new Error(`application ${unknown} does not exist. Nothing was changed`);
  }
}

interface Surroundings {
  readonly sessions: number;
  readonly connection: Connection;
  readonly namespace: string;
  readonly database: PooledDatabase;
}

/**
 * Keeps APIs and workers from starting until `end` is called. A dry run only names those that seem to be running.
 * @throws Error that names those that are running
 */
async function withoutOthers(
  { dryRun, ignoreSessions }: Command,
  { sessions, connection, namespace, database }: Surroundings,
): Promise<{ readonly living: readonly string[]; end(): void }> {
  const others = sessions === 0 ? [] : [`${sessions} of their sessions`];
  if (dryRun) {
    const session = await database.session();
    const named = await livingProcesses(session).finally(() => session.release());
    return { living: [...named, ...others, ...(await recentWorkers(connection, namespace))], end: () => undefined };
  }
  if (ignoreSessions) {
    return { living: [], end: () => undefined };
  }
  const alone = await keepAlone(database);
  if (alone.living !== null) {
    throw stopFirst(alone.living);
  }
  try {
    const living = [...others, ...(await livingWorkers(connection, { namespace, say: (line) => console.error(line) }))];
    if (living.length > 0) {
      throw stopFirst(living);
    }
    return { living, end: () => alone.end() };
  } catch (error) {
    alone.end();
    throw error;
  }
}

function stopFirst(living: readonly string[]): Error {
  return new Error(
    `stop every API and worker process first; these are connected: ${living.join(', ')}. Nothing was changed (--ignore-sessions skips this check)`,
  );
}
