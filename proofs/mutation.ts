import '../scripts/shared/lifeline.ts';
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Child } from '../scripts/shared/child.ts';
import { EQUIVALENT } from './mutation/equivalent.ts';
import { groups, passes } from './mutation/plan.ts';
import { fileScores, groupScores, percent, type FileScore, type GroupScore, type Survivor } from './mutation/score.ts';
import { mutate } from './mutation/stryker.ts';
import { findLeftovers } from '../scripts/testing/leftovers.ts';
import { makeStackDirectory } from '../scripts/shared/stack-directory.ts';
import { endProcess } from '../scripts/shared/processes.ts';
import { describeMachine, writeResult } from '../scripts/repository/results/result-file.ts';
import { startTestServers } from '../scripts/testing/test-servers.ts';

const USAGE = `npm run test:mutation -- [FILES…] [--afresh] [--record]

Changes the code in thousands of small ways and runs the tests that cover each change: one that no test notices has
survived. Fails when a group of files is below its share. With FILES, only those. What is known of unchanged code and
tests is not tried again, except with --afresh; a change of what a module does while it loads counts as known even
after its tests have changed. Only a run of all files is recorded.`;

const ROOT = resolve(import.meta.dirname, '..');
const say = (line: string): void => console.error(line);
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    afresh: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => stop.abort());
}
const directory = makeStackDirectory('lenden-mutation-');
// Every process of this run inherits the mark. Processes that still have it at the end are stopped.
const mark = randomBytes(8).toString('hex');
process.env['LENDEN_TEST_RUN'] = mark;
const servers: Child[] = [];
try {
  if (values.help) {
    console.log(USAGE);
  } else {
    process.exitCode = await main();
  }
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = stop.signal.aborted ? 130 : 1;
} finally {
  const leftovers = await findLeftovers({ mark, ours: servers.map((server) => server.identity.pid) });
  await Promise.all(leftovers.map(({ identity }) => endProcess(identity, { signal: 'SIGTERM', graceMs: 3_000 })));
  await Promise.all(servers.map((server) => server.stop()));
  rmSync(directory, { recursive: true, force: true });
}

async function main(): Promise<number> {
  const started = performance.now();
  const all = groups(ROOT);
  const known = all.flatMap(({ files }) => files);
  const unknown = positionals.filter((file) => !known.includes(file));
  if (unknown.length > 0) {
    throw new Error(`Not among the files that are mutated: ${unknown.join(', ')}`);
  }
  const environment = await startTestServers({ directory, servers, say });
  const scratch = join(directory, 'working-copies');
  const wanted = positionals.length === 0 ? known : positionals;
  const reports = [];
  for (const pass of passes(wanted)) {
    say(`Pass "${pass.name}": ${pass.files.length} files`);
    reports.push(await mutate({ pass, environment, scratch, afresh: values.afresh, stop: stop.signal }));
  }
  const files = fileScores(reports);
  const scored = groupScores(all, files).filter(({ total }) => total > 0);
  const minutes = (performance.now() - started) / 60_000;
  report({ files, scored, minutes });
  const low = scored.filter(({ score, scoreMin }) => score < scoreMin);
  if (positionals.length === 0 && low.length === 0) {
    record({ files, scored, minutes });
  }
  return low.length === 0 ? 0 : 1;
}

interface Outcome {
  readonly files: readonly FileScore[];
  readonly scored: readonly GroupScore[];
  readonly minutes: number;
}

function report({ files, scored, minutes }: Outcome): void {
  for (const { file, line, mutator, original, replacement, covered } of survivorsOf(files)) {
    console.log(
      `${covered ? 'survived' : 'no test '}  ${file}:${line}  ${mutator}\n    ${original}\n    ${replacement}`,
    );
  }
  for (const { file, killed, total } of files) {
    console.log(
      `${String(percent(killed, total)).padStart(5)} %  ${String(killed).padStart(4)} of ${String(total).padEnd(4)}  ${file}`,
    );
  }
  for (const { name, score, scoreMin, killed, total } of scored) {
    console.log(
      `${score < scoreMin ? 'TOO LOW' : 'ok'}  ${score} % (${killed} of ${total}, at least ${scoreMin} %)  ${name}`,
    );
  }
  console.log(`${minutes.toFixed(1)} minutes`);
}

function survivorsOf(files: readonly FileScore[]): Survivor[] {
  return files.flatMap(({ survivors }) => survivors);
}

/** Returns the recorded reason why a change makes no difference, if there is one. */
function reasonFor(survivor: Survivor): string | undefined {
  return EQUIVALENT.find(
    ({ file, lines, changes }) =>
      file === survivor.file &&
      lines.some((line) => survivor.lineText.includes(line)) &&
      changes.some(([original, replacement]) => original === survivor.original && replacement === survivor.replacement),
  )?.why;
}

function record({ files, scored, minutes }: Outcome): void {
  const survivors = survivorsOf(files);
  const explained = survivors.filter((survivor) => reasonFor(survivor) !== undefined);
  const total = files.reduce((sum, file) => sum + file.total, 0);
  const ignored = files.reduce((sum, file) => sum + file.ignored, 0);
  writeResult(
    {
      name: 'mutation',
      page: 'proofs',
      order: 50,
      title: 'Tests that notice',
      command: 'npm run test:mutation',
      at: new Date().toISOString(),
      machine: describeMachine(),
      summary: [
        `Stryker changed the code in ${total} small ways, one at a time, and ran the tests that cover each change. ` +
          `${survivors.length} changes went unnoticed; ${explained.length} of these cannot be noticed, and are explained below. ` +
          `The shares count every survivor, explained or not. ` +
          (values.afresh
            ? `Every change was tried in this run, of ${minutes.toFixed(0)} minutes.`
            : 'What earlier runs had tried, and neither code nor tests have changed since, was not tried again.'),
        `Not mutated: the words of log lines (${ignored} mutants), which are for people; their fields are.`,
      ],
      tables: [
        {
          caption: 'Groups',
          columns: ['group', 'noticed', 'share', 'at least'],
          rows: scored.map(({ name, killed, total: all, score, scoreMin }) => [
            name,
            `${killed} of ${all}`,
            `${score} %`,
            `${scoreMin} %`,
          ]),
        },
        {
          caption: 'Files',
          columns: ['file', 'noticed', 'share'],
          rows: files.map(({ file, killed, total: all }) => [file, `${killed} of ${all}`, `${percent(killed, all)} %`]),
        },
        {
          caption: 'Survivors that cannot be noticed',
          columns: ['where', 'change', 'why'],
          rows: explained.map((survivor) => [
            `${survivor.file}:${survivor.line}`,
            `\`${survivor.original}\` → \`${survivor.replacement}\``,
            reasonFor(survivor) ?? '',
          ]),
        },
      ],
      data: { minutes, groups: scored, files },
    },
    { record: values.record },
  );
}
