import { expressionBuilder, sql } from 'kysely';
import type { Scope } from '../../database/connection.ts';
import {
  aheadSecondsOf,
  clock,
  constantSpan,
  minus,
  now,
  plus,
  recordsOf,
  rowOf,
  span,
  timeOf,
} from '../../database/expressions.ts';
import type { Statements } from '../../database/statements.ts';
import type { Tables } from '../../database/tables.ts';
import { statement, type Given, type RowOf } from '../../database/typed-statements.ts';
import { notFound } from '../../domain/errors.ts';
import type { ClockedWorkflow } from '../../domain/test-clock.ts';

/** An object whose clock can be moved. A delivery is named by its event's public id. */
export type ClockedName =
  | { readonly object: 'payment' | 'invoice' | 'refund'; readonly id: bigint }
  | { readonly object: 'delivery'; readonly id: string };

/** An object, and the payment or invoice whose clock it follows. */
export interface Clocked extends Scope {
  readonly object: ClockedName['object'];
  readonly workflow: ClockedWorkflow;
  readonly reference: string;
  readonly paymentId: bigint | null;
  readonly invoiceId: bigint | null;
}

const NO_ID = sql<bigint | null>`null::bigint`;

const FIND_PAYMENT = statement((db, $: Given<{ id: bigint }>) =>
  db
    .selectFrom('payments')
    .select(['applicationId', 'mode', 'reference', 'id as paymentId', NO_ID.as('invoiceId')])
    .where('id', '=', $('id')),
);

const FIND_INVOICE = statement((db, $: Given<{ id: bigint }>) =>
  db
    .selectFrom('invoices')
    .select(['applicationId', 'mode', 'reference', NO_ID.as('paymentId'), 'id as invoiceId'])
    .where('id', '=', $('id')),
);

const FIND_REFUND = statement((db, $: Given<{ id: bigint }>) =>
  db
    .selectFrom('refunds')
    .select(['applicationId', 'mode', 'reference', 'paymentId', NO_ID.as('invoiceId')])
    .where('id', '=', $('id')),
);

const FIND_EVENT = statement((db, $: Given<{ eventId: string }>) =>
  db
    .selectFrom('webhook_events')
    .select(['applicationId', 'mode', 'eventId as reference', 'paymentId', 'invoiceId'])
    .where('eventId', '=', $('eventId')),
);

/** Throws RESOURCE_NOT_FOUND if the transaction's scope or view has no such object. */
export async function findClocked(statements: Statements, name: ClockedName): Promise<Clocked> {
  const found = await find(statements, name);
  if (found === undefined) {
    throw notFound(name.object);
  }
  const { object } = name;
  return { ...found, object, workflow: object === 'delivery' ? 'webhook' : object };
}

async function find(
  statements: Statements,
  name: ClockedName,
): Promise<Omit<Clocked, 'object' | 'workflow'> | undefined> {
  switch (name.object) {
    case 'payment':
      return FIND_PAYMENT.first(statements, name);
    case 'invoice':
      return FIND_INVOICE.first(statements, name);
    case 'refund':
      return FIND_REFUND.first(statements, name);
    case 'delivery':
      return FIND_EVENT.first(statements, { eventId: name.id });
  }
}

/** The rows whose clocks move together: a payment, or an invoice with its payments. */
export interface Clocks {
  readonly paymentIds: readonly bigint[];
  readonly invoiceId: bigint | null;
}

const LOCK_INVOICE = statement((db, $: Given<{ invoiceId: bigint }>) =>
  db.selectFrom('invoices').select('id').where('id', '=', $('invoiceId')).forUpdate(),
);

const LOCK_PAYMENT = statement((db, $: Given<{ paymentId: bigint }>) =>
  db.selectFrom('payments').select('id').where('id', '=', $('paymentId')).forUpdate(),
);

const LOCK_PAYMENTS_OF = statement((db, $: Given<{ invoiceId: bigint }>) =>
  db.selectFrom('payments').select('id').where('invoiceId', '=', $('invoiceId')).orderBy('id').forUpdate(),
);

/** Locks the clocks that move with what was found, in the order of all locks. */
export async function lockClocks(statements: Statements, { paymentId, invoiceId }: Clocked): Promise<Clocks> {
  if (paymentId !== null) {
    await LOCK_PAYMENT.all(statements, { paymentId });
    return { paymentIds: [paymentId], invoiceId: null };
  }
  if (invoiceId === null) {
    return { paymentIds: [], invoiceId: null };
  }
  await LOCK_INVOICE.all(statements, { invoiceId });
  const payments = await LOCK_PAYMENTS_OF.all(statements, { invoiceId });
  return { paymentIds: payments.map(({ id }) => id), invoiceId };
}

const READ_CLOCKS = statement((db, $: Given<Clocks>) =>
  db
    .selectFrom('payments')
    .select((eb) => [
      aheadSecondsOf(eb.ref('clockOffset')).as('aheadSeconds'),
      timeOf(eb.ref('clockOffset')).as('time'),
      eb
        .case()
        .when('endedAt', 'is', null)
        .then(eb.cast<Date | null>('expiresAt', 'timestamptz'))
        .else(sql<null>`null`)
        .end()
        .as('expiresAt'),
    ])
    .where('id', '=', (eb) => eb.fn.any($('paymentIds')))
    .unionAll(
      db
        .selectFrom('invoices')
        .select((eb) => [
          aheadSecondsOf(eb.ref('clockOffset')).as('aheadSeconds'),
          timeOf(eb.ref('clockOffset')).as('time'),
          eb
            .case()
            .when('voidedAt', 'is', null)
            .then(eb.ref('expiresAt'))
            .else(sql<null>`null`)
            .end()
            .as('expiresAt'),
        ])
        .where('id', '=', $('invoiceId')),
    ),
);

/** `expiresAt` is null if the object does not expire, or has ended. */
export type ClockRow = RowOf<typeof READ_CLOCKS>;

/** Reads clocks that the transaction has locked. */
export function readClocks(statements: Statements, clocks: Clocks): Promise<ClockRow[]> {
  return READ_CLOCKS.all(statements, clocks);
}

const READ_APPROVAL = statement((db, $: Given<{ reference: string }>) =>
  db
    .selectFrom('refunds')
    .select('approvalDueAt')
    .where('reference', '=', $('reference'))
    .where('status', '=', 'AWAITING_APPROVAL'),
);

/** Returns when the time for the approval of a refund is over, or null if it waits for none. */
export async function readApprovalDue(statements: Statements, reference: string): Promise<Date | null> {
  return (await READ_APPROVAL.first(statements, { reference }))?.approvalDueAt ?? null;
}

/** The undelivered events of the clocks, or the one that is named. */
interface Waiting extends Clocks {
  readonly eventId: string | null;
}

function waitingFor($: Given<Waiting>) {
  const eb = expressionBuilder<Tables, 'webhook_events'>();
  return eb.and([
    eb('deliveryStatus', '=', 'RETRYING'),
    eb('nextAttemptAt', 'is not', null),
    eb.or([eb('paymentId', '=', eb.fn.any($('paymentIds'))), eb('invoiceId', '=', $('invoiceId'))]),
    eb('eventId', '=', eb.fn.coalesce(eb.cast<string | null>($('eventId'), 'text'), 'eventId')),
  ]);
}

const NEXT_ATTEMPT = statement((db, $: Given<Waiting>) =>
  db
    .selectFrom('webhook_events')
    .select((eb) => [
      eb
        .cast<number | null>(
          sql`ceil(extract(epoch from greatest(${minus(sql.ref('nextAttemptAt'), now)}, ${constantSpan('0 seconds')})))`,
          'integer',
        )
        .as('inSeconds'),
    ])
    .where(waitingFor($))
    .orderBy('nextAttemptAt')
    .limit(1),
);

/** Returns the seconds until the next delivery attempt, or null if none is planned. Deliveries have the database's time. */
export async function nextAttemptInSeconds(statements: Statements, waiting: Waiting): Promise<number | null> {
  return (await NEXT_ATTEMPT.first(statements, waiting))?.inSeconds ?? null;
}

type Moved<What> = What & { readonly bySeconds: number };

const MOVE_PAYMENTS = statement((db, $: Given<Moved<Clocks>>) =>
  db
    .updateTable('payments')
    .set((eb) => ({
      clockOffset: sql<string>`${eb.ref('clockOffset')} + ${span($('bySeconds'), 'second')}`,
      // The sweeper starts the workflow if it does not run.
      nextSweepAt: now,
      updatedAt: now,
    }))
    .where('id', '=', (eb) => eb.fn.any($('paymentIds'))),
);

const MOVE_REFUNDS = statement((db, $: Given<Moved<Clocks>>) =>
  db
    .updateTable('refunds')
    .set((eb) => ({
      clockOffset: sql<string>`${eb.ref('clockOffset')} + ${span($('bySeconds'), 'second')}`,
      nextSweepAt: now,
      updatedAt: now,
    }))
    .where('paymentId', '=', (eb) => eb.fn.any($('paymentIds')))
    .returning(['reference', 'paymentId']),
);

const MOVE_INVOICE = statement((db, $: Given<Moved<{ invoiceId: bigint }>>) =>
  db
    .updateTable('invoices')
    .set((eb) => ({
      clockOffset: sql<string>`${eb.ref('clockOffset')} + ${span($('bySeconds'), 'second')}`,
      nextSweepAt: eb.case().when('nextSweepAt', 'is not', null).then(now).end(),
      updatedAt: now,
    }))
    .where('id', '=', $('invoiceId')),
);

const BRING_FORWARD = statement((db, $: Given<Moved<Waiting>>) => {
  const saved = sql`least(${span($('bySeconds'), 'second')}, greatest(${minus(sql.ref('due.nextAttemptAt'), now)}, ${constantSpan('0 seconds')}))`;
  return db
    .with('due', (q) =>
      q
        .selectFrom('webhook_events')
        .select(['id', 'nextAttemptAt', 'nextSweepAt'])
        .where(waitingFor($))
        .orderBy('id')
        .forUpdate(),
    )
    .updateTable('webhook_events as e')
    .from('due')
    .set({
      nextAttemptAt: minus(sql.ref('due.nextAttemptAt'), saved),
      nextSweepAt: minus(sql.ref('due.nextSweepAt'), saved),
      updatedAt: now,
    })
    .whereRef('e.id', '=', 'due.id')
    .returning([
      'e.eventId',
      'e.paymentId',
      'e.invoiceId',
      sql<number>`ceil(extract(epoch from ${saved}))::integer`.as('bySeconds'),
    ]);
});

const REFERENCES = statement((db, $: Given<Clocks>) =>
  db
    .selectFrom('payments')
    .select([sql.lit<ClockedWorkflow>('payment').as('workflow'), 'reference', 'id as paymentId'])
    .where('id', '=', (eb) => eb.fn.any($('paymentIds')))
    .unionAll(
      db
        .selectFrom('payment_attempts')
        .select([sql.lit<ClockedWorkflow>('unappliedPayment').as('workflow'), 'reference', 'paymentId'])
        .where('paymentId', '=', (eb) => eb.fn.any($('paymentIds'))),
    ),
);

/** The time that a workflow has to skip, and whose clock has moved. */
export interface NewSkip {
  readonly workflow: ClockedWorkflow;
  readonly reference: string;
  readonly paymentId: bigint | null;
  readonly invoiceId: bigint | null;
  readonly bySeconds: number;
}

/**
 * Moves the clocks and what follows them: refunds, and the next attempts of deliveries, at most to now. Returns what their workflows have to skip.
 */
export async function moveClocks(
  statements: Statements,
  clocks: Clocks,
  { bySeconds, invoice }: { readonly bySeconds: number; readonly invoice: string | null },
): Promise<NewSkip[]> {
  const { invoiceId } = clocks;
  await MOVE_PAYMENTS.all(statements, { ...clocks, bySeconds });
  const refunds = await MOVE_REFUNDS.all(statements, { ...clocks, bySeconds });
  if (invoiceId !== null) {
    await MOVE_INVOICE.all(statements, { invoiceId, bySeconds });
  }
  const references = await REFERENCES.all(statements, clocks);
  const ofPayments = [...references, ...refunds.map((refund) => ({ ...refund, workflow: 'refund' as const }))];
  return [
    ...(invoice === null
      ? []
      : [{ workflow: 'invoice' as const, reference: invoice, paymentId: null, invoiceId, bySeconds }]),
    ...ofPayments.map((of) => ({ ...of, invoiceId: null, bySeconds })),
    ...(await bringForward(statements, { ...clocks, eventId: null, bySeconds })),
  ];
}

/** Brings the next attempts of deliveries forward, at most to now. Returns what their workflows have to skip. */
export async function bringForward(statements: Statements, waiting: Moved<Waiting>): Promise<NewSkip[]> {
  const events = await BRING_FORWARD.all(statements, waiting);
  return events
    .filter(({ bySeconds }) => bySeconds > 0)
    .map(({ eventId: reference, ...of }) => ({ ...of, workflow: 'webhook' as const, reference }));
}

const INSERT_SKIPS = statement((db, $: Given<Scope & { skips: string }>) => {
  const source = db.selectFrom(
    recordsOf($('skips'), 's', {
      skip: 'text',
      workflow: 'text',
      reference: 'text',
      payment: 'bigint',
      invoice: 'bigint',
      seconds: 'integer',
    }),
  );
  const eb = expressionBuilder(source);
  const row = rowOf('clock_skips', {
    applicationId: eb.cast<bigint>($('applicationId'), 'bigint'),
    mode: $('mode'),
    paymentId: eb.ref('s.payment'),
    invoiceId: eb.ref('s.invoice'),
    skipId: eb.ref('s.skip'),
    workflow: eb.ref('s.workflow').$castTo<ClockedWorkflow>(),
    reference: eb.ref('s.reference'),
    bySeconds: eb.ref('s.seconds'),
    claimedUntil: clock,
  });
  return db.insertInto('clock_skips').columns(row.columns).expression(source.select(row.values));
});

export async function insertSkips(
  statements: Statements,
  { applicationId, mode }: Scope,
  skips: readonly (NewSkip & { readonly skipId: string })[],
): Promise<void> {
  const rows = skips.map(({ skipId, workflow, reference, paymentId, invoiceId, bySeconds }) => ({
    skip: skipId,
    workflow,
    reference,
    payment: paymentId?.toString() ?? null,
    invoice: invoiceId?.toString() ?? null,
    seconds: bySeconds,
  }));
  await INSERT_SKIPS.all(statements, { applicationId, mode, skips: JSON.stringify(rows) });
}

function skipsOf($: Given<Clocks>) {
  const eb = expressionBuilder<Tables, 'clock_skips'>();
  return eb.or([eb('paymentId', '=', eb.fn.any($('paymentIds'))), eb('invoiceId', '=', $('invoiceId'))]);
}

const READ_SKIPS = statement((db, $: Given<Clocks>) =>
  db
    .selectFrom('clock_skips')
    .select((eb) => [
      'skipId',
      'workflow',
      'reference',
      'bySeconds',
      eb('claimedUntil', '>', clock).$castTo<boolean>().as('isClaimed'),
    ])
    .where(skipsOf($))
    .orderBy('id'),
);

export type Skip = RowOf<typeof READ_SKIPS>;

/** Returns what the workflows of the clocks still have to skip, in the order in which it came. */
export function readSkips(statements: Statements, clocks: Clocks): Promise<Skip[]> {
  return READ_SKIPS.all(statements, clocks);
}

const CLAIM_SKIPS = statement((db, $: Given<Clocks & { leaseSeconds: number }>) =>
  db
    .updateTable('clock_skips')
    .set({ claimedUntil: plus(clock, span($('leaseSeconds'), 'second')) })
    .where(skipsOf($)),
);

/** Claims them for this process. The caller has locked the clocks. */
export async function claimSkips(statements: Statements, clocks: Clocks, leaseSeconds: number): Promise<void> {
  await CLAIM_SKIPS.all(statements, { ...clocks, leaseSeconds });
}

const DELETE_SKIPS = statement((db, $: Given<{ skipIds: readonly string[] }>) =>
  db.deleteFrom('clock_skips').where('skipId', '=', (eb) => eb.fn.any($('skipIds'))),
);

const RELEASE_SKIPS = statement((db, $: Given<{ skipIds: readonly string[] }>) =>
  db
    .updateTable('clock_skips')
    .set({ claimedUntil: clock })
    .where('skipId', '=', (eb) => eb.fn.any($('skipIds'))),
);

/** Forgets the skips that were made, and leaves the others to whoever asks next. */
export async function settleSkips(
  statements: Statements,
  { made, left }: { readonly made: readonly string[]; readonly left: readonly string[] },
): Promise<void> {
  await DELETE_SKIPS.all(statements, { skipIds: made });
  await RELEASE_SKIPS.all(statements, { skipIds: left });
}
