import { z } from 'zod';
import type { Group } from './plan.ts';

const Mutant = z.object({
  mutatorName: z.string(),
  replacement: z.string().optional(),
  location: z.object({
    start: z.object({ line: z.int(), column: z.int() }),
    end: z.object({ line: z.int(), column: z.int() }),
  }),
  status: z.enum(['Killed', 'Survived', 'NoCoverage', 'CompileError', 'RuntimeError', 'Timeout', 'Ignored', 'Pending']),
});

/** The members of a mutation report that a score needs. All mutation testers share the report's format. */
export const MutationReport = z.object({
  files: z.record(z.string(), z.object({ source: z.string(), mutants: z.array(Mutant) })),
});
export type MutationReport = z.infer<typeof MutationReport>;

/** A mutant that no test noticed. */
export interface Survivor {
  readonly file: string;
  readonly line: number;
  /** The whole line in which the change begins. */
  readonly lineText: string;
  readonly mutator: string;
  readonly original: string;
  readonly replacement: string;
  readonly covered: boolean;
}

export interface FileScore {
  readonly file: string;
  /** Includes mutants that hang, because a test run notices those too. */
  readonly killed: number;
  readonly total: number;
  readonly ignored: number;
  readonly survivors: readonly Survivor[];
}

export function fileScores(reports: readonly MutationReport[]): FileScore[] {
  return reports
    .flatMap(({ files }) => Object.entries(files))
    .map(([file, { source, mutants }]) => {
      const judged = mutants.filter(({ status }) => JUDGED.has(status));
      const survivors = judged.filter(({ status }) => status === 'Survived' || status === 'NoCoverage');
      return {
        file,
        killed: judged.length - survivors.length,
        total: judged.length,
        ignored: mutants.filter(({ status }) => status === 'Ignored').length,
        survivors: survivors.map((mutant) => ({
          file,
          line: mutant.location.start.line,
          lineText: source.split('\n')[mutant.location.start.line - 1]?.trim() ?? '',
          mutator: mutant.mutatorName,
          original: textAt(source, mutant.location),
          replacement: mutant.replacement ?? '',
          covered: mutant.status === 'Survived',
        })),
      };
    })
    .sort((a, b) => (a.file < b.file ? -1 : 1));
}

const JUDGED: ReadonlySet<string> = new Set(['Killed', 'Timeout', 'Survived', 'NoCoverage']);

export interface GroupScore extends Group {
  readonly killed: number;
  readonly total: number;
  /** Per cent, rounded down, so that 89.99 does not count as 90. */
  readonly score: number;
}

export function groupScores(groups: readonly Group[], scores: readonly FileScore[]): GroupScore[] {
  return groups.map((group) => {
    const own = scores.filter(({ file }) => group.files.includes(file));
    const killed = own.reduce((sum, score) => sum + score.killed, 0);
    const total = own.reduce((sum, score) => sum + score.total, 0);
    return { ...group, killed, total, score: percent(killed, total) };
  });
}

export function percent(killed: number, total: number): number {
  return total === 0 ? 100 : Math.floor((killed * 1_000) / total) / 10;
}

type Location = z.infer<typeof Mutant>['location'];

/** Lines and columns in a report start at 1. */
function textAt(source: string, { start, end }: Location): string {
  const lines = source.split('\n').slice(start.line - 1, end.line);
  const last = lines.length - 1;
  return lines
    .map((line, index) => line.slice(index === 0 ? start.column - 1 : 0, index === last ? end.column - 1 : undefined))
    .map((line) => line.trim())
    .join(' ');
}
