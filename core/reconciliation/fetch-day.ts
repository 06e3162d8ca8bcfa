import type { CoreDependencies } from '../dependencies.ts';
import { fetchPayouts } from '../payouts/fetch-payouts.ts';
import { readTrustedStores } from './store/match-settings.ts';
import { findRun, noteProblem } from './store/runs.ts';

type Dependencies = Pick<CoreDependencies, 'database' | 'gateways' | 'calendar'>;

/**
 * Reads the payouts of a run's day from the gateway's own API, if it has one. It may be repeated.
 * @param onPage - called after each page with the number of lines so far; may throw to stop
 * @throws GatewayFailure
 */
export async function fetchDay(
  deps: Dependencies,
  reference: string,
  onPage: (lines: number) => void,
): Promise<{ readonly lines: number }> {
  const day = await deps.database.withSystem(async (em) => {
    const run = await findRun(em, reference);
    return run?.state === 'RUNNING' ? { ...run, trustedStores: await readTrustedStores(em, run.gateway) } : null;
  });
  return day === null ? { lines: 0 } : fetchPayouts(deps, day, onPage);
}

/** Notes that a run goes on without what the gateway's API would have said. */
export async function noteUnfetched(
  { database }: Pick<CoreDependencies, 'database'>,
  reference: string,
): Promise<void> {
  await database.withSystem((em) =>
    noteProblem(em, reference, 'the gateway did not list its payouts; only what was known before is matched'),
  );
}
