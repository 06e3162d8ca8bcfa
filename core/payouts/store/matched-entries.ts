import { sql, type Expression } from 'kysely';
import { now, recordsOf } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import { magnitude } from '../../../domain/payouts/conversion.ts';
import { strictestLimit } from '../../../domain/refund.ts';
import { thresholdsOfStore } from '../../reconciliation/store/store-thresholds.ts';
import type { Mode } from '../../../domain/mode.ts';

const UNMATCHED = statement((db, $: Given<{ mode: Mode; since: string; after: bigint; max: number }>) =>
  db
    .selectFrom('bank_entries')
    .select(['id', 'bankReference', 'remittance'])
    .where('mode', '=', $('mode'))
    .where('payoutId', 'is', null)
    .where('bookedOn', '>=', (eb) => eb.cast<string>($('since'), 'date'))
    .where('id', '>', $('after'))
    .orderBy('id')
    .limit($('max')),
);

export type UnmatchedEntry = RowOf<typeof UNMATCHED>;

/** Returns the next entries without a payout, in the order of their ids. */
export function unmatchedEntries(
  statements: Statements,
  page: { readonly mode: Mode; readonly since: string; readonly after: bigint; readonly max: number },
): Promise<UnmatchedEntry[]> {
  return UNMATCHED.all(statements, page);
}

interface Phrases {
  readonly mode: Mode;
  /** A JSON array of entries and phrases in lower case. */
  readonly phrases: string;
}

function signOf(amount: Expression<bigint>) {
  return sql<number>`sign(${amount})`;
}

const NAMED = statement((db, $: Given<Phrases>) =>
  db
    .selectFrom(recordsOf($('phrases'), 'w', { entry: 'bigint', phrase: 'text' }))
    .innerJoin('bank_entries as e', 'e.id', 'w.entry')
    .innerJoin('payouts as p', (join) =>
      join
        .on('p.mode', '=', $('mode'))
        .onRef('p.currency', '=', 'e.currency')
        .on((eb) =>
          eb.or([
            eb(eb.fn<string>('lower', ['p.gatewayReference']), '=', eb.ref('w.phrase')),
            eb(eb.fn<string>('lower', ['p.bankReference']), '=', eb.ref('w.phrase')),
          ]),
        ),
    )
    .where((eb) =>
      eb(
        signOf(eb.ref('e.amountMinor')),
        '=',
        signOf(eb.fn.coalesce('p.statedMinor', 'p.linesMinor').$castTo<bigint>()),
      ),
    )
    .select(['e.id as entryId', 'p.id as payoutId'])
    .distinct()
    .orderBy('e.id')
    .orderBy('p.id'),
);

export type NamedPayout = RowOf<typeof NAMED>;

/** Returns the payouts that entries name, of the same currency and sign. */
export function namedPayouts(
  statements: Statements,
  { mode, phrases }: { readonly mode: Mode; readonly phrases: readonly { entry: string; phrase: string }[] },
): Promise<NamedPayout[]> {
  return NAMED.all(statements, { mode, phrases: JSON.stringify(phrases) });
}

interface Matches {
  /** A JSON array. */
  readonly matches: string;
}

const MATCH = { entry: 'bigint', payout: 'bigint' } as const;

const LOCK = statement((db, $: Given<Matches>) =>
  db
    .selectFrom('payouts')
    .select(['id', 'mode', 'gateway', 'storeId', 'storeApplicationId', 'currency', 'bankMinor', 'bankBaseMinor'])
    .where('id', 'in', (eb) => eb.selectFrom(recordsOf($('matches'), 'w', MATCH)).select('w.payout'))
    .orderBy('id')
    .forUpdate(),
);

const ASSIGN = statement((db, $: Given<Matches>) =>
  db
    .updateTable('bank_entries as e')
    .from(recordsOf($('matches'), 'w', MATCH))
    .set((eb) => ({ payoutId: eb.ref('w.payout') }))
    .whereRef('e.id', '=', 'w.entry')
    .where('e.payoutId', 'is', null)
    .returning('e.id'),
);

/** Stops a sum where `payouts_sums_check` does: a statement with absurd amounts must not keep the others from being matched. */
function recordable(sum: Expression<unknown>) {
  return sql<bigint>`greatest(least(${sum}, 4611686018427387903), -4611686018427387903)::bigint`;
}

const SUM_UP = statement((db, $: Given<Matches>) =>
  db
    .with('sums', (q) =>
      q
        .selectFrom('bank_entries')
        .select((eb) => [
          'payoutId',
          recordable(eb.fn.sum('amountMinor')).as('amountMinor'),
          eb.fn.max('bookedOn').as('bookedOn'),
        ])
        .where('payoutId', 'in', (eb) => eb.selectFrom(recordsOf($('matches'), 'w', MATCH)).select('w.payout'))
        .groupBy('payoutId'),
    )
    .updateTable('payouts as p')
    .from('sums')
    .set((eb) => ({
      bankMinor: eb.ref('sums.amountMinor'),
      needsBooking: true,
      arrivesOn: eb.fn.coalesce('p.arrivesOn', 'sums.bookedOn'),
      status: eb
        .case()
        .when('p.status', 'in', ['EXPECTED', 'PENDING'])
        .then('PAID' as const)
        .else(eb.ref('p.status'))
        .end(),
      updatedAt: now,
    }))
    .whereRef('p.id', '=', 'sums.payoutId')
    .returning(['p.id', 'p.bankMinor']),
);

const JUDGED = { payout: 'bigint', base: 'bigint', doubt: 'text' } as const;

const DOUBT = statement((db, $: Given<{ judged: string }>) =>
  db
    .updateTable('payouts as p')
    .from(recordsOf($('judged'), 'w', JUDGED))
    .set((eb) => ({ bankBaseMinor: eb.ref('w.base'), bankInDoubt: sql<boolean>`w.doubt::boolean` }))
    .whereRef('p.id', '=', 'w.payout'),
);

/**
 * Notes of each payout what had arrived before entries moved it, and whether they moved it by more than one person may: a statement is what a person has
 * uploaded, and people have to accept what contradicts an earlier word.
 */
async function doubt(
  statements: Statements,
  before: readonly RowOf<typeof LOCK>[],
  after: readonly RowOf<typeof SUM_UP>[],
): Promise<void> {
  const amounts = new Map(after.map(({ id, bankMinor }) => [id, bankMinor]));
  const judged: { payout: string; base: string; doubt: string }[] = [];
  for (const { id, mode, gateway, storeId, storeApplicationId, currency, bankMinor, bankBaseMinor } of before) {
    const nowMinor = amounts.get(id) ?? null;
    if (nowMinor === null) {
      continue;
    }
    const baseMinor = bankBaseMinor ?? bankMinor ?? nowMinor;
    const store = { mode, gateway, storeId, isShared: storeApplicationId === null };
    const limitMinor =
      baseMinor === nowMinor ? null : strictestLimit(await thresholdsOfStore(statements, store), currency);
    const isInDoubt = limitMinor !== null && magnitude(nowMinor - baseMinor) > limitMinor;
    judged.push({ payout: id.toString(), base: baseMinor.toString(), doubt: String(isInDoubt) });
  }
  await DOUBT.all(statements, { judged: JSON.stringify(judged) });
}

/** Assigns entries to payouts. The bank's amount of a payout is the sum of its entries. Returns how many entries were assigned. */
export async function assignEntries(
  statements: Statements,
  matches: readonly { readonly entryId: bigint; readonly payoutId: bigint }[],
): Promise<number> {
  if (matches.length === 0) {
    return 0;
  }
  const json = JSON.stringify(
    matches.map(({ entryId, payoutId }) => ({ entry: entryId.toString(), payout: payoutId.toString() })),
  );
  // Read after the lock in a statement of its own, whose snapshot includes what another import has assigned.
  const before = await LOCK.all(statements, { matches: json });
  const assigned = await ASSIGN.all(statements, { matches: json });
  const after = await SUM_UP.all(statements, { matches: json });
  await doubt(statements, before, after);
  return assigned.length;
}
