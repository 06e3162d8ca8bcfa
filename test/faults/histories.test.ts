import { describe, expect, test } from '@jest/globals';
import { taskFailuresIn } from '../../proofs/faults/histories.ts';

const failed = (cause: string, message: string) => ({
  eventType: 'EVENT_TYPE_WORKFLOW_TASK_FAILED',
  workflowTaskFailedEventAttributes: { cause: `WORKFLOW_TASK_FAILED_CAUSE_${cause}`, failure: { message } },
});
const done = { eventType: 'EVENT_TYPE_WORKFLOW_TASK_COMPLETED' };
const stale = failed(
  'WORKFLOW_WORKER_UNHANDLED_FAILURE',
  'Fatal error in workflow machines: History is out of order. Last processed event: 6, event id: 8',
);
const found = (...events: object[]): string[] => taskFailuresIn(JSON.stringify({ events }));

describe('a failed workflow task', () => {
  test.each([
    ['NON_DETERMINISTIC_ERROR', 'No command scheduled for event'],
    ['WORKFLOW_WORKER_UNHANDLED_FAILURE', 'TypeError: undefined is not a function'],
    ['PAYLOADS_TOO_LARGE', 'too large'],
  ])('for %s is a finding, also when another attempt went well', (cause, message) => {
    // Rolling the worker back would only hide the failure. It would come back with the next release.
    expect(found(done, failed(cause, message), done)).toEqual([`WORKFLOW_TASK_FAILED_CAUSE_${cause}`]);
  });

  test('because a worker had kept an outdated workflow is none, once it has read the history anew', () => {
    // Seen after a task's first attempt was lost and a signal came before its second: history 9203-6 of the fault tests.
    expect(found(done, stale, done)).toEqual([]);
    expect(found(done, stale)).toEqual(['WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE']);
  });

  test('because an update came again after a lost task is none, once it has read the history anew', () => {
    // Seen after a worker stood still for three seconds: history 20261126-13 of the fault tests.
    const again = failed(
      'NON_DETERMINISTIC_ERROR',
      '[TMPRL1100] Nondeterminism error: Invalid transition while handling update response (id qEWysvdx1I5GbNLmCBrw) in state CompletedImmediatelyCompleteCreated',
    );
    expect(found(done, again, done)).toEqual([]);
    expect(found(done, again)).toEqual(['WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR']);
  });

  test('for what came meanwhile or because a worker died is none', () => {
    // Temporal retries such a task by itself.
    expect(found(failed('UNHANDLED_COMMAND', 'UnhandledCommand'), failed('FORCE_CLOSE_COMMAND', ''))).toEqual([]);
  });
});
