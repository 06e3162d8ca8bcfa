import { sql } from 'kysely';
import { later, now, recordsOf } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import type { Mode } from '../../../domain/mode.ts';

interface AtGateway {
  readonly mode: Mode;
  readonly gateway: string;
}

const STORES = statement((db, $: Given<AtGateway>) =>
  db
    .selectFrom('gateway_configurations')
    .select((eb) => [
      'applicationId',
      'storeId',
      sql<string>`${eb.ref('key')}::text || ':' || ${eb.ref('storeSecret')}`.as('sealedSecret'),
    ])
    .where('mode', '=', $('mode'))
    .where('gateway', '=', $('gateway'))
    .orderBy('id'),
);

/** Returns every store at a gateway, also those that were replaced: they still pay out what they collected. */
export function storesAt(statements: Statements, at: AtGateway): Promise<RowOf<typeof STORES>[]> {
  return STORES.all(statements, at);
}

interface ApiSource extends AtGateway {
  readonly reference: string;
  readonly storeId: string;
  readonly storeApplicationId: bigint | null;
  readonly name: string;
}

const BEGIN = statement((db, $: Given<ApiSource>) =>
  db
    .insertInto('payout_files')
    .values({
      reference: $('reference'),
      mode: $('mode'),
      gateway: $('gateway'),
      storeId: $('storeId'),
      storeApplicationId: $('storeApplicationId'),
      kind: 'api',
      format: 'api',
      name: $('name'),
      state: 'IMPORTED',
      finishedAt: now,
      nextSweepAt: later('1 day'),
    })
    .returning(['id', 'createdAt']),
);

/** Inserts the source of what an API is about to say. */
export async function beginApiSource(statements: Statements, source: ApiSource): Promise<RowOf<typeof BEGIN>> {
  const row = await BEGIN.first(statements, source);
  if (row === undefined) {
    throw new Error('the row of the source was not written');
  }
  return row;
}

interface Counts {
  readonly rowsRead: number;
  readonly added: number;
  readonly known: number;
  readonly rejected: number;
}

const COUNT = statement((db, $: Given<Counts & { id: bigint }>) =>
  db
    .updateTable('payout_files')
    .set((eb) => ({
      rowsRead: $('rowsRead'),
      linesAdded: eb('linesAdded', '+', $('added')),
      linesKnown: eb('linesKnown', '+', $('known')),
      linesRejected: eb('linesRejected', '+', $('rejected')),
      updatedAt: now,
    }))
    .where('id', '=', $('id')),
);

export async function countApiLines(statements: Statements, counts: Counts & { readonly id: bigint }): Promise<void> {
  await COUNT.all(statements, counts);
}

const STATED = {
  reference: 'text',
  name: 'text',
  currency: 'text',
  amount: 'bigint',
  status: 'text',
  day: 'date',
  trace: 'text',
  itemized: 'text',
} as const;

interface Stated extends AtGateway {
  readonly storeId: string;
  readonly storeApplicationId: bigint | null;
  /** A JSON array. */
  readonly payouts: string;
}

const SAY = statement((db, $: Given<Stated>) =>
  db
    .insertInto('payouts')
    .columns([
      'reference',
      'mode',
      'gateway',
      'storeId',
      'storeApplicationId',
      'gatewayReference',
      'currency',
      'statedMinor',
      'status',
      'arrivesOn',
      'bankReference',
      'itemized',
      'bankMinor',
      'needsBooking',
    ])
    .expression((insert) =>
      insert
        .selectFrom(recordsOf($('payouts'), 's', STATED))
        .select((eb) => [
          's.reference',
          sql<Mode>`${$('mode')}::text`.as('mode'),
          sql<string>`${$('gateway')}::text`.as('gateway'),
          sql<string>`${$('storeId')}::text`.as('storeId'),
          eb.cast<bigint | null>($('storeApplicationId'), 'bigint').as('storeApplicationId'),
          's.name',
          's.currency',
          's.amount',
          's.status',
          's.day',
          's.trace',
          sql<boolean>`s.itemized::boolean`.as('itemized'),
          sql<bigint | null>`case when s.status = 'PAID' then s.amount end`.as('bankMinor'),
          sql<boolean>`s.status = 'PAID'`.as('needsBooking'),
        ]),
    )
    .onConflict((conflict) =>
      conflict.columns(['mode', 'gateway', 'storeId', 'gatewayReference', 'currency']).doUpdateSet((eb) => ({
        statedMinor: eb.ref('excluded.statedMinor'),
        status: eb.ref('excluded.status'),
        arrivesOn: eb.ref('excluded.arrivesOn'),
        bankReference: sql<string | null>`coalesce(excluded.bank_reference, payouts.bank_reference)`,
        itemized: eb.ref('excluded.itemized'),
        // The gateway's word counts until a bank statement, or a person, says what arrived. A payout that failed has returned.
        bankMinor: sql<bigint | null>`case
          when exists (select from bank_entries b where b.payout_id = payouts.id) then payouts.bank_minor
          when excluded.status = 'PAID' then coalesce(payouts.bank_minor, excluded.bank_minor)
          when excluded.status in ('FAILED', 'CANCELLED') then null
          else payouts.bank_minor end`,
        needsBooking: sql<boolean>`payouts.needs_booking or excluded.status is distinct from payouts.status`,
        updatedAt: now,
      })),
    ),
);

/** Records what a gateway says of its payouts. */
export async function sayPayouts(statements: Statements, stated: Stated): Promise<void> {
  await SAY.all(statements, stated);
}
