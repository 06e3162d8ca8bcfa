import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '@temporalio/client';
import { TASK_QUEUES } from '../../../workflows/messages/names.ts';

const QUEUE_TYPES = { workflow: 1, activity: 2 } as const;
/** An empty poll lasts one minute, but Temporal lists a poller for several minutes after its last poll. */
const POLL_LASTS_MS = 65_000;
const LOOK_EVERY_MS = 2_000;

type Pollers = ReadonlyMap<string, number>;

async function pollers(connection: Connection, namespace: string): Promise<Pollers> {
  const newest = new Map<string, number>();
  for (const name of Object.values(TASK_QUEUES)) {
    for (const taskQueueType of Object.values(QUEUE_TYPES)) {
      const found = await connection.workflowService.describeTaskQueue({
        namespace,
        taskQueue: { name },
        taskQueueType,
      });
      for (const { identity, lastAccessTime } of found.pollers ?? []) {
        const atMs = Number(lastAccessTime?.seconds ?? 0) * 1_000 + (lastAccessTime?.nanos ?? 0) / 1e6;
        newest.set(identity ?? '?', Math.max(newest.get(identity ?? '?') ?? 0, atMs));
      }
    }
  }
  return newest;
}

/** Returns the workers that Temporal has seen within the last minute, on any database. Some of them may have just been stopped. */
export async function recentWorkers(connection: Connection, namespace: string): Promise<string[]> {
  const sinceMs = Date.now() - POLL_LASTS_MS;
  const seen = [...(await pollers(connection, namespace))].filter(([, atMs]) => atMs > sinceMs);
  return seen.map(([identity]) => `worker ${identity}`).toSorted();
}

/**
 * Waits until every poll of a stopped worker would be over, at most a minute. Returns the workers that polled again meanwhile, which are therefore
 * running.
 */
export async function livingWorkers(
  connection: Connection,
  { namespace, say }: { readonly namespace: string; readonly say: (line: string) => void },
): Promise<string[]> {
  const first = await pollers(connection, namespace);
  const untilMs = Date.now() + POLL_LASTS_MS;
  for (let told = false; ; told = true) {
    const now = await pollers(connection, namespace);
    const again = [...now].filter(([identity, atMs]) => atMs > (first.get(identity) ?? 0));
    const open = [...now].filter(([, atMs]) => atMs > Date.now() - POLL_LASTS_MS);
    if (again.length > 0 || open.length === 0 || Date.now() > untilMs) {
      return again.map(([identity]) => `worker ${identity}`).toSorted();
    }
    if (!told) {
      const names = open.map(([identity]) => identity).join(', ');
      say(
        `Temporal saw the worker ${names} within the last minute; waiting up to a minute to make sure that it has stopped …`,
      );
    }
    await sleep(LOOK_EVERY_MS);
  }
}
