import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem, type as system } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..', '..');
/** Every run leaves its result here, out of version control. */
const LAST_RUNS = join(ROOT, '.lenden', 'results');
/** The committed results, from which docs/proofs.md and docs/performance.md are made. */
const RECORDED = join(ROOT, 'docs', 'results');

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
}

export interface ResultTable {
  readonly caption: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** What one proof or measurement found, in a form that a page can show and the next run can be compared with. */
export interface ResultFile {
  /** The file's name without `.json`, such as `faults` or `bench-ledger`. */
  readonly name: string;
  readonly page: 'proofs' | 'performance';
  /** Where it stands on its page: lower comes first. */
  readonly order: number;
  readonly title: string;
  /** What makes it again, as typed. */
  readonly command: string;
  /** When the run ended: ISO 8601, UTC. */
  readonly at: string;
  readonly machine: Machine;
  /** One paragraph each: what was asked, what came out, and where it falls short. Markdown. */
  readonly summary: readonly string[];
  readonly tables: readonly ResultTable[];
  /** The figures behind the tables. */
  readonly data: unknown;
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${system()} ${release()}`,
    node: process.version,
  };
}

/** Writes a run's result, with `record` into the committed results as well; answers the path. */
export function writeResult(result: ResultFile, { record }: { record: boolean }): string {
  const text = `${JSON.stringify(result, null, 2)}\n`;
  const paths = [LAST_RUNS, ...(record ? [RECORDED] : [])].map((directory) => {
    mkdirSync(directory, { recursive: true });
    const path = join(directory, `${result.name}.json`);
    writeFileSync(path, text);
    return path;
  });
  return paths.at(-1) ?? '';
}

export function recordedResults(): ResultFile[] {
  return (existsSync(RECORDED) ? readdirSync(RECORDED) : [])
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(join(RECORDED, name), 'utf8')) as ResultFile)
    .sort((a, b) => a.order - b.order || a.name.localeCompare(b.name));
}
