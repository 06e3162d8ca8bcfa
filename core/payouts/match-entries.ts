import { readNow } from '../../database/clock.ts';
import type { Mode } from '../../domain/mode.ts';
import { phrasesOf } from '../../domain/payouts/entry-phrases.ts';
import { addDays } from '../../domain/plain-date.ts';
import type { CoreDependencies } from '../dependencies.ts';
import {
  assignEntries,
  namedPayouts,
  unmatchedEntries,
  type NamedPayout,
  type UnmatchedEntry,
} from './store/matched-entries.ts';

const ENTRIES_AT_ONCE = 200;
/** Of an account with other business most entries never name a payout. Older ones are not looked at again. */
const LOOKED_AT_FOR_DAYS = 400;

/**
 * Assigns bank entries to the payouts that they name as a whole, of the same currency and sign. An entry that names several payouts, or none, is left
 * for a person: an amount alone proves nothing. Called after each import, and when a gateway's API has named payouts, since either may come first, the entry or the payout. Returns how many
 * entries it assigned.
 */
export async function matchEntries(
  { database, calendar }: Pick<CoreDependencies, 'database' | 'calendar'>,
  { mode, signal }: { readonly mode: Mode; readonly signal?: AbortSignal | undefined },
): Promise<number> {
  const today = calendar.today(await database.withSystem(readNow));
  const since = addDays(today, -LOOKED_AT_FOR_DAYS);
  let assigned = 0;
  for (let after = 0n; ;) {
    signal?.throwIfAborted();
    const step = await database.withSystem(async (em) => {
      const entries = await unmatchedEntries(em, { mode, since, after, max: ENTRIES_AT_ONCE });
      const phrases = entries.flatMap(phrasesOfEntry);
      const named = phrases.length === 0 ? [] : await namedPayouts(em, { mode, phrases });
      return { last: entries.at(-1)?.id, count: entries.length, assigned: await assignEntries(em, onlyOnes(named)) };
    });
    assigned += step.assigned;
    if (step.last === undefined || step.count < ENTRIES_AT_ONCE) {
      return assigned;
    }
    after = step.last;
  }
}

function phrasesOfEntry({ id, bankReference, remittance }: UnmatchedEntry): { entry: string; phrase: string }[] {
  const phrases = new Set([...phrasesOf(bankReference), ...phrasesOf(remittance)]);
  return [...phrases].map((phrase) => ({ entry: id.toString(), phrase }));
}

/** Returns the entries that name one payout only. */
function onlyOnes(named: readonly NamedPayout[]): NamedPayout[] {
  return [...Map.groupBy(named, ({ entryId }) => entryId).values()].flatMap((payouts) =>
    payouts.length === 1 ? payouts : [],
  );
}
