import { hostname } from 'node:os';
import { Connection } from '@temporalio/client';
import { connectionOptionsOf, temporalServerOf } from '../runtime/temporal-server.ts';
import { TASK_QUEUES } from '../workflows/messages/names.ts';

/**
 * Health check of a worker container: the process may live and yet do nothing. Asks Temporal whether a worker of this
 * very host still fetches work from every queue, and exits with 1 where it does not.
 */
const WORKFLOW_QUEUE = 1;
/** A poll that finds nothing lasts one minute; Temporal goes on listing a poller for minutes after its last one. */
const POLLED_WITHIN_S = 150;
const { namespace, ...server } = temporalServerOf(process.env);
const connection = await Connection.connect({ ...connectionOptionsOf(server), connectTimeout: '3s' });
try {
  for (const name of Object.values(TASK_QUEUES)) {
    const { pollers } = await connection.workflowService.describeTaskQueue({
      namespace,
      taskQueue: { name },
      taskQueueType: WORKFLOW_QUEUE,
    });
    const since = Date.now() / 1000 - POLLED_WITHIN_S;
    const ours = pollers?.filter(({ identity }) => identity?.endsWith(`@${hostname()}`)) ?? [];
    if (!ours.some(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) > since)) {
      console.error(`no worker of ${hostname()} polls ${name}`);
      process.exitCode = 1;
    }
  }
} finally {
  await connection.close();
}
