import { sql, type Kysely } from 'kysely';
import type { Statements } from '../../../database/statements.ts';
import type { Tables } from '../../../database/tables.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import { MODES } from '../../../domain/mode.ts';
import type { FoundBy, SearchKind, SearchTerms } from '../../../domain/search.ts';

/** The most of one kind that are found in one way: the newest. */
const HITS_MAX = 10;

function by(way: FoundBy) {
  return sql.lit<FoundBy>(way).as('foundBy');
}

function payments(db: Kysely<Tables>, way: FoundBy) {
  return db
    .selectFrom('payments as p')
    .innerJoin('applications as a', 'a.id', 'p.applicationId')
    .select((eb) => [
      by(way),
      'p.id',
      'p.reference',
      eb.cast<bigint | null>('p.applicationId', 'bigint').as('applicationId'),
      eb.cast<string | null>('a.name', 'text').as('applicationName'),
      'p.mode',
      eb.cast<string>('p.status', 'text').as('status'),
      eb.cast<bigint | null>('p.amountMinor', 'bigint').as('amountMinor'),
      eb.cast<string | null>('p.currency', 'text').as('currency'),
      'p.createdAt',
    ])
    .limit(HITS_MAX);
}

const PAYMENTS = [
  statement((db, $: Given<SearchTerms>) => payments(db, 'reference').where('p.reference', '=', $('text'))),
  statement((db, $: Given<SearchTerms>) =>
    payments(db, 'attempt-reference').where('p.id', 'in', (eb) =>
      eb.selectFrom('payment_attempts').select('paymentId').where('reference', '=', $('text')),
    ),
  ),
  statement((db, $: Given<SearchTerms>) =>
    payments(db, 'gateway-transaction-id')
      .where('p.id', 'in', (eb) =>
        eb.selectFrom('payment_attempts').select('paymentId').where('gatewayTxnId', '=', $('text')),
      )
      .orderBy('p.id', 'desc'),
  ),
  // The indexes of the next two begin with the application and the mode.
  statement((db, $: Given<SearchTerms>) =>
    payments(db, 'merchant-reference')
      .where('p.contract', '=', 'shadhinpay')
      .where('p.applicationId', 'in', (eb) => eb.selectFrom('applications').select('id'))
      .where('p.mode', 'in', MODES)
      .where('p.merchantReference', '=', $('text'))
      .orderBy('p.id', 'desc'),
  ),
  statement((db, $: Given<SearchTerms>) =>
    payments(db, 'customer-reference')
      .where('p.applicationId', 'in', (eb) => eb.selectFrom('applications').select('id'))
      .where('p.mode', 'in', MODES)
      .where('p.customerReference', '=', $('text'))
      .orderBy('p.id', 'desc'),
  ),
  statement((db, $: Given<SearchTerms>) =>
    payments(db, 'amount')
      .where('p.amountMinor', '=', $('amountMinor'))
      .orderBy('p.amountMinor', 'desc')
      .orderBy('p.id', 'desc'),
  ),
];

/** What a search has found. */
export type Hit = RowOf<(typeof PAYMENTS)[number]>;

function refunds(db: Kysely<Tables>, way: FoundBy) {
  return db
    .selectFrom('refunds as r')
    .innerJoin('applications as a', 'a.id', 'r.applicationId')
    .select((eb) => [
      by(way),
      'r.id',
      'r.reference',
      eb.cast<bigint | null>('r.applicationId', 'bigint').as('applicationId'),
      eb.cast<string | null>('a.name', 'text').as('applicationName'),
      'r.mode',
      eb.cast<string>('r.status', 'text').as('status'),
      eb.cast<bigint | null>('r.amountMinor', 'bigint').as('amountMinor'),
      eb.cast<string | null>('r.currency', 'text').as('currency'),
      'r.createdAt',
    ])
    .limit(HITS_MAX);
}

const REFUNDS = [
  statement((db, $: Given<SearchTerms>) => refunds(db, 'reference').where('r.reference', '=', $('text'))),
  // The index begins with the gateway, of which there are few; Postgres skips from one to the next.
  statement((db, $: Given<SearchTerms>) =>
    refunds(db, 'gateway-refund-id').where('r.gatewayRefundId', '=', $('text')).orderBy('r.id', 'desc'),
  ),
];

function invoices(db: Kysely<Tables>, way: FoundBy) {
  return db
    .selectFrom('invoices as i')
    .innerJoin('applications as a', 'a.id', 'i.applicationId')
    .select((eb) => [
      by(way),
      'i.id',
      'i.reference',
      eb.cast<bigint | null>('i.applicationId', 'bigint').as('applicationId'),
      eb.cast<string | null>('a.name', 'text').as('applicationName'),
      'i.mode',
      eb.cast<string>('i.status', 'text').as('status'),
      eb.cast<bigint | null>('i.totalMinor', 'bigint').as('amountMinor'),
      eb.cast<string | null>('i.currency', 'text').as('currency'),
      'i.createdAt',
    ])
    .limit(HITS_MAX);
}

const INVOICES = [
  statement((db, $: Given<SearchTerms>) => invoices(db, 'reference').where('i.reference', '=', $('text'))),
  statement((db, $: Given<SearchTerms>) =>
    invoices(db, 'number')
      .where('i.applicationId', 'in', (eb) => eb.selectFrom('applications').select('id'))
      .where('i.mode', 'in', MODES)
      .where('i.number', '=', $('number'))
      .where((eb) => eb(eb.fn.coalesce('i.numberLabel', eb.val('')), '=', $('numberLabel')))
      .orderBy('i.id', 'desc'),
  ),
  statement((db, $: Given<SearchTerms>) =>
    invoices(db, 'customer-reference')
      .where('i.applicationId', 'in', (eb) => eb.selectFrom('applications').select('id'))
      .where('i.mode', 'in', MODES)
      .where('i.customerReference', '=', $('text'))
      .orderBy('i.id', 'desc'),
  ),
];

const EVENTS = [
  statement((db, $: Given<SearchTerms>) =>
    db
      .selectFrom('webhook_events as e')
      .innerJoin('applications as a', 'a.id', 'e.applicationId')
      .select((eb) => [
        by('reference'),
        'e.id',
        'e.eventId as reference',
        eb.cast<bigint | null>('e.applicationId', 'bigint').as('applicationId'),
        eb.cast<string | null>('a.name', 'text').as('applicationName'),
        'e.mode',
        eb.cast<string>('e.deliveryStatus', 'text').as('status'),
        eb.cast<bigint | null>(sql.lit(null), 'bigint').as('amountMinor'),
        eb.cast<string | null>(sql.lit(null), 'text').as('currency'),
        'e.createdAt',
      ])
      .where('e.eventId', '=', $('text')),
  ),
];

function payouts(db: Kysely<Tables>, way: FoundBy) {
  return db
    .selectFrom('payouts as o')
    .leftJoin('applications as a', 'a.id', 'o.storeApplicationId')
    .select((eb) => [
      by(way),
      'o.id',
      'o.reference',
      eb.cast<bigint | null>('o.storeApplicationId', 'bigint').as('applicationId'),
      eb.cast<string | null>('a.name', 'text').as('applicationName'),
      'o.mode',
      eb.cast<string>('o.status', 'text').as('status'),
      eb
        .cast<bigint | null>(eb.fn.coalesce('o.bankMinor', 'o.statedMinor', 'o.linesMinor'), 'bigint')
        .as('amountMinor'),
      eb.cast<string | null>('o.currency', 'text').as('currency'),
      'o.createdAt',
    ])
    .limit(HITS_MAX);
}

const PAYOUTS = [
  statement((db, $: Given<SearchTerms>) => payouts(db, 'reference').where('o.reference', '=', $('text'))),
  statement((db, $: Given<SearchTerms>) =>
    payouts(db, 'gateway-transaction-id')
      .where('o.mode', 'in', MODES)
      .where((eb) => eb(eb.fn<string>('lower', ['o.gatewayReference']), '=', eb.fn<string>('lower', [$('text')])))
      .orderBy('o.id', 'desc'),
  ),
  statement((db, $: Given<SearchTerms>) =>
    payouts(db, 'bank-reference')
      .where('o.mode', 'in', MODES)
      .where((eb) => eb(eb.fn<string>('lower', ['o.bankReference']), '=', eb.fn<string>('lower', [$('text')])))
      .orderBy('o.id', 'desc'),
  ),
];

const WAYS = { PAYMENT: PAYMENTS, REFUND: REFUNDS, INVOICE: INVOICES, EVENT: EVENTS, PAYOUT: PAYOUTS } as const;

/** Returns what of one kind in the operator's view has the text as one of its identifiers. One thing may be found in several ways. */
export async function findOfKind(statements: Statements, kind: SearchKind, terms: SearchTerms): Promise<Hit[]> {
  const found: Hit[] = [];
  for (const way of WAYS[kind]) {
    found.push(...(await way.all(statements, terms)));
  }
  return found;
}
