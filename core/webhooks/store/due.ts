import type { Statements } from '../../../database/statements.ts';
import type { Mode } from '../../../domain/mode.ts';
import type { EventHandle } from '../../dispatch.ts';

interface DueEventRow {
  event_id: string;
  application_id: string;
  mode: Mode;
  type: string;
  reference: string;
}

/** Takes undelivered events that are due for a check, and postpones their next one by ten minutes. */
export async function takeDueEvents(statements: Statements, max: number): Promise<EventHandle[]> {
  const rows = await statements.execute<DueEventRow[]>(
    `with due as (
       select id from webhook_events where delivery_status <> 'DELIVERED' and next_sweep_at <= now()
       order by next_sweep_at limit ${max} for update skip locked)
     update webhook_events e set next_sweep_at = now() + interval '10 minutes' from due where e.id = due.id
     returning e.event_id, e.application_id, e.mode, e.type,
       coalesce((select reference from payments where id = e.payment_id), (select reference from invoices where id = e.invoice_id)) as reference`,
  );
  return rows.map(({ event_id: eventId, application_id: applicationId, mode, type, reference }) => ({
    eventId,
    applicationId: BigInt(applicationId),
    mode,
    type,
    reference,
  }));
}
