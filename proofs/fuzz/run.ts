import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lastWords, startChild } from '../../scripts/shared/child.ts';
import { writePrivateJson } from '../../scripts/shared/private-files.ts';
import { withProgress } from '../../scripts/shared/progress.ts';
import type { Subject } from './subject.ts';
import { Counts, Report } from './verdict.ts';

export interface FuzzRun {
  /** The installed `schemathesis`. */
  readonly program: string;
  /** The folder for the configuration, the log and the counts of this run. */
  readonly directory: string;
  /** URL of the API's OpenAPI document. */
  readonly document: string;
  readonly subject: Subject;
  /** URL of a picture that can be fetched. */
  readonly logoUrl: string;
  readonly examples: number;
  readonly seed: number;
  readonly say: (line: string) => void;
  readonly signal?: AbortSignal;
}

export interface FuzzFindings {
  readonly counts: Counts;
  readonly report: Report;
  /** The complete output of schemathesis, with a command that reproduces each failure. */
  readonly log: string;
  readonly logFile: string;
}

const HOOKS = join(import.meta.dirname, 'count_checks.py');
/** A guard against hanging requests, not a performance goal: the longest that a client waits. */
const RESPONSE_SECONDS_MAX = 30;

/** Runs every check of schemathesis in all its phases. Throws only if schemathesis reached no verdict. */
export async function fuzz(run: FuzzRun): Promise<FuzzFindings> {
  const file = (name: string): string => join(run.directory, name);
  writePrivateJson(file('peers.json'), {
    auth: run.subject.peers.map((headers, index) => ({
      name: NAMES[index],
      fixedHeaders: Object.entries(headers).map(([name, value]) => ({ name, value })),
    })),
  });
  writeFileSync(file('schemathesis.toml'), configuration(file('peers.json')));
  const child = await startChild({
    name: 'schemathesis',
    command: run.program,
    args: ['--config-file', file('schemathesis.toml'), ...argumentsOf(run, file('report.json'))],
    env: {
      ...process.env,
      LENDEN_FUZZ_COUNTS: file('counts.json'),
      LENDEN_FUZZ_SUBJECT: run.subject.name,
      LENDEN_FUZZ_PAID: run.subject.paid.join(' '),
      LENDEN_FUZZ_KNOWN: JSON.stringify(run.subject.known),
      LENDEN_FUZZ_SESSIONS: run.subject.sessions.join(' '),
      LENDEN_FUZZ_LOGO: run.logoUrl,
      PYTHONDONTWRITEBYTECODE: '1',
    },
    cwd: run.directory,
    logFile: file('schemathesis.log'),
    stopSignal: 'SIGTERM',
    graceMs: 5_000,
    lifeline: 'watcher',
  });
  run.signal?.addEventListener('abort', () => void child.stop());
  const ending = await withProgress('Fuzzing', { work: child.exited, say: run.say });
  try {
    return {
      counts: Counts.parse(JSON.parse(readFileSync(file('counts.json'), 'utf8'))),
      report: Report.parse(JSON.parse(readFileSync(file('report.json'), 'utf8'))),
      log: readFileSync(child.logFile, 'utf8'),
      logFile: child.logFile,
    };
  } catch (error) {
    throw new Error(`schemathesis came to no verdict (${ending}):\n${lastWords(child)}`, { cause: error });
  }
}

const NAMES = ['fuzzed', 'neighbour'];

/** Writes the configuration as TOML. JSON's strings and lists are valid TOML. */
function configuration(peers: string): string {
  const wfc = { path: peers, user: NAMES[0], peers: NAMES };
  const lines = Object.entries(wfc).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
  return [`hooks = ${JSON.stringify(HOOKS)}`, '[auth.wfc]', ...lines, ''].join('\n');
}

function argumentsOf({ document, examples, seed, subject }: FuzzRun, report: string): string[] {
  const options = {
    checks: 'all',
    phases: 'examples,coverage,fuzzing,stateful',
    mode: 'all',
    'max-examples': examples,
    seed,
    'max-response-time': RESPONSE_SECONDS_MAX,
    'generation-database': 'none',
    report: 'json',
    'report-json-path': report,
  };
  const pairs = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return ['run', document, ...pairs, ...subject.selection, '--continue-on-failure', '--no-color'];
}
