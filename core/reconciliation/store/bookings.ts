import { sql } from 'kysely';
import { now, recordsOf } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import { payoutPosting, type PayoutAmounts, type PayoutBookingKind } from '../../../domain/ledger.ts';
import { amountsText } from '../../../domain/payouts/booking.ts';
import { postTransaction } from '../../ledger/store.ts';
import type { AtGateway } from './movements.ts';

const INSTALLATION = statement((db) => db.selectFrom('applications').select('id').where('isInstallation', '=', true));
const ADD_INSTALLATION = statement((db) =>
  db
    .insertInto('applications')
    .values({ name: 'Installation', status: 'DISABLED', isInstallation: true })
    .onConflict((conflict) => conflict.column('isInstallation').where('isInstallation', '=', true).doNothing()),
);

/**
 * Returns the application whose books hold what belongs to no shop: a monthly fee of the installation's store, or a line that nothing explains. It takes no
 * payments and appears in no list of applications.
 */
export async function installationId(statements: Statements): Promise<bigint> {
  const known = await INSTALLATION.first(statements, {});
  if (known !== undefined) {
    return known.id;
  }
  await ADD_INSTALLATION.all(statements, {});
  const added = await INSTALLATION.first(statements, {});
  if (added === undefined) {
    throw new Error('the application of the installation was not written');
  }
  return added.id;
}

interface NewBooking extends AtGateway {
  readonly applicationId: bigint;
  readonly currency: string;
  readonly payoutId: bigint | null;
  readonly kind: PayoutBookingKind;
  readonly lines: number;
}

const INSERT = statement((db, $: Given<NewBooking & { amounts: string }>) =>
  db
    .insertInto('payout_bookings')
    .values({
      applicationId: $('applicationId'),
      mode: $('mode'),
      gateway: $('gateway'),
      currency: $('currency'),
      payoutId: $('payoutId'),
      kind: $('kind'),
      lines: $('lines'),
      amounts: $('amounts'),
    })
    .returning('id'),
);

/** Records a booking and posts it, in the caller's transaction. `amounts` has at least one that is not 0. */
export async function post(
  statements: Statements,
  { amounts, ...booking }: NewBooking & { readonly amounts: PayoutAmounts },
): Promise<void> {
  const row = await INSERT.first(statements, { ...booking, amounts: amountsText(amounts) });
  if (row === undefined) {
    throw new Error('a booking was not written');
  }
  await postTransaction(statements, payoutPosting({ ...booking, bookingId: row.id, amounts }));
}

const NEED_BOOKING = statement((db, $: Given<{ payoutIds: readonly bigint[] }>) =>
  db
    .updateTable('payouts')
    .set({ needsBooking: true, updatedAt: now })
    .where('id', '=', sql<bigint>`any(${$('payoutIds')})`)
    .where('needsBooking', '=', false),
);

/** Notes that the lines of these payouts are posted otherwise than when their transfer was posted. */
export async function noteNeedsBooking(statements: Statements, payoutIds: readonly bigint[]): Promise<void> {
  if (payoutIds.length > 0) {
    await NEED_BOOKING.all(statements, { payoutIds });
  }
}

const NEEDING = statement((db, $: Given<AtGateway & { limit: number }>) =>
  db
    .selectFrom('payouts')
    .select(['id', 'currency', 'bankMinor', 'linesMinor', 'storeApplicationId', 'acceptedResidualMinor'])
    .where('mode', '=', $('mode'))
    .where('gateway', '=', $('gateway'))
    .where('needsBooking', '=', true)
    .orderBy('id')
    .limit($('limit'))
    .forUpdate(),
);

/** Returns payouts whose transfer has to be posted again, and locks them. */
export function payoutsNeedingBooking(statements: Statements, wanted: AtGateway & { readonly limit: number }) {
  return NEEDING.all(statements, wanted);
}

/** What the lines of a payout are booked to, and what its bookings of kind `bank` have moved, by application. */
const SHARES = statement((db, $: Given<{ payoutId: bigint }>) =>
  db
    .selectFrom('payout_lines as n')
    .innerJoin('reconciliation_results as r', 'r.lineId', 'n.id')
    .select((eb) => [
      eb.ref('r.bookedApplicationId').$notNull().as('applicationId'),
      eb.cast<bigint>(eb.fn.sum('n.netMinor'), 'bigint').as('netMinor'),
    ])
    .where('n.payoutId', '=', $('payoutId'))
    .where('r.bookedApplicationId', 'is not', null)
    .groupBy('r.bookedApplicationId'),
);
const BANK_BOOKINGS = statement((db, $: Given<{ payoutId: bigint }>) =>
  db
    .selectFrom('payout_bookings')
    .select(['applicationId', 'amounts'])
    .where('payoutId', '=', $('payoutId'))
    .where('kind', '=', 'bank'),
);

export function sharesOf(statements: Statements, payoutId: bigint) {
  return SHARES.all(statements, { payoutId });
}

export function bankBookingsOf(statements: Statements, payoutId: bigint) {
  return BANK_BOOKINGS.all(statements, { payoutId });
}

const BOOKED = statement((db, $: Given<{ ids: string }>) =>
  db
    .updateTable('payouts as o')
    .from(recordsOf($('ids'), 's', { id: 'bigint' }))
    .set({ needsBooking: false, updatedAt: now })
    .whereRef('o.id', '=', 's.id'),
);

export async function noteBooked(statements: Statements, payoutIds: readonly bigint[]): Promise<void> {
  await BOOKED.all(statements, { ids: JSON.stringify(payoutIds.map((id) => ({ id: id.toString() }))) });
}
