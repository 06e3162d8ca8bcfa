import { later, now } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import type { EventHandle } from '../../dispatch.ts';

const TAKE_DUE = statement((db, $: Given<{ max: number }>) =>
  db
    .with('due', (q) =>
      q
        .selectFrom('webhook_events')
        .select('id')
        .where('deliveryStatus', '<>', 'DELIVERED')
        .where('nextSweepAt', '<=', now)
        .orderBy('nextSweepAt')
        .limit($('max'))
        .forUpdate()
        .skipLocked(),
    )
    .updateTable('webhook_events as e')
    .from('due')
    .set({ nextSweepAt: later('10 minutes') })
    .whereRef('e.id', '=', 'due.id')
    .returning((eb) => [
      'e.eventId',
      'e.applicationId',
      'e.mode',
      'e.type',
      eb.fn
        .coalesce(
          eb.selectFrom('payments').select('reference').whereRef('id', '=', 'e.paymentId'),
          eb.selectFrom('invoices').select('reference').whereRef('id', '=', 'e.invoiceId'),
        )
        .$notNull()
        .as('reference'),
    ]),
);

/** Takes undelivered events that are due for a check, and postpones their next one by ten minutes. */
export function takeDueEvents(statements: Statements, max: number): Promise<EventHandle[]> {
  return TAKE_DUE.all(statements, { max });
}
