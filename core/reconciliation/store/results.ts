import { sql } from 'kysely';
import { now, recordsOf } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import type { Correction } from '../../../domain/payouts/reconciliation.ts';
import type { AtGateway } from './movements.ts';

const FIND = statement((db, $: Given<AtGateway & { lineIds: readonly bigint[]; movementKeys: readonly string[] }>) => {
  const results = () =>
    db
      .selectFrom('reconciliation_results')
      .select([
        'id',
        'lineId',
        'movementKey',
        'currency',
        'period',
        'status',
        'reason',
        'detail',
        'expectedMinor',
        'settledMinor',
        'feeExpectedMinor',
        'feeSettledMinor',
        'applicationId',
        'bookedApplicationId',
        'booked',
        'convertedCurrency',
        'convertedMinor',
        'acceptedAt',
        'superseded',
      ])
      .where('mode', '=', $('mode'))
      .where('gateway', '=', $('gateway'));
  return results()
    .where('lineId', '=', sql<bigint>`any(${$('lineIds')})`)
    .union(results().where('movementKey', '=', sql<string>`any(${$('movementKeys')})`));
});

/** What was said of a line or movement so far. */
export type StoredResult = RowOf<typeof FIND>;

/** Returns the results of these lines, and those of these movements. */
export function findResults(
  statements: Statements,
  wanted: AtGateway & { readonly lineIds: readonly bigint[]; readonly movementKeys: readonly string[] },
): Promise<StoredResult[]> {
  return FIND.all(statements, wanted);
}

const CORRECTIONS = statement(
  (db, $: Given<AtGateway & { lineIds: readonly bigint[]; movementKeys: readonly string[] }>) => {
    const corrected = () =>
      db
        .selectFrom('reconciliation_results')
        .select(['lineId', 'correctedMovementKey', 'correctedAccount'])
        .where('mode', '=', $('mode'))
        .where('gateway', '=', $('gateway'));
    return corrected()
      .where('lineId', '=', sql<bigint>`any(${$('lineIds')})`)
      .where((eb) => eb.or([eb('correctedMovementKey', 'is not', null), eb('correctedAccount', 'is not', null)]))
      .union(corrected().where('correctedMovementKey', '=', sql<string>`any(${$('movementKeys')})`));
  },
);

/** Returns what people have said of these lines, and of the lines that belong to these movements by their word. */
export async function findCorrections(
  statements: Statements,
  wanted: AtGateway & { readonly lineIds: readonly bigint[]; readonly movementKeys: readonly string[] },
): Promise<ReadonlyMap<bigint, Correction>> {
  const found = new Map<bigint, Correction>();
  for (const { lineId, correctedMovementKey, correctedAccount } of await CORRECTIONS.all(statements, wanted)) {
    if (lineId !== null && correctedMovementKey !== null) {
      found.set(lineId, { movementKey: correctedMovementKey });
    } else if (lineId !== null && correctedAccount !== null) {
      found.set(lineId, { account: correctedAccount });
    }
  }
  return found;
}

/** What a run says of a line or of a movement. Null ids: none. */
export interface SaidResult {
  /** Null: a new row. */
  readonly id: bigint | null;
  readonly storeId: string;
  readonly applicationId: bigint | null;
  readonly lineId: bigint | null;
  readonly lineKind: string | null;
  readonly currency: string;
  readonly movementKey: string | null;
  readonly movementKind: string | null;
  readonly paymentId: bigint | null;
  readonly refundId: bigint | null;
  readonly unappliedPaymentId: bigint | null;
  readonly gatewayTxnId: string | null;
  readonly period: string;
  readonly status: string;
  readonly reason: string | null;
  readonly detail: string;
  readonly expectedMinor: bigint | null;
  readonly settledMinor: bigint | null;
  readonly feeExpectedMinor: bigint | null;
  readonly feeSettledMinor: bigint | null;
  readonly bookedApplicationId: bigint | null;
  readonly booked: string | null;
  /** What a converted line covers in clearing, in the currency of its movement. */
  readonly convertedCurrency: string | null;
  readonly convertedMinor: bigint | null;
  readonly superseded: boolean;
  /** What people have accepted is still what is said. */
  readonly accepted: boolean;
}

/** Short names, because a member of a JSON row is one lower-case word. */
const MEMBERS = {
  id: 'bigint',
  store: 'text',
  app: 'bigint',
  line: 'bigint',
  linekind: 'text',
  currency: 'text',
  movement: 'text',
  movementkind: 'text',
  payment: 'bigint',
  refund: 'bigint',
  unapplied: 'bigint',
  txn: 'text',
  period: 'date',
  status: 'text',
  reason: 'text',
  detail: 'text',
  expected: 'bigint',
  settled: 'bigint',
  feeexpected: 'bigint',
  feesettled: 'bigint',
  bookedapp: 'bigint',
  booked: 'text',
  convertedcurrency: 'text',
  converted: 'bigint',
  superseded: 'text',
  accepted: 'text',
} as const;

function jsonOf(results: readonly SaidResult[]): string {
  return JSON.stringify(
    results.map((said) => ({
      id: text(said.id),
      store: said.storeId,
      app: text(said.applicationId),
      line: text(said.lineId),
      linekind: said.lineKind,
      currency: said.currency,
      movement: said.movementKey,
      movementkind: said.movementKind,
      payment: text(said.paymentId),
      refund: text(said.refundId),
      unapplied: text(said.unappliedPaymentId),
      txn: said.gatewayTxnId,
      period: said.period,
      status: said.status,
      reason: said.reason,
      detail: said.detail,
      expected: text(said.expectedMinor),
      settled: text(said.settledMinor),
      feeexpected: text(said.feeExpectedMinor),
      feesettled: text(said.feeSettledMinor),
      bookedapp: text(said.bookedApplicationId),
      booked: said.booked,
      convertedcurrency: said.convertedCurrency,
      converted: text(said.convertedMinor),
      superseded: String(said.superseded),
      accepted: String(said.accepted),
    })),
  );
}

function text(value: bigint | null): string | null {
  return value === null ? null : value.toString();
}

const INSERT = statement((db, $: Given<AtGateway & { runId: bigint | null; results: string }>) =>
  db
    .insertInto('reconciliation_results')
    .columns([
      'mode',
      'gateway',
      'storeId',
      'applicationId',
      'lineId',
      'lineKind',
      'currency',
      'movementKey',
      'movementKind',
      'paymentId',
      'refundId',
      'unappliedPaymentId',
      'gatewayTxnId',
      'period',
      'status',
      'reason',
      'detail',
      'expectedMinor',
      'settledMinor',
      'feeExpectedMinor',
      'feeSettledMinor',
      'bookedApplicationId',
      'booked',
      'convertedCurrency',
      'convertedMinor',
      'runId',
    ])
    .expression((eb) =>
      eb
        .selectFrom(recordsOf($('results'), 's', MEMBERS))
        .select([
          sql`${$('mode')}::text`.as('mode'),
          sql`${$('gateway')}::text`.as('gateway'),
          's.store',
          's.app',
          's.line',
          's.linekind',
          's.currency',
          's.movement',
          's.movementkind',
          's.payment',
          's.refund',
          's.unapplied',
          's.txn',
          's.period',
          's.status',
          's.reason',
          's.detail',
          's.expected',
          's.settled',
          's.feeexpected',
          's.feesettled',
          's.bookedapp',
          's.booked',
          's.convertedcurrency',
          's.converted',
          sql`${$('runId')}::bigint`.as('runId'),
        ]),
    ),
);

const UPDATE = statement((db, $: Given<{ runId: bigint | null; results: string }>) =>
  db
    .updateTable('reconciliation_results as r')
    .from(recordsOf($('results'), 's', MEMBERS))
    .set((eb) => ({
      storeId: eb.ref('s.store'),
      applicationId: eb.ref('s.app'),
      lineId: eb.ref('s.line'),
      lineKind: sql`s.linekind`,
      currency: eb.ref('s.currency'),
      movementKey: eb.ref('s.movement'),
      movementKind: sql`s.movementkind`,
      paymentId: eb.ref('s.payment'),
      refundId: eb.ref('s.refund'),
      unappliedPaymentId: eb.ref('s.unapplied'),
      gatewayTxnId: eb.ref('s.txn'),
      period: eb.ref('s.period'),
      status: sql`s.status`,
      reason: eb.ref('s.reason'),
      detail: eb.ref('s.detail'),
      expectedMinor: eb.ref('s.expected'),
      settledMinor: eb.ref('s.settled'),
      feeExpectedMinor: eb.ref('s.feeexpected'),
      feeSettledMinor: eb.ref('s.feesettled'),
      bookedApplicationId: eb.ref('s.bookedapp'),
      booked: eb.ref('s.booked'),
      convertedCurrency: eb.ref('s.convertedcurrency'),
      convertedMinor: eb.ref('s.converted'),
      superseded: sql<boolean>`s.superseded::boolean`,
      acceptedAt: sql<Date | null>`case when s.accepted::boolean then r.accepted_at end`,
      runId: sql<bigint | null>`coalesce(${$('runId')}::bigint, r.run_id)`,
      revision: sql<number>`r.revision + 1`,
      updatedAt: now,
    }))
    .whereRef('r.id', '=', 's.id'),
);

/** Writes what a run says: a new row for each without an id. */
export async function saveResults(
  statements: Statements,
  {
    mode,
    gateway,
    runId,
    results,
  }: AtGateway & { readonly runId: bigint | null; readonly results: readonly SaidResult[] },
): Promise<void> {
  const [added, changed] = [results.filter(({ id }) => id === null), results.filter(({ id }) => id !== null)];
  // First, so that a line can take over the row of its movement before another row for the movement appears.
  if (changed.length > 0) {
    await UPDATE.all(statements, { runId, results: jsonOf(changed) });
  }
  if (added.length > 0) {
    await INSERT.all(statements, { mode, gateway, runId, results: jsonOf(added) });
  }
}
