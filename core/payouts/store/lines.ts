import { expressionBuilder, sql, type Expression, type RawBuilder } from 'kysely';
import { now, recordsOf, rowOf } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import type { Mode } from '../../../domain/mode.ts';
import type { PayoutLineKind } from '../../../domain/payouts/payout-line.ts';
import { payoutReference } from '../../../domain/references.ts';

/** What a payout is known by at its store. */
export interface PayoutKey {
  readonly gatewayReference: string;
  readonly currency: string;
}

interface OfStore {
  readonly mode: Mode;
  readonly gateway: string;
  readonly storeId: string;
  readonly storeApplicationId: bigint | null;
}

interface Wanted extends OfStore {
  /** A JSON array. */
  readonly payouts: string;
}

const WANTED = { reference: 'text', name: 'text', currency: 'text' } as const;

const ADD_PAYOUTS = statement((db, $: Given<Wanted>) => {
  const source = db.selectFrom(recordsOf($('payouts'), 'w', WANTED));
  const eb = expressionBuilder(source);
  const row = rowOf('payouts', {
    reference: eb.ref('w.reference'),
    mode: $('mode'),
    gateway: $('gateway'),
    storeId: $('storeId'),
    storeApplicationId: eb.cast<bigint | null>($('storeApplicationId'), 'bigint'),
    gatewayReference: eb.ref('w.name'),
    currency: eb.ref('w.currency'),
  });
  return db
    .insertInto('payouts')
    .columns(row.columns)
    .expression(source.select(row.values).orderBy('w.name').orderBy('w.currency'))
    .onConflict((conflict) =>
      conflict.columns(['mode', 'gateway', 'storeId', 'gatewayReference', 'currency']).doNothing(),
    );
});

const FIND_PAYOUTS = statement((db, $: Given<Omit<Wanted, 'storeApplicationId'>>) =>
  db
    .selectFrom('payouts as p')
    .innerJoin(recordsOf($('payouts'), 'w', WANTED), (join) =>
      join.onRef('w.name', '=', 'p.gatewayReference').onRef('w.currency', '=', 'p.currency'),
    )
    .select(['p.id', 'p.gatewayReference', 'p.currency'])
    .where('p.mode', '=', $('mode'))
    .where('p.gateway', '=', $('gateway'))
    .where('p.storeId', '=', $('storeId')),
);

/** Returns the payouts, and creates those that do not exist yet, in one order for all imports. */
export async function findOrAddPayouts(
  statements: Statements,
  store: OfStore,
  keys: readonly PayoutKey[],
): Promise<readonly (PayoutKey & { readonly id: bigint })[]> {
  if (keys.length === 0) {
    return [];
  }
  const { mode, gateway, storeId, storeApplicationId } = store;
  const payouts = JSON.stringify(
    keys.map(({ gatewayReference: name, currency }) => ({ reference: payoutReference(), name, currency })),
  );
  const found = await FIND_PAYOUTS.all(statements, { mode, gateway, storeId, payouts });
  if (found.length === keys.length) {
    return found;
  }
  await ADD_PAYOUTS.all(statements, { mode, gateway, storeId, storeApplicationId, payouts });
  return FIND_PAYOUTS.all(statements, { mode, gateway, storeId, payouts });
}

/** A line as JSON carries it. 64-bit integers are text. */
export interface LineRecord {
  /** The place of its payout's id in `payoutIds`, from 1. */
  readonly payout: number | null;
  readonly row: number;
  /** Hexadecimal. */
  readonly fingerprint: string;
  readonly ordinal: number;
  readonly period: string;
  readonly kind: PayoutLineKind;
  readonly name: string | null;
  readonly line: string | null;
  readonly txn: string | null;
  readonly attempt: string | null;
  readonly currency: string;
  readonly gross: string;
  readonly fee: string;
  readonly tax: string;
  readonly net: string;
  readonly original: string | null;
  readonly rate: string | null;
  readonly at: string | null;
  readonly day: string | null;
  readonly description: string | null;
}

interface LinesToAdd {
  readonly mode: Mode;
  readonly gateway: string;
  readonly storeId: string;
  readonly fileId: bigint;
  /** A JSON array of `LineRecord`, in UTF-8. */
  readonly lines: Uint8Array;
  readonly payoutIds: readonly (bigint | null)[];
}

const LINE = {
  payout: 'integer',
  row: 'integer',
  fingerprint: 'text',
  ordinal: 'integer',
  period: 'date',
  kind: 'text',
  name: 'text',
  line: 'text',
  txn: 'text',
  attempt: 'text',
  currency: 'text',
  gross: 'bigint',
  fee: 'bigint',
  tax: 'bigint',
  net: 'bigint',
  original: 'text',
  rate: 'text',
  at: 'text',
  day: 'date',
  description: 'text',
} as const;

function utf8(bytes: Expression<Uint8Array>): RawBuilder<string> {
  return sql<string>`convert_from(${bytes}, 'UTF8')`;
}

function memberOf(ids: Expression<readonly (bigint | null)[]>, place: Expression<number>): RawBuilder<bigint | null> {
  return sql<bigint | null>`(${ids}::bigint[])[${place}]`;
}

const ADD_LINES = statement((db, $: Given<LinesToAdd>) => {
  const source = db.selectFrom(recordsOf(utf8($('lines')), 'w', LINE));
  const eb = expressionBuilder(source);
  const row = rowOf('payout_lines', {
    mode: $('mode'),
    gateway: $('gateway'),
    storeId: $('storeId'),
    payoutId: memberOf($('payoutIds'), eb.ref('w.payout')),
    fileId: eb.cast<bigint>($('fileId'), 'bigint'),
    fileLine: eb.ref('w.row'),
    fingerprint: eb.fn<Uint8Array>('decode', ['w.fingerprint', sql.lit('hex')]),
    ordinal: eb.ref('w.ordinal'),
    period: eb.ref('w.period'),
    kind: eb.ref('w.kind').$castTo<PayoutLineKind>(),
    payoutReference: eb.ref('w.name'),
    lineReference: eb.ref('w.line'),
    gatewayTxnId: eb.ref('w.txn'),
    attemptReference: eb.ref('w.attempt'),
    currency: eb.ref('w.currency'),
    grossMinor: eb.ref('w.gross'),
    feeMinor: eb.ref('w.fee'),
    taxMinor: eb.ref('w.tax'),
    netMinor: eb.ref('w.net'),
    originalCurrency: eb.ref('w.original'),
    exchangeRate: eb.ref('w.rate'),
    occurredAt: eb.cast<Date | null>('w.at', 'timestamptz'),
    paidOutOn: eb.ref('w.day'),
    description: eb.ref('w.description'),
  });
  return db
    .with('added', (q) =>
      q
        .insertInto('payout_lines')
        .columns(row.columns)
        // In one order for all imports, so that two that insert the same lines at once wait for each other in turn.
        .expression(source.select(row.values).orderBy('w.fingerprint').orderBy('w.ordinal'))
        .onConflict((conflict) =>
          conflict.columns(['fingerprint', 'ordinal', 'storeId', 'gateway', 'mode']).doNothing(),
        )
        .returning(['payoutId', 'netMinor', 'paidOutOn']),
    )
    .selectFrom('added')
    .select((sums) => [
      'added.payoutId',
      sums.cast<number>(sums.fn.countAll(), 'integer').as('lines'),
      sums.cast<bigint>(sums.fn.sum('added.netMinor'), 'bigint').as('netMinor'),
      sums.fn.max('added.paidOutOn').as('paidOutOn'),
    ])
    .groupBy('added.payoutId');
});

interface AddedSums {
  /** A JSON array. */
  readonly sums: string;
}

const ADDED_SUMS = { payout: 'bigint', lines: 'integer', net: 'bigint', day: 'date' } as const;

const LOCK_COUNTED = statement((db, $: Given<AddedSums>) =>
  db
    .selectFrom('payouts')
    .select('id')
    .where('id', 'in', (eb) => eb.selectFrom(recordsOf($('sums'), 'w', ADDED_SUMS)).select('w.payout'))
    .orderBy('id')
    .forNoKeyUpdate(),
);

const COUNT = statement((db, $: Given<AddedSums>) =>
  db
    .updateTable('payouts as p')
    .from(recordsOf($('sums'), 'w', ADDED_SUMS))
    .set((eb) => ({
      lines: eb('p.lines', '+', eb.ref('w.lines')),
      linesMinor: eb('p.linesMinor', '+', eb.ref('w.net')),
      // It leaves out nulls, so the order in which lines come does not count.
      arrivesOn: eb.fn<string | null>('greatest', ['p.arrivesOn', 'w.day']),
      updatedAt: now,
    }))
    .whereRef('p.id', '=', 'w.payout'),
);

/**
 * Inserts the lines that are not known yet, and counts exactly these into their payouts. Returns how many they are.
 *
 * The payouts are locked after the lines are inserted: PostgreSQL checks the foreign key of each line, which costs several times as much on a row that
 * the same transaction has locked or changed. All lines come before all payouts, each in one order, so two imports never wait for each other.
 */
export async function addLines(statements: Statements, lines: LinesToAdd): Promise<number> {
  const added = await ADD_LINES.all(statements, lines);
  const ofPayouts = added.flatMap(({ payoutId, lines: count, netMinor, paidOutOn: day }) =>
    payoutId === null ? [] : { payout: payoutId.toString(), lines: count, net: netMinor.toString(), day },
  );
  if (ofPayouts.length > 0) {
    const sums = JSON.stringify(ofPayouts);
    await LOCK_COUNTED.all(statements, { sums });
    await COUNT.all(statements, { sums });
  }
  return added.reduce((sum, { lines: count }) => sum + count, 0);
}

interface RejectionsToAdd {
  readonly fileId: bigint;
  /** A JSON array. */
  readonly rejections: string;
}

const ADD_REJECTIONS = statement((db, $: Given<RejectionsToAdd>) => {
  const source = db.selectFrom(
    recordsOf($('rejections'), 'w', { row: 'integer', code: 'text', column: 'text', reason: 'text' }),
  );
  const eb = expressionBuilder(source);
  const row = rowOf('payout_file_rejections', {
    fileId: eb.cast<bigint>($('fileId'), 'bigint'),
    lineNumber: eb.ref('w.row'),
    code: eb.ref('w.code'),
    columnName: eb.ref('w.column'),
    reason: eb.ref('w.reason'),
  });
  return db.insertInto('payout_file_rejections').columns(row.columns).expression(source.select(row.values));
});

export interface RejectedRow {
  readonly row: number;
  readonly code: string;
  readonly column: string | null;
  readonly reason: string;
}

/** Stores why rows of a file could not be read. */
export async function addRejections(
  statements: Statements,
  { fileId, rejections }: { readonly fileId: bigint; readonly rejections: readonly RejectedRow[] },
): Promise<void> {
  if (rejections.length > 0) {
    await ADD_REJECTIONS.all(statements, { fileId, rejections: JSON.stringify(rejections) });
  }
}
