import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { commit } from '../../scripts/repository/results/commit.ts';
import type { RoundResult } from './round.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** Keeps everything needed to examine a round in one folder. Returns its path. A round that is played again and holds does not replace its failure. */
export function keepFailure(
  { plan, log, evidence, histories }: RoundResult,
  { violations, logDirectory }: { violations: readonly string[]; logDirectory: string },
): string {
  const outcome = violations.length === 0 ? '-holds' : '';
  const folder = join(ROOT, '.lenden', 'faults', `${plan.seed}-${plan.round}${outcome}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'histories'), { recursive: true });
  const write = (name: string, content: unknown): void =>
    writeFileSync(join(folder, name), typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`);
  write('violations.txt', `${violations.join('\n')}\n`);
  write('commit.txt', `${commit()}\n`);
  write('plan.json', plan);
  write('faults.log', `${log.lines.join('\n')}\n`);
  write('evidence.json', evidence);
  for (const { evidence: workflow, json } of histories) {
    write(join('histories', `${workflow.id.replaceAll(/[^\w.-]/g, '_')}.json`), json);
  }
  cpSync(logDirectory, join(folder, 'logs'), { recursive: true });
  return folder;
}

/** Keeps the faults of a round until the next run, so that a slow round can be examined without running it again. */
export function keepFaultLog({ plan, log }: Pick<RoundResult, 'plan' | 'log'>): void {
  const folder = join(ROOT, '.lenden', 'faults', 'last-run');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${plan.seed}-${plan.round}.log`), `${log.lines.join('\n')}\n`);
}
