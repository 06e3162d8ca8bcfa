import type { ResultFile } from '../scripts/results/result-file.ts';

export interface SuiteOptions {
  readonly quick: boolean;
  /** Takes one line for a person, while the suite runs. */
  readonly say: (line: string) => void;
  /** Switches of single suites, as typed. */
  readonly statements: boolean;
  readonly accept: boolean;
  readonly profiles: string | undefined;
  /** Registers what has to be undone however the run ends; called last first, once. */
  readonly keep: (stop: () => Promise<unknown>) => void;
}

/** What a suite found, in the form that docs/performance.md is made from. */
export type Findings = Pick<ResultFile, 'order' | 'title' | 'summary' | 'tables' | 'data'>;

export interface Suite {
  readonly name: string;
  /** For the usage text. */
  readonly what: string;
  readonly minutes: { readonly full: number; readonly quick: number };
  run(options: SuiteOptions): Promise<Findings>;
}

/** Says plainly whether a goal was met. */
export function verdict({ met, goal }: { met: boolean; goal: string }): string {
  return met ? `goal ${goal}, met` : `goal ${goal}, **missed**`;
}
