import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import { whose, type Timeline } from '../timeline.ts';
import type { MessageDefinition } from './current-run.ts';
import type { ServerRun, TemporalServer, Update } from './server.ts';

/** What can fail between a process and the Temporal server. */
export interface ClientFaults {
  latencyMs(): number;
  lostBefore(): boolean;
  answerLost(): boolean;
}

interface StartOptions {
  readonly workflowId: string;
  readonly workflowIdReusePolicy?: string;
  readonly workflowIdConflictPolicy?: string;
  readonly args?: readonly unknown[];
  readonly signal?: MessageDefinition;
  readonly signalArgs?: readonly unknown[];
}

/** Returns the operations of `@temporalio/client` that the product's dispatch and sweeper use, on the simulated server. */
export function simulatedClient(
  server: TemporalServer,
  { timeline, faults }: { timeline: Timeline; faults: ClientFaults },
): Client {
  const call = async <T>(effect: () => T): Promise<T> => {
    await timeline.pause(faults.latencyMs());
    if (faults.lostBefore()) {
      throw new Error('14 UNAVAILABLE: the server cannot be reached');
    }
    const result = effect();
    await timeline.pause(faults.latencyMs());
    if (faults.answerLost()) {
      throw new Error('4 DEADLINE_EXCEEDED: the answer was lost');
    }
    return result;
  };
  const signal = (workflowId: string, { name }: MessageDefinition, args: readonly unknown[]): void => {
    const run = server.runs.get(workflowId);
    if (run?.status !== 'running') {
      throw new WorkflowNotFoundError('workflow not found', workflowId, undefined);
    }
    server.deliver(run, { kind: 'signal', name, args });
  };
  const workflow = {
    start: (type: string, options: StartOptions) => call(() => startOrUse(server, type, options)),
    signalWithStart: (type: string, options: StartOptions) =>
      call(() => {
        startOrUse(server, type, options);
        signal(options.workflowId, options.signal ?? { type: 'signal', name: '' }, options.signalArgs ?? []);
      }),
    getHandle: (workflowId: string) => ({
      signal: (definition: MessageDefinition, ...args: unknown[]) => call(() => signal(workflowId, definition, args)),
      cancel: () =>
        call(() => {
          const run = server.runs.get(workflowId);
          if (run?.status !== 'running') {
            throw new WorkflowNotFoundError('workflow not found', workflowId, undefined);
          }
          server.cancel(run);
        }),
      describe: () =>
        call(() => {
          const run = server.runs.get(workflowId);
          if (run === undefined) {
            throw new WorkflowNotFoundError('workflow not found', workflowId, undefined);
          }
          return { status: { name: run.status.toUpperCase() } };
        }),
    }),
    async executeUpdateWithStart(
      { name }: MessageDefinition,
      { startWorkflowOperation, updateId }: { startWorkflowOperation: StartOperation; updateId?: string },
    ): Promise<unknown> {
      const { workflowTypeOrFunc, options } = startWorkflowOperation;
      const update = await call(() =>
        updateOf(server, startOrUse(server, workflowTypeOrFunc, options), {
          name,
          id: updateId ?? server.options.newId(),
        }),
      );
      const result = await update.ended;
      await timeline.pause(faults.latencyMs());
      return result;
    },
    async *list({ query }: { query: string }) {
      for (const { workflowId, type } of await call(() => badlyEnded(server, query, timeline.nowMs))) {
        yield { workflowId, type };
      }
    },
  };
  return {
    connection: {},
    workflow,
    withDeadline: (atMs: number, work: () => Promise<unknown>) => byDeadline(timeline, atMs, work),
  } as unknown as Client;
}

/** Gives up a call after its deadline, by the clock of the calling process. The call may still take effect. */
function byDeadline(timeline: Timeline, atMs: number, work: () => Promise<unknown>): Promise<unknown> {
  const skewMs = whose.getStore()?.skewMs ?? 0;
  return new Promise((resolve, reject) => {
    const deadline = timeline.at(atMs - skewMs, () => {
      reject(new Error('4 DEADLINE_EXCEEDED: the deadline has passed'));
    });
    work()
      .then(resolve, reject)
      .finally(() => {
        timeline.cancel(deadline);
      });
  });
}

interface StartOperation {
  readonly workflowTypeOrFunc: string;
  readonly options: StartOptions;
}

function startOrUse(server: TemporalServer, type: string, options: StartOptions): ServerRun {
  const { workflowId, workflowIdReusePolicy, workflowIdConflictPolicy, args = [] } = options;
  const before = server.runs.get(workflowId);
  const running = before?.status === 'running';
  const refused = running
    ? workflowIdConflictPolicy !== 'USE_EXISTING'
    : before?.status === 'completed' && workflowIdReusePolicy !== 'ALLOW_DUPLICATE';
  if (refused) {
    throw new WorkflowExecutionAlreadyStartedError('workflow execution already started', workflowId, type);
  }
  return running && before !== undefined ? before : server.start({ workflowId, type, args });
}

function updateOf(server: TemporalServer, run: ServerRun, { name, id }: { name: string; id: string }): Update {
  const known = run.updates.get(id);
  if (known !== undefined) {
    return known;
  }
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  promise.catch(() => undefined);
  const update = { ended: promise, end: resolve, fail: reject };
  run.updates.set(id, update);
  server.deliver(run, { kind: 'update', name, id, args: [] });
  return update;
}

/** Answers the sweeper's visibility query: workflow types, statuses and closing time. */
function badlyEnded(server: TemporalServer, query: string, nowMs: number): ServerRun[] {
  const types = /WorkflowType in \(([^)]*)\)/.exec(query)?.[1];
  const statuses = /ExecutionStatus in \(([^)]*)\)/.exec(query)?.[1]?.toLowerCase() ?? '';
  const since = Date.parse(/CloseTime > '([^']+)'/.exec(query)?.[1] ?? '');
  if (types === undefined || statuses === '' || Number.isNaN(since)) {
    throw new SyntaxError(`the simulated Temporal does not read the query: ${query}`);
  }
  return server.closed.filter(
    (run) =>
      types.includes(`'${run.type}'`) &&
      run.closedAtMs > since &&
      run.closedAtMs <= nowMs &&
      statuses.includes(`'${run.status}'`),
  );
}
