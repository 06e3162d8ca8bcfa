import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { migrate } from '../../database/migrate.ts';
import { startCountingPostgres } from '../counting-postgres.ts';
import { makeDirectory } from '../directory.ts';
import { verdict, type Findings, type Suite, type SuiteOptions } from '../suite.ts';
import type { Imported, ImportOrder } from './order.ts';

const LINES = 1_000_000;
const QUICK_LINES = 50_000;
const SECONDS_GOAL = 120;
const RESIDENT_GOAL_BYTES = 300_000_000;

/** Measures the upload and the import of a payout file by one process: time and memory. */
export const payouts: Suite = {
  name: 'payouts',
  what: `a payout file of ${LINES.toLocaleString('en')} lines: time and memory of its import`,
  minutes: { full: 4, quick: 1 },
  run: runPayouts,
};

async function runPayouts({ quick, say, keep }: SuiteOptions): Promise<Findings> {
  const lines = quick ? QUICK_LINES : LINES;
  const directory = makeDirectory();
  keep(async () => rmSync(directory, { recursive: true, force: true }));
  const postgres = await startCountingPostgres({ directory });
  keep(() => postgres.child.stop());
  await migrate(postgres.url);
  const order: ImportOrder = { databaseUrl: postgres.url, lines };
  const program = fileURLToPath(new URL('./import-process.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [program, JSON.stringify(order)]);
  const imported = JSON.parse(stdout) as Imported;
  if (imported.linesAdded !== lines) {
    throw new Error(`of ${lines} lines ${imported.linesAdded} were added`);
  }
  say(`payouts: ${lines} lines in ${seconds(imported.importMs)} s, ${megabytes(imported.maxResidentBytes)} MB`);
  return findingsOf(imported);
}

function findingsOf(imported: Imported): Findings {
  const { uploadMs, importMs, maxResidentBytes, linesAdded } = imported;
  const time = verdict({ met: importMs <= SECONDS_GOAL * 1_000, goal: `≤ ${SECONDS_GOAL} s` });
  const memory = verdict({
    met: maxResidentBytes <= RESIDENT_GOAL_BYTES,
    goal: `≤ ${megabytes(RESIDENT_GOAL_BYTES)} MB`,
  });
  return {
    order: 85,
    title: 'Payout files',
    summary: [
      `One process uploads a CSV and imports it, with fsync on: ${linesAdded.toLocaleString('en')} lines in ${seconds(importMs)} s (${time}), at most ${megabytes(maxResidentBytes)} MB resident (${memory}).`,
    ],
    tables: [
      {
        caption: 'A CSV of payout lines',
        columns: ['lines', 'upload, s', 'import, s', 'lines a second', 'most memory, MB'],
        rows: [
          [
            linesAdded.toLocaleString('en'),
            seconds(uploadMs),
            seconds(importMs),
            ((linesAdded / importMs) * 1_000).toFixed(0),
            megabytes(maxResidentBytes),
          ],
        ],
      },
    ],
    data: imported,
  };
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(1);
}

function megabytes(bytes: number): string {
  return (bytes / 1_000_000).toFixed(0);
}
