import type { Client } from '@temporalio/client';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';

type Run = { readonly workflowId: string; readonly runId: string };
type Events = Awaited<ReturnType<typeof historyOf>>;

/** Returns the events of a run; none if its history is gone. */
export async function historyOf(client: Client, { workflowId, runId }: Run) {
  const history = await client.workflow
    .getHandle(workflowId, runId)
    .fetchHistory()
    .catch(() => undefined);
  return history?.events ?? [];
}

/** Returns what the activities of a run have returned, local ones included, oldest first. */
export function resultsOf(events: Events): unknown[] {
  return events.flatMap(({ markerRecordedEventAttributes: marker, activityTaskCompletedEventAttributes: task }) =>
    [...(marker?.details?.['result']?.payloads ?? []), ...(task?.result?.payloads ?? [])].map(valueOf),
  );
}

/** Returns what the activities of a run have returned; nothing if its history is gone. */
export async function resultsIn(client: Client, run: Run): Promise<unknown[]> {
  return resultsOf(await historyOf(client, run));
}

/** Returns undefined for what is no JSON. */
export function valueOf(payload: Payload | null | undefined): unknown {
  try {
    return payload === null || payload === undefined ? undefined : defaultPayloadConverter.fromPayload(payload);
  } catch {
    return undefined;
  }
}
