import type { Statements } from '../../../database/statements.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import type { Mode } from '../../../domain/mode.ts';

const PERIODS = statement((db, $: Given<{ reference: string }>) =>
  db
    .selectFrom('payout_files')
    .select(['mode', 'gateway', 'firstPeriod', 'lastPeriod'])
    .where('reference', '=', $('reference')),
);

/** Returns the first and the last day of the lines that a file has added. */
export async function periodsOfFile(statements: Statements, reference: string): Promise<RowOf<typeof PERIODS> | null> {
  return (await PERIODS.first(statements, { reference })) ?? null;
}

const TO_BOOK = statement((db, $: Given<{ mode: Mode }>) =>
  db
    .selectFrom('payouts')
    .select((eb) => ['mode', 'gateway', eb.fn.max('arrivesOn').$castTo<string>().as('period')])
    .where('needsBooking', '=', true)
    .where('mode', '=', $('mode'))
    .where('arrivesOn', 'is not', null)
    .groupBy(['mode', 'gateway'])
    .orderBy('gateway'),
);

/** Returns the gateways whose payouts have an amount of the bank that is not posted, each with the newest day on which one arrived. */
export function gatewaysToBook(statements: Statements, mode: Mode): Promise<RowOf<typeof TO_BOOK>[]> {
  return TO_BOOK.all(statements, { mode });
}
