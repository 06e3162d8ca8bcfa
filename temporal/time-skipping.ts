import { isGrpcServiceError, type Client } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import type { Dispatch } from '../core/dispatch.ts';
import { workflowIds } from '../workflows/messages/names.ts';

/** gRPC's codes. */
const DEADLINE_EXCEEDED = 4;
const NOT_FOUND = 5;
const UNIMPLEMENTED = 12;

/** `FAST_FORWARD_POLLING_RESULT_POLL_TIMEOUT`. */
const POLL_TIMED_OUT = 1;

/** No workflow has this id, so asking about it changes nothing. */
const NO_WORKFLOW = { workflowId: 'lenden-no-workflow' };

/** gRPC would wait much longer for a server that is away. */
const ANSWER_WITHIN_MS = 5_000;

/** A month of a refund's queries, each retried. The server's own limit of 100 would end a skip early. */
const SKIPS_MAX = 2_000;

/** Moves the clocks of single workflows. The server has calls for it, and the SDK has none yet. */
export function clockDispatch(client: Client): Pick<Dispatch, 'skipsTime' | 'skipTime'> {
  return {
    async skipsTime() {
      const { namespace } = client.options;
      const workflow = { namespace, workflowExecution: NO_WORKFLOW, fastForwardId: 'none' };
      const code = await codeOf(() =>
        client.withDeadline(Date.now() + ANSWER_WITHIN_MS, () =>
          client.workflowService.pollWorkflowExecutionTimeSkipping(workflow),
        ),
      );
      if (code === DEADLINE_EXCEEDED) {
        throw new Error('Temporal cannot be reached');
      }
      return code !== UNIMPLEMENTED;
    },
    async skipTime({ workflow, reference }, { id, byMs, withinMs }) {
      const { workflowService, options } = client;
      const { namespace } = options;
      const execution = { namespace, workflowExecution: { workflowId: workflowIds[workflow](reference) } };
      let outcome: 'skipped' | 'skipping' = 'skipping';
      const code = await codeOf(() =>
        client.withDeadline(Date.now() + withinMs, async () => {
          const { workflowExtendedInfo } = await workflowService.describeWorkflowExecution({
            ...execution,
            execution: execution.workflowExecution,
          });
          const known = workflowExtendedInfo?.timeSkippingInfo?.effectiveConfig?.fastForwardConfig?.id;
          if (known !== id) {
            await workflowService.updateWorkflowExecutionOptions({
              ...execution,
              updateMask: { paths: ['time_skipping_config'] },
              workflowExecutionOptions: {
                timeSkippingConfig: {
                  enabled: true,
                  maxSessionSkipCount: SKIPS_MAX,
                  fastForwardConfig: { id, duration: msToTs(byMs) },
                },
              },
            });
          }
          const poll = { ...execution, fastForwardId: id };
          // It also answers when the workflow has ended on the way.
          const answer = await workflowService.pollWorkflowExecutionTimeSkipping(poll);
          const result: number = answer.fastForwardPollingResult;
          outcome = result === POLL_TIMED_OUT ? 'skipping' : 'skipped';
        }),
      );
      return code === NOT_FOUND ? 'not-running' : outcome;
    },
  };
}

/** Returns null if the call succeeds, and throws what is none of the codes above. */
async function codeOf(call: () => Promise<unknown>): Promise<number | null> {
  try {
    await call();
    return null;
  } catch (error) {
    if (isGrpcServiceError(error) && [DEADLINE_EXCEEDED, NOT_FOUND, UNIMPLEMENTED].includes(error.code)) {
      return error.code;
    }
    throw error;
  }
}
