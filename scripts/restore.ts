import './lifeline.ts';
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { connectedSessions } from '../database/after-restore.ts';
import { openDatabase, openOrm } from '../database/connection.ts';
import { putRight, type RestoreReport } from './after-restore/put-right.ts';
import { needsPerson, reportInJson, reportInWords } from './after-restore/words.ts';
import { findVerifyTarget } from './verify-target.ts';

const USAGE = `npm run restore -- [--dry-run] [--taken-at TIME] [--ignore-sessions] [--json] [--directory DIR]

After the database was restored to an older state, and before workers and apis start again: brings its rows and Temporal's workflows together.
docs/restore.md has the whole procedure.
  --dry-run           only says what would be done
  --taken-at TIME     when the dump was taken, RFC 3339; left out, an hour before its newest row
  --ignore-sessions   goes on although an api or a worker seems to be connected
  --json              one line of JSON
  --directory DIR     data directory of the running stack (default .lenden); DATABASE_URL and TEMPORAL_ADDRESS go before it
Exit: 0 done, 1 done and somebody has to look, 2 not done.`;

const CONNECT_TIMEOUT_MS = 5_000;

process.exitCode = await main();

async function main(): Promise<number> {
  try {
    const { values } = parseArgs({
      options: {
        'dry-run': { type: 'boolean', default: false },
        'taken-at': { type: 'string' },
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
    });
    console.log(values.json ? reportInJson(report) : reportInWords(report));
    return needsPerson(report) ? 1 : 0;
  } catch (error) {
    console.error(`Could not go on: ${error instanceof Error ? error.message : String(error)}`);
    return 2;
  }
}

function instantOf(text: string): Date {
  const at = new Date(text);
  if (!/^\d{4}-\d{2}-\d{2}T[\d:.]+(Z|[+-]\d{2}:\d{2})$/.test(text) || Number.isNaN(at.getTime())) {
    throw new Error('--taken-at is a time such as 2026-11-23T04:00:00Z');
  }
  return at;
}

interface Command {
  readonly directory: string;
  readonly dryRun: boolean;
  readonly takenAt: Date | null;
  readonly ignoreSessions: boolean;
}

async function restore({ directory, dryRun, takenAt, ignoreSessions }: Command): Promise<RestoreReport> {
  const { databaseUrl, temporal } = await findVerifyTarget(directory);
  if (temporal === null) {
    throw new Error('TEMPORAL_ADDRESS is not set');
  }
  const orm = await openOrm({ url: databaseUrl, role: 'owner', poolSize: 1 });
  try {
    const owner = orm.em.fork();
    const sessions = await connectedSessions(owner);
    if (sessions > 0 && !dryRun && !ignoreSessions) {
      throw new Error(
        `stop every api and worker first: ${sessions} of their sessions are connected (--ignore-sessions)`,
      );
    }
    const connection = await Connection.connect({ address: temporal.address, connectTimeout: CONNECT_TIMEOUT_MS });
    const database = await openDatabase({ url: databaseUrl, poolSize: 2 });
    try {
      const client = new Client({ connection, namespace: temporal.namespace });
      return await putRight({ database, owner, client, takenAt, dryRun });
    } finally {
      await database.close();
      await connection.close();
    }
  } finally {
    await orm.close();
  }
}
