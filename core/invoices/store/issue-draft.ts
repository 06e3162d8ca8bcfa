import { expressionBuilder, sql } from 'kysely';
import { NUMBER_TO_COME, type InvoiceEventView } from '../../../domain/invoice-view.ts';
import type { PlainDate } from '../../../domain/plain-date.ts';
import { EVENT_SCHEMA_VERSION } from '../../../domain/webhook.ts';
import type { Scope } from '../../../database/connection.ts';
import { rowOf } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import { deliveryBy, endpointOf } from '../../webhooks/store/usable-endpoint.ts';
import { payloadOf, type RecordedEvent } from '../../webhooks/store/events.ts';
import { CHECKED_SOON } from './invoice-changes.ts';

export interface Issuing {
  readonly scope: Scope;
  readonly invoiceId: bigint;
  readonly reference: string;
  /** The draft's own time when it was read. */
  readonly issuedAt: Date;
  readonly nextDueDate: PlainDate | null;
  readonly eventSequence: number;
  /** The invoice after issuing, with `NUMBER_TO_COME` as its number. */
  readonly data: InvoiceEventView;
  /** Whether the invoice's contract has an event for it. */
  readonly publishes: boolean;
}

interface Issued extends Scope {
  readonly invoiceId: bigint;
  readonly reference: string;
  readonly issuedAt: Date;
  readonly nextDueDate: PlainDate | null;
  readonly eventSequence: number;
  readonly eventId: string;
  /** The event's body before and after the number. */
  readonly before: string;
  readonly after: string;
  readonly createdAt: Date;
  readonly publishes: boolean;
}

const ISSUE = statement((db, $: Given<Issued>) =>
  db
    .with('taken', (q) =>
      q
        .insertInto('invoice_counters')
        .values({ applicationId: $('applicationId'), mode: $('mode'), lastNumber: 1n })
        .onConflict((conflict) =>
          conflict
            .columns(['applicationId', 'mode'])
            .doUpdateSet((eb) => ({ lastNumber: eb('invoice_counters.lastNumber', '+', 1n) })),
        )
        .returning('lastNumber'),
    )
    .with('issued', (q) =>
      q
        .updateTable('invoices as i')
        .from('taken')
        .set((eb) => ({
          status: 'ISSUED',
          number: eb.ref('taken.lastNumber'),
          issuedAt: $('issuedAt'),
          nextDueDate: $('nextDueDate'),
          eventSequence: $('eventSequence'),
          nextSweepAt: CHECKED_SOON,
          updatedAt: $('issuedAt'),
        }))
        .where('i.id', '=', $('invoiceId'))
        .where('i.status', '=', 'DRAFT')
        .returning((eb) => ['i.id', 'i.applicationId', 'i.mode', eb.ref('i.number').$notNull().as('number')]),
    )
    .with('event', (q) => {
      const source = q
        .selectFrom(['issued', endpointOf(db, { applicationId: $('applicationId'), mode: $('mode') }).as('endpoint')])
        .where((eb) => eb.cast<boolean>($('publishes'), 'boolean'));
      const eb = expressionBuilder(source);
      const number = eb.cast<string>('issued.number', 'text');
      const row = rowOf('webhook_events', {
        eventId: $('eventId'),
        applicationId: eb.ref('issued.applicationId'),
        mode: eb.ref('issued.mode'),
        invoiceId: eb.ref('issued.id'),
        type: sql.lit('invoice.issued'),
        schemaVersion: sql.lit(EVENT_SCHEMA_VERSION),
        sequence: eb.cast<number>($('eventSequence'), 'integer'),
        payload: sql<string>`${$('before')}::text || '"number":"INV-' || lpad(${number}, greatest(6, length(${number})), '0') || '"' || ${$('after')}::text`,
        createdAt: eb.cast<Date>($('createdAt'), 'timestamptz'),
        ...deliveryBy(eb.ref('endpoint.trouble')),
      });
      return q
        .insertInto('webhook_events')
        .columns(row.columns)
        .expression(source.select(row.values))
        .returning('deliveryStatus');
    })
    .selectFrom('issued')
    .leftJoin('event', (join) => join.onTrue())
    .select(['issued.number', 'event.deliveryStatus']),
);

/**
 * Issues a draft that the caller has locked: number, status, payable link and event in one statement. It must be the last statement before the
 * commit, since all other invoices wait for their numbers from then on.
 */
export async function issueDraft(
  statements: Statements,
  { scope: { applicationId, mode }, data, ...issuing }: Issuing,
): Promise<{ readonly number: bigint; readonly event: RecordedEvent | null }> {
  const { eventId, createdAt, payload } = payloadOf({
    type: 'invoice.issued',
    mode,
    sequence: issuing.eventSequence,
    data,
  });
  // Quotes inside a text are escaped, so this occurs exactly once.
  const [before = '', after = ''] = payload.split(JSON.stringify({ number: NUMBER_TO_COME }).slice(1, -1));
  const row = await ISSUE.first(statements, {
    ...issuing,
    applicationId,
    mode,
    eventId,
    before,
    after,
    createdAt,
  });
  if (row === undefined) {
    // The counter is rolled back with the transaction, so the number is not lost.
    throw new Error('the invoice is no longer a draft');
  }
  const { number, deliveryStatus } = row;
  return {
    number,
    event: deliveryStatus === null ? null : { eventId, parked: deliveryStatus === 'PARKED', first: null },
  };
}
