import type { ResultFile } from '../scripts/repository/results/result-file.ts';

export interface SuiteOptions {
  readonly quick: boolean;
  /** Prints one line for a person while the suite runs. */
  readonly say: (line: string) => void;
  /** Options of single suites, as typed. */
  readonly statements: boolean;
  readonly accept: boolean;
  readonly profiles: string | undefined;
  /** Registers a cleanup that runs once however the run ends, in reverse order of registration. */
  readonly keep: (stop: () => Promise<unknown>) => void;
}

/** The result of a suite, in the form from which docs/performance.md is generated. */
export type Findings = Pick<ResultFile, 'order' | 'title' | 'summary' | 'tables' | 'data'>;

export interface Suite {
  readonly name: string;
  /** For the usage text. */
  readonly what: string;
  readonly minutes: { readonly full: number; readonly quick: number };
  run(options: SuiteOptions): Promise<Findings>;
}

export function verdict({ met, goal }: { met: boolean; goal: string }): string {
  return met ? `goal ${goal}, met` : `goal ${goal}, **missed**`;
}
