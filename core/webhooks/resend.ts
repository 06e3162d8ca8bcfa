import type { Mode } from '../../domain/mode.ts';
import { notFound } from '../../domain/errors.ts';
import { readApplication } from '../applications/store/administration.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { ActingOperator } from '../operators/acting-operator.ts';
import { recordAudit } from '../operators/store/audit.ts';
import { readEventDetail, recoverParked, type EventDetail } from './store/event-list.ts';

/** Sends an event again at once, with the same id and body. Throws RESOURCE_NOT_FOUND. */
export async function resendEvent(
  { database, dispatch }: Pick<CoreDependencies, 'database' | 'dispatch'>,
  { view, actor }: ActingOperator,
  id: bigint,
): Promise<EventDetail> {
  const event = await database.withOperator(view, async (em) => {
    const row = await readEventDetail(em, id);
    if (row === null) {
      throw notFound('webhook event');
    }
    const target = { type: 'webhook-event', id: row.eventId };
    const application = { id: row.applicationId, mode: row.mode };
    await recordAudit(em, { actor, action: 'webhook.resent', target, application });
    return row;
  });
  const { eventId, applicationId, mode, type, reference } = event;
  await dispatch.resendDelivery({ eventId, applicationId, mode, type, reference });
  return event;
}

/** Lets the sweeper send all parked events of an application since a time. Returns how many there are. Throws RESOURCE_NOT_FOUND. */
export function recoverEvents(
  { database }: Pick<CoreDependencies, 'database'>,
  { view, actor }: ActingOperator,
  { applicationId, mode, since }: { readonly applicationId: bigint; readonly mode: Mode | null; readonly since: Date },
): Promise<number> {
  return database.withOperator(view, async (em) => {
    await readApplication(em, applicationId);
    const recovered = await recoverParked(em, { applicationId, mode, since });
    await recordAudit(em, {
      actor,
      action: 'webhook.recovered',
      target: { type: 'application', id: applicationId },
      application: { id: applicationId },
      after: { since, mode, recovered },
    });
    return recovered;
  });
}
