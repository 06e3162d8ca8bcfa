import { hostname } from 'node:os';
import { Connection } from '@temporalio/client';
import { connectionOptionsOf, temporalServerOf } from '../../runtime/temporal-server.ts';
import { TASK_QUEUES } from '../../workflows/messages/names.ts';

/**
 * The health check of a worker container. A live process may still do no work, so the check asks Temporal whether a worker on this host polls every
 * queue. It exits with 1 if not.
 */
const WORKFLOW_QUEUE = 1;
/** An empty poll lasts one minute, but Temporal lists a poller for several minutes after its last poll. */
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
      console.error(`no worker on ${hostname()} polls ${name}`);
      process.exitCode = 1;
    }
  }
} finally {
  await connection.close();
}
