import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Scope } from '../../database/connection.ts';
import type { RecordedStatement } from './posting.ts';

const PROGRAM = 'pgbench';

/** Returns the version of PostgreSQL's load generator, or undefined if it is not installed. */
export async function findPgbench(): Promise<string | undefined> {
  try {
    return (await promisify(execFile)(PROGRAM, ['--version'])).stdout.trim();
  } catch {
    return undefined;
  }
}

/**
 * Runs a recorded posting as a prepared statement, in the same kind of transaction and role, with the given number of clients. Returns transactions
 * per second.
 */
export async function pgbenchRate(given: {
  directory: string;
  databaseUrl: string;
  scope: Scope;
  statement: RecordedStatement;
  /** The parameter that differs in each transaction. */
  unique: string;
  clients: number;
  seconds: number;
}): Promise<number> {
  const script = join(given.directory, 'posting.sql');
  writeFileSync(script, scriptOf(given));
  const { stdout } = await promisify(execFile)(
    PROGRAM,
    [
      '--no-vacuum',
      '--protocol=prepared',
      `--client=${given.clients}`,
      `--time=${given.seconds}`,
      `--file=${script}`,
      ...given.statement.parameters.flatMap((value, index) =>
        isNull(value) ? [] : [`--define=${nameOf(index)}=${String(value)}`],
      ),
      given.databaseUrl,
    ],
    { env: { ...process.env, PGOPTIONS: '-c role=lenden_app' } },
  );
  const rate = /^tps = ([\d.]+) \(without/m.exec(stdout)?.[1];
  if (rate === undefined) {
    throw new Error(`pgbench told no rate:\n${stdout}`);
  }
  return Number(rate);
}

/** Binds parameters as Lenden does, because pgbench would also look for variables inside quoted text. */
function scriptOf({ scope, statement, unique }: Parameters<typeof pgbenchRate>[0]): string {
  const values = statement.parameters.map((value, index) => {
    return value === unique ? ':cause' : isNull(value) ? 'null' : `:${nameOf(index)}`;
  });
  let next = 0;
  const posting = statement.sql.replaceAll('?', () => values[next++] ?? 'null').replaceAll(/\s+/g, ' ');
  return [
    // pgbench has no random text; a number from this range is practically never repeated.
    '\\set cause random(1, 9000000000000000000)',
    'begin;',
    `select set_config('lenden.app', '${scope.applicationId}', true), set_config('lenden.mode', '${scope.mode}', true);`,
    `${posting.trim()};`,
    'commit;',
    '',
  ].join('\n');
}

function nameOf(index: number): string {
  return `p${index + 1}`;
}

function isNull(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}
