import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import type { Mode } from '../../../domain/mode.ts';
import { APPLICATION_CHANGES, OPERATOR_CHANGES, type ChangeKind } from '../../../domain/pending-change.ts';
import type { UpdateKind } from '../../../domain/updates.ts';

/** The most rows of a table in one read. More is a flood, which is not told row by row. */
export const ROWS_MAX = 1_000;

/** A thing in a list, by the id that its path has. */
export interface Changed {
  readonly kind: UpdateKind;
  readonly id: string;
}

/** A row that was written, and what has changed with it. */
export interface WrittenRow {
  readonly position: bigint;
  /** Null for what belongs to both modes. */
  readonly mode: Mode | null;
  readonly changed: readonly Changed[];
}

/** A table whose ids ascend, and that gets a row when something has changed. */
export interface WrittenTable {
  readonly name: TableName;
  /** Returns the id of the newest row; 0 without one. */
  newest(statements: Statements): Promise<bigint>;
  /** Returns the rows behind a position, oldest first, at most `ROWS_MAX`. */
  rowsAfter(statements: Statements, position: bigint): Promise<readonly WrittenRow[]>;
}

type PaymentTable = 'payment_attempts' | 'refunds' | 'unapplied_payments' | 'disputes' | 'manual_submissions';
type ReferencedTable = 'payouts' | 'payout_files' | 'reconciliation_cases';
type TableName =
  | 'payments'
  | 'invoices'
  | 'webhook_events'
  | 'gateway_callbacks'
  | 'pending_changes'
  | 'audit_logs'
  | PaymentTable
  | ReferencedTable;

interface After {
  readonly position: bigint;
  readonly limit: number;
}

const PAYMENTS = statement((db, $: Given<After>) =>
  db.selectFrom('payments').select(['id', 'mode']).where('id', '>', $('position')).orderBy('id').limit($('limit')),
);

const INVOICES = statement((db, $: Given<After>) =>
  db.selectFrom('invoices').select(['id', 'mode']).where('id', '>', $('position')).orderBy('id').limit($('limit')),
);

/** Whatever ends has an event, also where nobody receives it. */
const EVENTS = statement((db, $: Given<After>) =>
  db
    .selectFrom('webhook_events')
    .select(['id', 'mode', 'paymentId', 'invoiceId'])
    .where('id', '>', $('position'))
    .orderBy('id')
    .limit($('limit')),
);

const CALLBACKS = statement((db, $: Given<After>) =>
  db
    .selectFrom('gateway_callbacks')
    .select(['id', 'mode', 'paymentId'])
    .where('id', '>', $('position'))
    .orderBy('id')
    .limit($('limit')),
);

const CHANGES = statement((db, $: Given<After>) =>
  db
    .selectFrom('pending_changes')
    .select(['id', 'mode', 'kind'])
    .where('id', '>', $('position'))
    .orderBy('id')
    .limit($('limit')),
);

const ACTIONS = statement((db, $: Given<After>) =>
  db
    .selectFrom('audit_logs')
    .select(['id', 'mode', 'targetType', 'targetId'])
    .where('id', '>', $('position'))
    .orderBy('id')
    .limit($('limit')),
);

const ofPayment = (name: PaymentTable) =>
  statement((db, $: Given<After>) =>
    db
      .selectFrom(name)
      .select(['id', 'mode', 'paymentId'])
      .where('id', '>', $('position'))
      .orderBy('id')
      .limit($('limit')),
  );

const referenced = (name: ReferencedTable) =>
  statement((db, $: Given<After>) =>
    db
      .selectFrom(name)
      .select(['id', 'mode', 'reference'])
      .where('id', '>', $('position'))
      .orderBy('id')
      .limit($('limit')),
  );

/** What people do to a thing is an update of it. */
const LIST_OF_TARGET: Readonly<Partial<Record<string, UpdateKind>>> = {
  payment: 'payments',
  refund: 'refunds',
  'unapplied-payment': 'unapplied-payments',
  'manual-payment': 'manual-payments',
  payout: 'payouts',
  'payout-file': 'payout-files',
  'reconciliation-case': 'reconciliation-cases',
};

/** Every table that tells of updates. */
export const WRITTEN_TABLES: readonly WrittenTable[] = [
  written('payments', PAYMENTS, ({ id }) => [one('payments', id)]),
  written('payment_attempts', ofPayment('payment_attempts'), ({ paymentId }) => [one('payments', paymentId)]),
  written('webhook_events', EVENTS, ({ id, paymentId, invoiceId }) => [
    one('webhooks', id),
    ...(paymentId === null ? [] : [one('payments', paymentId)]),
    ...(invoiceId === null ? [] : [one('invoices', invoiceId)]),
  ]),
  written('gateway_callbacks', CALLBACKS, ({ id, paymentId }) => [
    one('gateway-callbacks', id),
    ...(paymentId === null ? [] : [one('payments', paymentId)]),
  ]),
  writtenOfPayment('refunds', 'refunds'),
  writtenOfPayment('unapplied_payments', 'unapplied-payments'),
  writtenOfPayment('disputes', 'disputes'),
  writtenOfPayment('manual_submissions', 'manual-payments'),
  written('invoices', INVOICES, ({ id }) => [one('invoices', id)]),
  written('payouts', referenced('payouts'), ({ reference }) => [one('payouts', reference)]),
  written('payout_files', referenced('payout_files'), ({ reference }) => [one('payout-files', reference)]),
  written('reconciliation_cases', referenced('reconciliation_cases'), ({ reference }) => [
    one('reconciliation-cases', reference),
  ]),
  written('pending_changes', CHANGES, ({ id, kind }) => [one(listOfChange(kind), id)]),
  written('audit_logs', ACTIONS, ({ targetType, targetId }) => {
    const kind = LIST_OF_TARGET[targetType];
    return kind === undefined ? [] : [one(kind, targetId)];
  }),
];

interface IdentifiedRow {
  readonly id: bigint;
  readonly mode: Mode | null;
}

function written<Row extends IdentifiedRow>(
  name: TableName,
  rows: {
    all(statements: Statements, values: After): Promise<Row[]>;
  },
  changed: (row: Row) => readonly Changed[],
): WrittenTable {
  const newest = statement((db, _none: Given<object>) =>
    db.selectFrom(name).select('id').orderBy('id', 'desc').limit(1),
  );
  return {
    name,
    newest: async (statements) => (await newest.first(statements, {}))?.id ?? 0n,
    rowsAfter: async (statements, position) =>
      (await rows.all(statements, { position, limit: ROWS_MAX })).map((row) => ({
        position: row.id,
        mode: row.mode,
        changed: changed(row),
      })),
  };
}

function writtenOfPayment(name: PaymentTable, kind: UpdateKind): WrittenTable {
  return written(name, ofPayment(name), ({ id, paymentId }) => [one(kind, id), one('payments', paymentId)]);
}

function one(kind: UpdateKind, id: bigint | string): Changed {
  return { kind, id: id.toString() };
}

function listOfChange(kind: ChangeKind): UpdateKind {
  const isAmong = (kinds: readonly ChangeKind[]): boolean => kinds.includes(kind);
  if (isAmong(APPLICATION_CHANGES)) {
    return 'pending-changes';
  }
  return isAmong(OPERATOR_CHANGES) ? 'pending-operator-changes' : 'pending-reconciliation-changes';
}
