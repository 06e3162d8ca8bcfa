import { expressionBuilder, sql, type Kysely } from 'kysely';
import { earlier, now } from '../../../database/expressions.ts';
import { list, type ListPage, type ListSlice, type ValuesOf } from '../../../database/lists.ts';
import type { Statements } from '../../../database/statements.ts';
import type { Tables } from '../../../database/tables.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import type { Mode } from '../../../domain/mode.ts';
import type { PayoutStatus } from '../../../domain/payouts/payout.ts';
import { APPROVAL_SUM_HOURS } from '../../../domain/refund.ts';

const PAYOUT = [
  'id',
  'reference',
  'mode',
  'gateway',
  'storeId',
  'storeApplicationId',
  'gatewayReference',
  'currency',
  'status',
  'arrivesOn',
  'itemized',
  'statedMinor',
  'bankMinor',
  'bankReference',
  'lines',
  'linesMinor',
  'createdAt',
  'updatedAt',
] as const;

export interface PayoutFilter {
  readonly mode?: Mode | undefined;
  readonly gateway?: string | undefined;
  readonly storeId?: string | undefined;
  readonly status?: PayoutStatus | undefined;
  /** Days on which it arrives, both inclusive. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

const LIST = list((db, $: Given<ValuesOf<PayoutFilter>>) => {
  const eb = expressionBuilder<Tables, 'payouts'>();
  return {
    rows: db.selectFrom('payouts').select(PAYOUT),
    conditions: {
      mode: eb('mode', '=', $('mode')),
      gateway: eb('gateway', '=', $('gateway')),
      storeId: eb('storeId', '=', $('storeId')),
      status: eb('status', '=', $('status')),
      from: eb('arrivesOn', '>=', eb.cast<string>($('from'), 'date')),
      to: eb('arrivesOn', '<=', eb.cast<string>($('to'), 'date')),
    },
    orders: { id: ['id'] },
  };
});

export function listPayouts(
  statements: Statements,
  { filter, slice }: { readonly filter: PayoutFilter; readonly slice: ListSlice },
): Promise<ListPage<PayoutRecord>> {
  return LIST.page(statements, { filter, sortBy: 'id', slice });
}

const READ = statement((db, $: Given<{ reference: string }>) =>
  db.selectFrom('payouts').select(PAYOUT).where('reference', '=', $('reference')),
);

export type PayoutRecord = RowOf<typeof READ>;

export async function readPayout(statements: Statements, reference: string): Promise<PayoutRecord | null> {
  return (await READ.first(statements, { reference })) ?? null;
}

const LOCK = statement((db, $: Given<{ reference: string }>) =>
  db.selectFrom('payouts').select(PAYOUT).where('reference', '=', $('reference')).forUpdate(),
);

export async function lockPayout(statements: Statements, reference: string): Promise<PayoutRecord | null> {
  return (await LOCK.first(statements, { reference })) ?? null;
}

/** As text: a sum may be greater than any amount. */
function sumOf(column: 'grossMinor' | 'feeMinor' | 'taxMinor' | 'netMinor') {
  const eb = expressionBuilder<Tables, 'payout_lines'>();
  return eb.cast<string>(eb.fn.sum(column), 'text').as(column);
}

const SUMS = statement((db, $: Given<{ payoutId: bigint }>) =>
  db
    .selectFrom('payout_lines')
    .select((eb) => [
      'kind',
      eb.cast<number>(eb.fn.countAll(), 'integer').as('lines'),
      sumOf('grossMinor'),
      sumOf('feeMinor'),
      sumOf('taxMinor'),
      sumOf('netMinor'),
    ])
    .where('payoutId', '=', $('payoutId'))
    .groupBy('kind')
    .orderBy('kind'),
);

export type KindSums = RowOf<typeof SUMS>;

/** Adds up the lines of a payout by their kind. */
export function sumsByKind(statements: Statements, payoutId: bigint): Promise<KindSums[]> {
  return SUMS.all(statements, { payoutId });
}

const LINE = [
  'l.id',
  'f.reference as file',
  'l.fileLine',
  'l.ordinal',
  'l.period',
  'l.kind',
  'l.payoutReference',
  'l.lineReference',
  'l.gatewayTxnId',
  'l.attemptReference',
  'l.currency',
  'l.grossMinor',
  'l.feeMinor',
  'l.taxMinor',
  'l.netMinor',
  'l.originalCurrency',
  'l.exchangeRate',
  'l.occurredAt',
  'l.paidOutOn',
  'l.description',
] as const;

const LINES = list((db, $: Given<ValuesOf<{ payoutId: bigint }>>) => {
  const eb = expressionBuilder<Tables & { l: Tables['payout_lines'] }, 'l'>();
  return {
    rows: lines(db),
    conditions: { payoutId: eb('l.payoutId', '=', $('payoutId')) },
    orders: { id: ['l.id'] },
  };
});

function lines(db: Kysely<Tables>) {
  return db.selectFrom('payout_lines as l').innerJoin('payout_files as f', 'f.id', 'l.fileId').select(LINE);
}

const LINES_OF = statement((db, $: Given<{ payoutId: bigint }>) => lines(db).where('l.payoutId', '=', $('payoutId')));

export type PayoutLineRecord = RowOf<typeof LINES_OF>;

export function listPayoutLines(
  statements: Statements,
  { payoutId, slice }: { readonly payoutId: bigint; readonly slice: ListSlice },
): Promise<ListPage<PayoutLineRecord>> {
  return LINES.page(statements, { filter: { payoutId }, sortBy: 'id', slice });
}

const HAS_ENTRIES = statement((db, $: Given<{ payoutId: bigint }>) =>
  db.selectFrom('bank_entries').select('id').where('payoutId', '=', $('payoutId')).limit(1),
);

export async function hasEntries(statements: Statements, payoutId: bigint): Promise<boolean> {
  return (await HAS_ENTRIES.first(statements, { payoutId })) !== undefined;
}

interface StatedAmount {
  readonly id: bigint;
  readonly amountMinor: bigint;
  readonly arrivedOn: string;
}

const STATE_AMOUNT = statement((db, $: Given<StatedAmount>) =>
  db
    .updateTable('payouts')
    .set({ bankMinor: $('amountMinor'), arrivesOn: $('arrivedOn'), status: 'PAID', needsBooking: true, updatedAt: now })
    .where('id', '=', $('id'))
    .returning('id'),
);
const SINCE = earlier(`${APPROVAL_SUM_HOURS} hours`);
const NOTE_STATED = statement((db, $: Given<{ id: bigint; operatorId: bigint; movedMinor: bigint }>) =>
  db
    .updateTable('payouts')
    .set((eb) => ({
      bankStatedBy: $('operatorId'),
      bankStatedAt: now,
      bankStatedMovedMinor: eb(
        $('movedMinor'),
        '+',
        eb
          .case()
          .when(eb.and([eb('bankStatedBy', '=', $('operatorId')), eb('bankStatedAt', '>', SINCE)]))
          .then(eb.ref('bankStatedMovedMinor').$notNull())
          .else(sql<bigint>`0`)
          .end(),
      ),
    }))
    .where('id', '=', $('id')),
);

/**
 * Records what people say that the bank received.
 *
 * @param alone - who says so without a second person, and by how much it moves the amount
 */
export async function stateBankAmount(
  statements: Statements,
  {
    alone,
    ...amount
  }: StatedAmount & { readonly alone: { readonly operatorId: bigint; readonly movedMinor: bigint } | null },
): Promise<void> {
  await STATE_AMOUNT.all(statements, amount);
  if (alone !== null) {
    await NOTE_STATED.all(statements, { id: amount.id, ...alone });
  }
}

export interface EntryFilter {
  readonly mode?: Mode | undefined;
  readonly account?: string | undefined;
  readonly payoutId?: bigint | undefined;
  readonly unmatched?: boolean | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

function entries(db: Kysely<Tables>) {
  return db
    .selectFrom('bank_entries as e')
    .innerJoin('payout_files as f', 'f.id', 'e.fileId')
    .leftJoin('payouts as p', 'p.id', 'e.payoutId')
    .select([
      'e.id',
      'e.mode',
      'f.reference as file',
      'e.fileLine',
      'e.account',
      'e.currency',
      'e.amountMinor',
      'e.bookedOn',
      'e.valueOn',
      'e.bankReference',
      'e.remittance',
      'p.reference as payout',
    ]);
}

const ENTRIES = list((db, $: Given<ValuesOf<EntryFilter>>) => {
  const eb = expressionBuilder<Tables & { e: Tables['bank_entries'] }, 'e'>();
  return {
    rows: entries(db),
    conditions: {
      mode: eb('e.mode', '=', $('mode')),
      account: eb('e.account', '=', $('account')),
      payoutId: eb('e.payoutId', '=', $('payoutId')),
      unmatched: eb(eb('e.payoutId', 'is', null), '=', $('unmatched')),
      from: eb('e.bookedOn', '>=', eb.cast<string>($('from'), 'date')),
      to: eb('e.bookedOn', '<=', eb.cast<string>($('to'), 'date')),
    },
    orders: { id: ['e.id'] },
  };
});

const ENTRY = statement((db, $: Given<{ id: bigint }>) => entries(db).where('e.id', '=', $('id')));
export type EntryRecord = RowOf<typeof ENTRY>;

export function listEntries(
  statements: Statements,
  { filter, slice }: { readonly filter: EntryFilter; readonly slice: ListSlice },
): Promise<ListPage<EntryRecord>> {
  return ENTRIES.page(statements, { filter, sortBy: 'id', slice });
}

/** The time between the day that a gateway names and the day on which a bank books. */
const DAYS_APART_MAX = 10;
const CANDIDATES_MAX = 5;

const SAME_AMOUNT = statement((db, $: Given<{ ids: string }>) =>
  db
    .selectFrom('bank_entries as e')
    .innerJoinLateral(
      (eb) =>
        eb
          .selectFrom('payouts as p')
          .select(['p.id', 'p.reference'])
          .whereRef('p.mode', '=', 'e.mode')
          .whereRef('p.currency', '=', 'e.currency')
          .where('p.bankMinor', 'is', null)
          .where((of) => of(of.fn.coalesce('p.statedMinor', 'p.linesMinor'), '=', of.ref('e.amountMinor')))
          .where(
            (of) => sql<boolean>`abs(${of.ref('p.arrivesOn')} - ${of.ref('e.bookedOn')}) <= ${sql.lit(DAYS_APART_MAX)}`,
          )
          .orderBy('p.id')
          .limit(CANDIDATES_MAX)
          .as('p'),
      (join) => join.onTrue(),
    )
    .select(['e.id as entryId', 'p.reference'])
    .where('e.payoutId', 'is', null)
    .where((eb) => sql<boolean>`${eb.ref('e.id')} = any(${$('ids')}::bigint[])`)
    .orderBy('e.id'),
);

/** Returns payouts that nobody has assigned an entry to and whose amount it has. That proves nothing: a person decides. */
export async function payoutsOfSameAmount(
  statements: Statements,
  entryIds: readonly bigint[],
): Promise<RowOf<typeof SAME_AMOUNT>[]> {
  return entryIds.length === 0 ? [] : SAME_AMOUNT.all(statements, { ids: `{${entryIds.join(',')}}` });
}
