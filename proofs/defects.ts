import '../scripts/shared/lifeline.ts';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { commit } from '../scripts/repository/results/commit.ts';
import { describeMachine, writeResult } from '../scripts/repository/results/result-file.ts';
import { DEFECTS } from './defects/catalogue.ts';
import type { Catch, Defect } from './defects/defect.ts';
import { sample } from './defects/sample.ts';
import { trials, type Verdict } from './defects/trial.ts';
import { copyTree } from './defects/working-copy.ts';

const USAGE = `npm run test:defects -- [NAME…] [--quick] [--sample N] [--record]

Plants one known defect at a time in a copy of the tree and runs the check that has to notice it. Exit 0 only if every
defect was caught, by that check, for the expected reason, and every check passes without it.
  --quick    the checks that take seconds only
  --sample N so many of them, at every commit others
  --record   keep the result for docs/proofs.md`;

const ROOT = resolve(import.meta.dirname, '..');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    sample: { type: 'string' },
    record: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

interface Trial {
  readonly defect: Defect;
  readonly by: Catch;
}

interface Finding extends Trial {
  readonly verdict: Verdict;
  readonly seconds: number;
}

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => stop.abort());
}

if (values.help) {
  console.log(USAGE);
} else {
  process.exitCode = await main().catch((error: unknown) => {
    console.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return 2;
  });
}

async function main(): Promise<number> {
  const begun = Date.now();
  const findings = await tryAll(planned());
  if (stop.signal.aborted) {
    return 130;
  }
  const seconds = Math.round((Date.now() - begun) / 1_000);
  const escaped = findings.filter(({ verdict }) => !verdict.caught);
  const caught = findings.length - escaped.length;
  console.log(`\n${caught} of ${findings.length} caught in ${seconds} s`);
  escaped.forEach(({ defect, by }) => console.log(`NOT CAUGHT ${defect.name} by ${by.check.command}`));
  if (positionals.length === 0 && values.sample === undefined) {
    record(findings, seconds);
  }
  return escaped.length === 0 && findings.length > 0 ? 0 : 1;
}

/** Returns every requested defect, paired with each check that must catch it. */
function planned(): Trial[] {
  const unknown = positionals.filter((name) => DEFECTS.every((defect) => defect.name !== name));
  if (unknown.length > 0) {
    throw new Error(`no such defect: ${unknown.join(', ')}; known: ${DEFECTS.map(({ name }) => name).join(', ')}`);
  }
  const all = DEFECTS.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
    .flatMap((defect) => defect.caughtBy.map((by) => ({ defect, by })))
    .filter(({ by }) => by.check.quick || !values.quick);
  const nameOf = ({ defect, by }: Trial): string => `${defect.name} ${by.names}`;
  return sample(all, { count: Number(values.sample ?? all.length), seed: commit(), nameOf });
}

async function tryAll(plan: readonly Trial[]): Promise<Finding[]> {
  const copy = copyTree(ROOT);
  const tryOne = trials(copy, stop.signal);
  const findings: Finding[] = [];
  try {
    for (const { defect, by } of plan) {
      const begun = Date.now();
      const verdict = await tryOne(defect, by);
      if (stop.signal.aborted) {
        break;
      }
      const finding = { defect, by, verdict, seconds: Math.round((Date.now() - begun) / 1_000) };
      findings.push(finding);
      say(finding);
    }
  } finally {
    copy.remove();
  }
  return findings;
}

function say({ defect, by, verdict, seconds }: Finding): void {
  const words = verdict.caught ? `caught by "${by.names}"` : `NOT CAUGHT: ${verdict.remark}`;
  console.log(`${defect.name.padEnd(34)} ${`${seconds} s`.padStart(6)}  ${words}  (${by.check.command})`);
  if (verdict.lastWords !== '') {
    console.log(verdict.lastWords.replace(/^/gm, '    | '));
  }
}

function record(findings: readonly Finding[], seconds: number): void {
  const caught = findings.filter(({ verdict }) => verdict.caught).length;
  const count = new Set(findings.map(({ defect }) => defect.name)).size;
  const path = writeResult(
    {
      name: 'defects',
      page: 'proofs',
      order: 30,
      title: 'Planted defects',
      command: `npm run test:defects${values.quick ? ' -- --quick' : ''}`,
      at: new Date().toISOString(),
      machine: describeMachine(),
      summary: [
        `${count} defects were planted one at a time, and ${caught} of ${findings.length} trials ended as they must: the named check failed, ` +
          `for the named reason, and had passed on the same copy without the defect. ${Math.round(seconds / 60)} minutes.`,
      ],
      tables: [
        {
          caption: 'What catches what',
          columns: ['defect', 'what it breaks', 'caught by', 'which names'],
          rows: findings.map(({ defect, by, verdict }) => [
            defect.name,
            defect.breaks,
            `\`${by.check.command}\``,
            verdict.caught ? by.names : `not caught: ${verdict.remark}`,
          ]),
        },
      ],
      data: {
        seconds,
        trials: findings.map(({ defect, by, verdict, seconds: took }) => ({
          defect: defect.name,
          command: by.check.command,
          names: by.names,
          caught: verdict.caught,
          remark: verdict.remark,
          seconds: took,
        })),
      },
    },
    { record: values.record && !values.quick },
  );
  console.log(path);
}
