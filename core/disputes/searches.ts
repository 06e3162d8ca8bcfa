import { MODES, type Mode } from '../../domain/mode.ts';
import { openOrAlert } from '../../gateways/open-or-alert.ts';
import type { DisputePage, Gateway } from '../../gateways/port.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { everyStore } from '../payouts/every-store.ts';
import { attempt, type Sweep } from '../sweep/engine.ts';
import { type DueSearch, endSearch, noticeListed, takeDueSearches } from './store/searches.ts';

/** Charges that the restored state has lost are confirmed anew within hours. By this sweep, some twelve have passed. */
const SWEEPS_MAX = 20;
/** A restore loses hours, in which a shop has few disputes. A limit keeps a gateway that never ends from holding the sweeper. */
const PAGES_MAX = 200;

/** Searches for disputes that a restore may have lost: their events came to the state that is gone. */
export function dueDisputeSearches(deps: CoreDependencies): Sweep<DueSearch> {
  return {
    due: (em) => takeDueSearches(em, 1),
    drive: async (due) => {
      await search(deps, due);
      return true;
    },
  };
}

async function search(deps: CoreDependencies, { id, since, sweeps }: DueSearch): Promise<void> {
  const strangers: string[] = [];
  let unreadStores = 0;
  for (const gateway of deps.gateways.names) {
    if (deps.gateways.capabilities(gateway)?.disputes !== 'api') {
      continue;
    }
    for (const mode of MODES) {
      for (const store of await everyStore(deps, { gateway, mode })) {
        const opened = openOrAlert(deps, { gateway, mode, store });
        const at = { gateway, mode, storeId: store.storeId };
        const isRead = await attempt(deps, { ...at, what: 'disputes not listed' }, async () => {
          strangers.push(...(await noticeLost(deps, { opened, since, ...at })));
        });
        unreadStores += isRead ? 0 : 1;
      }
    }
  }
  const isDone = strangers.length === 0 && unreadStores === 0;
  if (!isDone && sweeps < SWEEPS_MAX) {
    return;
  }
  if (!isDone) {
    deps.log.error(
      { since, disputes: strangers.slice(0, 100), unreadStores, alert: 'dispute-unknown' },
      'gateways list disputes of charges that no row has, or could not be asked, since a restore',
    );
  }
  await deps.database.withSystem((em) => endSearch(em, id));
}

interface Listing {
  readonly opened: Gateway | undefined;
  readonly since: Date;
  readonly gateway: string;
  readonly mode: Mode;
  readonly storeId: string;
}

/** Stores the disputes of a store that no row knows. Returns those whose charge no row knows. */
async function noticeLost(deps: CoreDependencies, { opened, since, ...at }: Listing): Promise<string[]> {
  const strangers: string[] = [];
  let after: string | null = null;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const listed: DisputePage | undefined = await opened?.listDisputes?.({ since, after });
    if (listed === undefined) {
      return strangers;
    }
    const { disputes } = listed;
    const known = await deps.database.withSystem((em) => noticeListed(em, { ...at, disputes }));
    for (const { disputeId } of known.filter(({ isNew }) => isNew)) {
      deps.log.warn({ ...at, dispute: disputeId }, 'a dispute that a restore had lost is known again');
    }
    const matched = new Set(known.map(({ disputeId }) => disputeId));
    strangers.push(...disputes.map(({ disputeId }) => disputeId).filter((disputeId) => !matched.has(disputeId)));
    after = listed.next;
    if (after === null) {
      return strangers;
    }
  }
  throw new Error(`the disputes have more than ${PAGES_MAX} pages`);
}
