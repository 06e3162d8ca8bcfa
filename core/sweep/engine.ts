import type { EntityManager } from '../../database/connection.ts';
import { describeError } from '../../runtime/logger.ts';
import type { CoreDependencies } from '../dependencies.ts';

/** The maximum number of rows that are taken at once. */
export const BATCH_MAX = 100;
/** Limit for one kind of rows, so that all kinds fit into the activity's minute. */
export const SWEEP_MAX_MS = 12_000;

/** Rows of one kind whose workflow may have to be started or signalled. */
export interface Sweep<Row> {
  /** Takes at most `BATCH_MAX` due rows and postpones their next check, so that a failing row is retried later and never blocks the others. */
  readonly due: (em: EntityManager) => Promise<Row[]>;
  /** Returns the rows of a batch that are driven. By default all of them. */
  readonly select?: (rows: readonly Row[]) => Promise<readonly Row[]>;
  /** Starts or signals the row's workflow. Returns false if that failed. */
  readonly drive: (row: Row) => Promise<boolean>;
  /** Called after each batch with the rows that were driven without a failure. */
  readonly afterwards?: (driven: readonly Row[]) => Promise<void>;
}

/** Drives the due rows in batches until none is left. Stops at a failure and leaves the rest to the next run. Returns how many rows it drove. */
export async function runSweep<Row>({ database }: CoreDependencies, sweep: Sweep<Row>): Promise<number> {
  const stopAtMs = Date.now() + SWEEP_MAX_MS;
  for (let sum = 0; ;) {
    const due = await database.withSystem(sweep.due);
    const selected = (await sweep.select?.(due)) ?? due;
    const driven: Row[] = [];
    for (const row of selected) {
      if (await sweep.drive(row)) {
        driven.push(row);
      }
    }
    await sweep.afterwards?.(driven);
    sum += selected.length;
    if (due.length < BATCH_MAX || driven.length < selected.length || Date.now() >= stopAtMs) {
      return sum;
    }
  }
}

/** Returns false if the work failed, usually because Temporal was unreachable. A later run tries again. */
export async function attempt(
  { log }: CoreDependencies,
  { what, ...subject }: Readonly<Record<string, string>> & { readonly what: string },
  work: () => Promise<unknown>,
): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    log.warn({ ...subject, error: describeError(error) }, `${what}; a later sweep retries`);
    return false;
  }
}
