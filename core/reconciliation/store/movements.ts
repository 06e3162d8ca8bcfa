import { expressionBuilder, sql, type Kysely } from 'kysely';
import type { Statements } from '../../../database/statements.ts';
import type { Tables } from '../../../database/tables.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import type { Mode } from '../../../domain/mode.ts';
import { PAID_STATUSES } from '../../../domain/payment.ts';

/** Money at one gateway in one mode. */
export interface AtGateway {
  readonly mode: Mode;
  readonly gateway: string;
}

/** Charges that are posted for a payment: the attempt that finalized it. */
export function chargesOfPayments(db: Kysely<Tables>, $: Given<AtGateway>) {
  return db
    .selectFrom('payment_attempts as t')
    .innerJoin('payments as p', 'p.id', 't.paymentId')
    .select([
      't.applicationId',
      't.paymentId',
      sql<bigint | null>`null::bigint`.as('unappliedPaymentId'),
      't.storeId',
      't.reference as attemptReference',
      't.validationId',
      't.gatewayTxnId',
      'p.currency',
      't.grossMinor',
      't.feeMinor',
      'p.endedAt as happenedAt',
    ])
    .where('t.mode', '=', $('mode'))
    .where('t.gateway', '=', $('gateway'))
    .where('t.confirmedAt', 'is not', null)
    .where('t.grossMinor', 'is not', null)
    .where('p.status', 'in', PAID_STATUSES)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('unapplied_payments as l')
            .select('l.id')
            .whereRef('l.attemptId', '=', 't.id')
            .whereRef('l.validationId', '=', 't.validationId')
            .where('l.kind', '=', 'late'),
        ),
      ),
    );
}

/** Charges that no payment took. */
export function unappliedCharges(db: Kysely<Tables>, $: Given<AtGateway>) {
  return db
    .selectFrom('unapplied_payments as l')
    .innerJoin('payment_attempts as t', 't.id', 'l.attemptId')
    .select([
      'l.applicationId',
      'l.paymentId',
      sql<bigint | null>`l.id`.as('unappliedPaymentId'),
      't.storeId',
      't.reference as attemptReference',
      sql<string | null>`l.validation_id`.as('validationId'),
      sql<string | null>`l.gateway_txn_id`.as('gatewayTxnId'),
      'l.currency',
      sql<bigint | null>`l.gross_minor`.as('grossMinor'),
      sql<bigint | null>`l.fee_minor`.as('feeMinor'),
      sql<Date | null>`l.created_at`.as('happenedAt'),
    ])
    .where('l.mode', '=', $('mode'))
    .where('l.gateway', '=', $('gateway'))
    .where('l.kind', '=', 'late');
}

const BY_KEYS = statement((db, $: Given<AtGateway & { keys: readonly string[] }>) => {
  const keys = sql<string>`any(${$('keys')})`;
  return chargesOfPayments(db, $)
    .where('t.reference', '=', keys)
    .union(chargesOfPayments(db, $).where('t.gatewayTxnId', '=', keys))
    .unionAll(
      unappliedCharges(db, $).where((eb) => eb.or([eb('t.reference', '=', keys), eb('l.gatewayTxnId', '=', keys)])),
    );
});

/** A charge as the books hold it. */
export type ChargeRow = RowOf<typeof BY_KEYS>;

/** Returns the charges that have one of these references. */
export function findCharges(
  statements: Statements,
  wanted: AtGateway & { readonly keys: readonly string[] },
): Promise<ChargeRow[]> {
  return BY_KEYS.all(statements, wanted);
}

/** Refunds that succeeded, at least once. */
export function refunds(db: Kysely<Tables>, $: Given<AtGateway>) {
  return db
    .selectFrom('refunds as r')
    .leftJoin('unapplied_payments as l', 'l.id', 'r.unappliedPaymentId')
    .leftJoin('payment_attempts as t', (join) =>
      join.on((eb) =>
        eb.or([
          eb.and([eb('r.unappliedPaymentId', 'is not', null), eb('t.id', '=', eb.ref('l.attemptId'))]),
          eb.and([
            eb('r.unappliedPaymentId', 'is', null),
            eb('t.paymentId', '=', eb.ref('r.paymentId')),
            eb('t.confirmedAt', 'is not', null),
          ]),
        ]),
      ),
    )
    .select([
      'r.applicationId',
      'r.paymentId',
      'r.id as refundId',
      'r.unappliedPaymentId',
      'r.storeId',
      'r.reference',
      'r.gatewayTxnId',
      'r.gatewayRefundId',
      't.reference as attemptReference',
      'r.currency',
      'r.amountMinor',
      'r.status',
      'r.succeededAt',
    ])
    .where('r.mode', '=', $('mode'))
    .where('r.gateway', '=', $('gateway'))
    .where('r.succeededAt', 'is not', null);
}

const REFUNDS = statement((db, $: Given<AtGateway & { keys: readonly string[]; paymentIds: readonly bigint[] }>) => {
  const keys = sql<string>`any(${$('keys')})`;
  return refunds(db, $)
    .where('r.paymentId', '=', sql<bigint>`any(${$('paymentIds')})`)
    .union(refunds(db, $).where('r.reference', '=', keys))
    .union(refunds(db, $).where('r.gatewayRefundId', '=', keys));
});

/** A refund that succeeded, at least once. */
export type RefundRow = RowOf<typeof REFUNDS>;

/** Returns the refunds that have one of these references, and those of these payments. */
export function findRefunds(
  statements: Statements,
  wanted: AtGateway & { readonly keys: readonly string[]; readonly paymentIds: readonly bigint[] },
): Promise<RefundRow[]> {
  return REFUNDS.all(statements, wanted);
}

const PENDING_ATTEMPTS = statement((db, $: Given<AtGateway & { keys: readonly string[] }>) => {
  const keys = sql<string>`any(${$('keys')})`;
  const pending = () =>
    db
      .selectFrom('payment_attempts as t')
      .innerJoin('payments as p', 'p.id', 't.paymentId')
      .select(['t.reference', 't.gatewayTxnId'])
      .where('t.mode', '=', $('mode'))
      .where('t.gateway', '=', $('gateway'))
      .where((eb) =>
        eb.or([
          eb('t.status', 'in', ['CREATED', 'OPEN', 'UNKNOWN']),
          eb.and([eb('t.status', '=', 'CONFIRMED'), eb('p.status', 'in', ['CREATED', 'PENDING'])]),
        ]),
      );
  return pending()
    .where('t.reference', '=', keys)
    .union(pending().where('t.gatewayTxnId', '=', keys));
});
const PENDING_REFUNDS = statement(
  (db, $: Given<AtGateway & { keys: readonly string[]; paymentIds: readonly bigint[] }>) => {
    const pending = () =>
      db
        .selectFrom('refunds')
        .select(['reference', 'gatewayRefundId', 'gatewayTxnId'])
        .where('mode', '=', $('mode'))
        .where('gateway', '=', $('gateway'))
        .where('status', '=', 'PENDING');
    return pending()
      .where('paymentId', '=', sql<bigint>`any(${$('paymentIds')})`)
      .union(pending().where('reference', '=', sql<string>`any(${$('keys')})`))
      .union(pending().where('gatewayRefundId', '=', sql<string>`any(${$('keys')})`));
  },
);

/** Returns the references of what may still become a movement. */
export async function findPending(
  statements: Statements,
  wanted: AtGateway & { readonly keys: readonly string[]; readonly paymentIds: readonly bigint[] },
): Promise<ReadonlySet<string>> {
  const attempts = await PENDING_ATTEMPTS.all(statements, wanted);
  const pendingRefunds = await PENDING_REFUNDS.all(statements, wanted);
  const references = [
    ...attempts.flatMap(({ reference, gatewayTxnId }) => [reference, gatewayTxnId]),
    ...pendingRefunds.flatMap(({ reference, gatewayRefundId, gatewayTxnId }) => [
      reference,
      gatewayRefundId,
      gatewayTxnId,
    ]),
  ];
  return new Set(references.filter((reference) => reference !== null));
}

interface Page {
  readonly after: bigint;
  readonly limit: number;
}

interface Day extends AtGateway, Page {
  readonly from: Date;
  /** Exclusive. */
  readonly before: Date;
}

const isOf = expressionBuilder<Tables & { p: Tables['payments'] }, 'p'>();
const CHARGES_OF_DAY = statement((db, $: Given<Day>) =>
  db
    .selectFrom('payments as p')
    .innerJoin('payment_attempts as t', (join) =>
      join.onRef('t.paymentId', '=', 'p.id').on('t.confirmedAt', 'is not', null),
    )
    .select(['p.id', 't.reference'])
    .where('p.mode', '=', $('mode'))
    .where('t.gateway', '=', $('gateway'))
    .where('p.status', 'in', PAID_STATUSES)
    .where(isOf('p.endedAt', '>=', $('from')))
    .where(isOf('p.endedAt', '<', $('before')))
    .where('p.id', '>', $('after'))
    .orderBy('p.id')
    .limit($('limit')),
);
const UNAPPLIED_OF_DAY = statement((db, $: Given<Day>) =>
  db
    .selectFrom('unapplied_payments as l')
    .innerJoin('payment_attempts as t', 't.id', 'l.attemptId')
    .select(['l.id', 't.reference'])
    .where('l.mode', '=', $('mode'))
    .where('l.gateway', '=', $('gateway'))
    .where('l.kind', '=', 'late')
    .where('l.createdAt', '>=', $('from'))
    .where('l.createdAt', '<', $('before'))
    .where('l.id', '>', $('after'))
    .orderBy('l.id')
    .limit($('limit')),
);
const REFUNDS_OF_DAY = statement((db, $: Given<Day>) =>
  db
    .selectFrom('refunds as r')
    .select(['r.id', 'r.reference'])
    .where('r.mode', '=', $('mode'))
    .where('r.gateway', '=', $('gateway'))
    .where('r.succeededAt', '>=', $('from'))
    .where('r.succeededAt', '<', $('before'))
    .where('r.id', '>', $('after'))
    .orderBy('r.id')
    .limit($('limit')),
);

/** Of any day: what people have said of a refund since its lines were judged may make another difference of them. */
const REFUNDS_BY_WORD = statement((db, $: Given<AtGateway & Page>) =>
  db
    .selectFrom('reconciliation_cases as c')
    .innerJoin('refunds as r', 'r.id', 'c.refundId')
    .select(['r.id', 'r.reference'])
    .where('c.kind', '=', 'refund-by-word')
    .where('c.state', '<>', 'RESOLVED')
    .where('c.mode', '=', $('mode'))
    .where('c.gateway', '=', $('gateway'))
    .where('r.succeededAt', 'is not', null)
    .where('r.id', '>', $('after'))
    .orderBy('r.id')
    .limit($('limit')),
);

/** The kinds of movements, in the order in which a run looks for them. */
export const MOVEMENT_SOURCES = ['payments', 'unapplied', 'refunds', 'refunds-by-word'] as const;
export type MovementSource = (typeof MOVEMENT_SOURCES)[number];

/** Returns a page of the movements of a day, and of the refunds that wait for a line to confirm people's word: a row's id, to go on after it, and a reference by which the movement is found. */
export function movementsOfDay(
  statements: Statements,
  source: MovementSource,
  day: Day,
): Promise<{ readonly id: bigint; readonly reference: string }[]> {
  switch (source) {
    case 'payments':
      return CHARGES_OF_DAY.all(statements, day);
    case 'unapplied':
      return UNAPPLIED_OF_DAY.all(statements, day);
    case 'refunds':
      return REFUNDS_OF_DAY.all(statements, day);
    case 'refunds-by-word':
      return REFUNDS_BY_WORD.all(statements, {
        mode: day.mode,
        gateway: day.gateway,
        after: day.after,
        limit: day.limit,
      });
  }
}
