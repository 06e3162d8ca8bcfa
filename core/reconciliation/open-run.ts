import { readNow } from '../../database/clock.ts';
import type { Mode } from '../../domain/mode.ts';
import { addDays, type PlainDate } from '../../domain/plain-date.ts';
import { reconciliationReference } from '../../domain/references.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { openRun } from './store/runs.ts';

interface RunToOpen {
  readonly mode: Mode;
  readonly gateway: string;
  readonly period: PlainDate;
  /** Decimal text. */
  readonly operatorId?: string;
}

/** Returns the reference of the run that is running, or begins one. */
export function openRunOf(
  { database }: Pick<CoreDependencies, 'database'>,
  { operatorId, ...matched }: RunToOpen,
): Promise<string> {
  return database.withSystem(async (em) => {
    const startedBy = operatorId === undefined ? null : BigInt(operatorId);
    const run = await openRun(em, { ...matched, reference: reconciliationReference(), operatorId: startedBy });
    return run.reference;
  });
}

/** Returns yesterday: a schedule runs each day on the day after. */
export async function dayToReconcile({
  database,
  calendar,
}: Pick<CoreDependencies, 'database' | 'calendar'>): Promise<PlainDate> {
  return addDays(calendar.today(await database.withSystem(readNow)), -1);
}
