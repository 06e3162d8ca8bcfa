import type { Mode } from '../../domain/mode.ts';
import { addDays, type PlainDate } from '../../domain/plain-date.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { gatewaysToBook, periodsOfFile } from './store/import-days.ts';

/** A run takes up new lines and open results of every age. So of a file of a year, only the newest days are looked through for what has no line. */
const DAYS_MAX = 31;

interface DayToReconcile {
  readonly mode: Mode;
  readonly gateway: string;
  readonly period: PlainDate;
}

/**
 * Returns the days of the lines that a file has added, oldest first. A bank statement belongs to no gateway: it returns one day for each whose payouts
 * wait for what the bank received.
 */
export async function daysOfImport(
  { database }: Pick<CoreDependencies, 'database'>,
  reference: string,
): Promise<DayToReconcile[]> {
  return database.withSystem(async (em) => {
    const file = await periodsOfFile(em, reference);
    if (file === null) {
      return [];
    }
    const { mode, gateway, firstPeriod, lastPeriod } = file;
    if (gateway === null) {
      return gatewaysToBook(em, mode);
    }
    if (firstPeriod === null || lastPeriod === null) {
      return [];
    }
    const days: DayToReconcile[] = [];
    for (let period = lastPeriod; period >= firstPeriod && days.length < DAYS_MAX; period = addDays(period, -1)) {
      days.unshift({ mode, gateway, period });
    }
    return days;
  });
}
