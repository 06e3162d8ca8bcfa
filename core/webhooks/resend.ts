import type { Mode } from '../../domain/mode.ts';
import type { Scope } from '../../database/connection.ts';
import type { Statements } from '../../database/statements.ts';
import { DomainError, notFound } from '../../domain/errors.ts';
import { readApplication } from '../applications/store/administration.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { ActingOperator } from '../operators/acting-operator.ts';
import { recordAudit } from '../operators/store/audit.ts';
import { wakeSweeper } from '../sweep/wake.ts';
import { takeUnsent } from './store/deliveries.ts';
import { readEndpointTrouble } from './store/usable-endpoint.ts';
import { readEventDetail, recoverParked, type EventDetail } from './store/event-list.ts';

/**
 * Sends an event again at once, with the same id and body. A first attempt that still waits in a worker is dropped; one that is in flight goes on, and
 * both are recorded. Throws RESOURCE_NOT_FOUND, and INVALID_OPERATION_STATE if the application's endpoint is missing or disabled.
 */
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
    await requireUsableEndpoint(em, row);
    const target = { type: 'webhook-event', id: row.eventId };
    const application = { id: row.applicationId, mode: row.mode };
    await takeUnsent(em, row.eventId);
    await recordAudit(em, { actor, action: 'webhook.resent', target, application });
    return row;
  });
  const { eventId, applicationId, mode, type, reference } = event;
  await dispatch.resendDelivery({ eventId, applicationId, mode, type, reference });
  return event;
}

async function requireUsableEndpoint(em: Statements, scope: Scope): Promise<void> {
  const trouble = await readEndpointTrouble(em, scope);
  if (trouble !== null) {
    throw new DomainError(
      'INVALID_OPERATION_STATE',
      trouble === 'NO_ENDPOINT'
        ? 'the application has no webhook URL in this mode: set one first'
        : 'the webhook endpoint is disabled in this mode: enable it first',
    );
  }
}

/** Lets the sweeper send all parked events of an application since a time. Returns how many there are. Throws RESOURCE_NOT_FOUND. */
export async function recoverEvents(
  deps: Pick<CoreDependencies, 'database' | 'dispatch' | 'log'>,
  { view, actor }: ActingOperator,
  { applicationId, mode, since }: { readonly applicationId: bigint; readonly mode: Mode | null; readonly since: Date },
): Promise<number> {
  const number = await deps.database.withOperator(view, async (em) => {
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
  wakeSweeper(deps);
  return number;
}
