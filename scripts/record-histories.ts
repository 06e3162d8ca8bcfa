import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { BRANCHES, openRecorder } from '../test/replay/branches.ts';

/**
 * `npm test -- …` brings the servers; with its two variables set, `node scripts/record-histories.ts [--only NAME]` runs every branch with
 * the real worker code and writes its histories. Recorded ones are never recorded anew for a change of the workflow: a new name is added
 * instead, since running workflows hold the old order of steps.
 */
const DIRECTORY = resolve(import.meta.dirname, '../test/replay/histories');

const { values } = parseArgs({ options: { only: { type: 'string' } } });
mkdirSync(DIRECTORY, { recursive: true });
const recorder = await openRecorder();
try {
  for (const [name, branch] of Object.entries(BRANCHES)) {
    if (values.only !== undefined && values.only !== name) {
      continue;
    }
    const history = await branch(recorder);
    writeFileSync(
      join(DIRECTORY, `${name}.json`),
      `${withoutMachine(JSON.stringify(JSON.parse(historyToJSON(history))))}\n`,
    );
    console.log(JSON.stringify({ branch: name, events: history.events?.length ?? 0 }));
  }
} finally {
  await recorder.close();
}

/** A worker's identity is its process and host: no business of the repository's. */
function withoutMachine(history: string): string {
  return history.replaceAll(/"\d+@[^"-]+/g, '"1@worker');
}
