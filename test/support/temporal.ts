import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { NativeConnection } from '@temporalio/worker';
import { prepareNamespace } from '../../scripts/shared/temporal-namespace.ts';
import { testServers } from './test-servers.ts';

/** Connections of one test file to the Temporal server of the test run. */
export interface TestTemporal {
  readonly address: string;
  readonly namespace: string;
  readonly client: Client;
  /** For `Worker.create`. */
  readonly nativeConnection: NativeConnection;
  close(): Promise<void>;
}

/**
 * Connects to the server of `npm test`. With `timeSkipping`, every workflow that this client starts has its own clock,
 * which skips to the next timer whenever the workflow is idle: a timer of seven days fires in a tenth of a second.
 * Workflows of other clients stay in real time.
 */
export async function connectTestTemporal(
  { timeSkipping, namespace = 'default' }: { timeSkipping: boolean; namespace?: string } = { timeSkipping: false },
): Promise<TestTemporal> {
  const address = testServers().temporalAddress;
  const connection = await Connection.connect({ address });
  if (timeSkipping) {
    askForTimeSkipping(connection);
  }
  const nativeConnection = await NativeConnection.connect({ address });
  return {
    address,
    namespace,
    client: new Client({ connection, namespace }),
    nativeConnection,
    async close() {
      await connection.close();
      await nativeConnection.close();
    },
  };
}

/** Creates a namespace with our search attributes, which takes about a second. Each whole stack needs its own. */
export async function createTestNamespace(): Promise<string> {
  const namespace = `test-${randomUUID()}`;
  await prepareNamespace({ address: testServers().temporalAddress, namespace });
  return namespace;
}

/** Returns the name of a queue that no other test's worker polls. */
export function uniqueTaskQueue(label: string): string {
  return `${label}-${randomUUID()}`;
}

/**
 * Moves one running workflow's clock forward by an exact amount and waits until it is there, so that the next call
 * starts where this one ended. Also returns if the workflow ends on the way.
 */
export async function advanceWorkflow(
  temporal: TestTemporal,
  { workflowId, byMs }: { workflowId: string; byMs: number },
): Promise<void> {
  const { workflowService } = temporal.client;
  const fastForwardId = randomUUID();
  const execution = { namespace: temporal.namespace, workflowExecution: { workflowId } };
  await workflowService.updateWorkflowExecutionOptions({
    ...execution,
    updateMask: { paths: ['time_skipping_config'] },
    workflowExecutionOptions: {
      timeSkippingConfig: { enabled: true, fastForwardConfig: { id: fastForwardId, duration: msToTs(byMs) } },
    },
  });
  const deadline = Date.now() + ADVANCE_TIMEOUT_MS;
  let result: number;
  do {
    const answer = await workflowService.pollWorkflowExecutionTimeSkipping({ ...execution, fastForwardId });
    result = answer.fastForwardPollingResult;
    if (result === POLL_TIMED_OUT && Date.now() > deadline) {
      throw new Error(`${workflowId} did not get ${byMs} ms ahead: something of it is still in flight.`);
    }
  } while (result === POLL_TIMED_OUT);
}

/** `FAST_FORWARD_POLLING_RESULT_POLL_TIMEOUT`. */
const POLL_TIMED_OUT = 1;

const ADVANCE_TIMEOUT_MS = 120_000;

type Call = (request: Record<string, unknown>, ...rest: unknown[]) => unknown;

/**
 * Enables time skipping. The SDK has no option for it yet, but the server's start request has. Both ways to start a
 * workflow use two calls of the service, so these are wrapped on this connection.
 */
function askForTimeSkipping(connection: Connection): void {
  const service = connection.workflowService as unknown as Record<string, Call>;
  const timeSkippingConfig = { enabled: true };
  wrap(service, 'startWorkflowExecution', (request) => ({ ...request, timeSkippingConfig }));
  wrap(service, 'signalWithStartWorkflowExecution', (request) => ({ ...request, timeSkippingConfig }));
  wrap(service, 'executeMultiOperation', (request) => ({
    ...request,
    operations: (request['operations'] as Record<string, object | null>[]).map((operation) =>
      operation['startWorkflow']
        ? { ...operation, startWorkflow: { ...operation['startWorkflow'], timeSkippingConfig } }
        : operation,
    ),
  }));
}

function wrap(service: Record<string, Call>, name: string, change: (request: Record<string, unknown>) => object): void {
  const original = service[name]?.bind(service);
  if (original === undefined) {
    throw new Error(`Temporal's client no longer has ${name}.`);
  }
  service[name] = (request, ...rest) => original({ ...change(request) }, ...rest);
}
