import type { CoreDependencies } from '../dependencies.ts';
import type { EventHandle } from '../dispatch.ts';
import { attempt, BATCH_MAX, type Sweep } from '../sweep/engine.ts';
import { takeDueEvents } from './store/due.ts';

/** Starts deliveries that were never started or were lost, and failed ones that an operator wants to resend. */
export function dueEvents(deps: CoreDependencies): Sweep<EventHandle> {
  return {
    due: (em) => takeDueEvents(em, BATCH_MAX),
    drive: (event) =>
      attempt(deps, { event: event.eventId, what: 'delivery not started' }, () => deps.dispatch.startDelivery(event)),
  };
}
