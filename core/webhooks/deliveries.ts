import type { Dispatch, EventHandle } from '../dispatch.ts';
import type { FollowUp } from '../follow-up.ts';
import type { FirstDelivery, RecordedEvent } from './store/events.ts';

/** An event whose transaction has committed. */
export interface CommittedEvent extends EventHandle {
  readonly first: FirstDelivery | null;
}

/** Begins deliveries of committed events. */
export interface Deliveries {
  /** Returns without waiting for the receiver. If it rejects, or the process dies, the sweeper starts the event's workflow. */
  begin(event: CommittedEvent): Promise<void>;
}

/** Begins each delivery by its workflow, in a process that does not reach receivers. */
export function deliveriesByWorkflow(dispatch: Pick<Dispatch, 'startDelivery'>): Deliveries {
  return { begin: (event) => dispatch.startDelivery(event) };
}

/** Returns the follow-up that begins an event's delivery, or none if nothing was recorded or the event is parked. */
export function deliveryFollowUps(
  { deliveries }: { readonly deliveries: Deliveries },
  event: Omit<EventHandle, 'eventId'>,
  recorded: RecordedEvent | null,
): FollowUp[] {
  if (recorded === null || recorded.parked) {
    return [];
  }
  const { applicationId, mode, type, reference } = event;
  const { eventId, first } = recorded;
  return [
    {
      what: 'delivery',
      about: { event: eventId },
      start: () => deliveries.begin({ eventId, applicationId, mode, type, reference, first }),
    },
  ];
}
