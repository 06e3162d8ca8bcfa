import '../shared/lifeline.ts';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { historyToJSON, type History } from '@temporalio/common/lib/proto-utils.js';
import { BRANCHES, openRecorder } from '../../test/replay/branches.ts';
import { INVOICE_BRANCHES, openInvoiceRecorder } from '../../test/replay/invoice-branches.ts';
import { openPayoutRecorder, PAYOUT_BRANCHES } from '../../test/replay/payout-branches.ts';
import { openReconciliationRecorder, RECONCILIATION_BRANCHES } from '../../test/replay/reconciliation-branches.ts';
import type { Child } from '../shared/child.ts';
import { makeStackDirectory } from '../shared/stack-directory.ts';
import { startTestServers } from './test-servers.ts';

const DIRECTORY = resolve(import.meta.dirname, '../../test/replay/histories');

/** A run continues as new after so many events instead of thousands. No other branch has as many. */
const SHORT_HISTORIES = ['limit.historyCount.suggestContinueAsNew=100'];

const { values } = parseArgs({ options: { only: { type: 'string' } } });
const servers: Child[] = [];
const data = makeStackDirectory('lenden-record-');
try {
  const say = (line: string): void => console.error(line);
  Object.assign(
    process.env,
    await startTestServers({ directory: data, servers, say, temporalConfig: SHORT_HISTORIES }),
  );
  await record({ branches: BRANCHES, open: openRecorder });
  await record({ branches: INVOICE_BRANCHES, open: openInvoiceRecorder });
  await record({ branches: PAYOUT_BRANCHES, open: openPayoutRecorder });
  await record({ branches: RECONCILIATION_BRANCHES, open: openReconciliationRecorder });
} finally {
  await Promise.all(servers.map((server) => server.stop()));
  rmSync(data, { recursive: true, force: true });
}

interface Recording<Recorder> {
  readonly branches: Readonly<Record<string, (recorder: Recorder) => Promise<History>>>;
  readonly open: () => Promise<Recorder>;
}

/**
 * `npm run record [-- --only NAME]` runs the branches that have no history yet with the real worker code and writes their histories. One
 * of a released version is never recorded anew for a change of the workflow: a new name is added instead, since running workflows hold the
 * old order of steps.
 */
async function record<Recorder extends { close(): Promise<void> }>({
  branches,
  open,
}: Recording<Recorder>): Promise<void> {
  const names = Object.keys(branches).filter((name) => (values.only ?? name) === name && !existsSync(fileOf(name)));
  if (names.length === 0) {
    return;
  }
  mkdirSync(DIRECTORY, { recursive: true });
  const recorder = await open();
  try {
    for (const name of names) {
      const history = await branches[name]?.(recorder);
      if (history === undefined) {
        continue;
      }
      writeFileSync(fileOf(name), `${withoutMachine(JSON.stringify(JSON.parse(historyToJSON(history))))}\n`);
      console.log(JSON.stringify({ branch: name, events: history.events?.length ?? 0 }));
    }
  } finally {
    await recorder.close();
  }
}

function fileOf(name: string): string {
  return join(DIRECTORY, `${name}.json`);
}

/** Removes the worker's identity (process and host) and where its code lies, which do not belong in the repository. */
function withoutMachine(history: string): string {
  return history
    .replaceAll(/"\d+@[^"-]+/g, '"1@worker')
    .replaceAll(/"stackTrace":"(?:[^"\\]|\\.)*"/g, '"stackTrace":""');
}
