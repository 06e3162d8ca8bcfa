import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem, type as system } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..', '..', '..');
/** Every run writes its result here, outside version control. */
const LAST_RUNS = join(ROOT, '.lenden', 'results');
/** The committed results, from which docs/proofs.md and docs/performance.md are generated. */
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

/** The result of one proof or measurement, in a form that a page can show and the next run can be compared with. */
export interface ResultFile {
  /** The file's name without `.json`, such as `faults` or `bench-ledger`. */
  readonly name: string;
  readonly page: 'proofs' | 'performance';
  /** Position on the page; lower comes first. */
  readonly order: number;
  readonly title: string;
  /** The command that produces the result again, as typed. */
  readonly command: string;
  /** When the run ended: ISO 8601, UTC. */
  readonly at: string;
  readonly machine: Machine;
  /** One paragraph each: the question, the result and its limits. Markdown. */
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

/** Writes a run's result, with `record` also into the committed results. Returns the path. */
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
