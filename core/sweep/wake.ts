import { describeError } from '../../runtime/logger.ts';
import type { CoreDependencies } from '../dependencies.ts';

/** Makes the sweeper look at once for rows that were made due. Does not wait: without it the sweeper finds them half a minute later. */
export function wakeSweeper({ dispatch, log }: Pick<CoreDependencies, 'dispatch' | 'log'>): void {
  dispatch.wakeSweeper().catch((error: unknown) => {
    log.debug({ error: describeError(error) }, 'the sweeper was not woken');
  });
}
