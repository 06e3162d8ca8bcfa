import { hostname } from 'node:os';
import { Connection } from '@temporalio/client';
import { TASK_QUEUES } from '../workflows/messages/names.ts';

/**
 * Health check of a worker container: the process may live and yet do nothing. Asks Temporal whether a worker of this
 * very host still fetches work from every queue, and exits with 1 where it does not.
 */
const WORKFLOW_QUEUE = 1;
const address = process.env['TEMPORAL_ADDRESS'] || '127.0.0.1:7233';
const namespace = process.env['TEMPORAL_NAMESPACE'] || 'default';
const connection = await Connection.connect({ address, connectTimeout: '3s' });
try {
  for (const name of Object.values(TASK_QUEUES)) {
    const { pollers } = await connection.workflowService.describeTaskQueue({
      namespace,
      taskQueue: { name },
      taskQueueType: WORKFLOW_QUEUE,
    });
    if (!pollers?.some(({ identity }) => identity?.endsWith(`@${hostname()}`))) {
      console.error(`no worker of ${hostname()} polls ${name}`);
      process.exitCode = 1;
    }
  }
} finally {
  await connection.close();
}
