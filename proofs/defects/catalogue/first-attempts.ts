import { testFile, testFileWithServers, testWithServers } from '../check.ts';
import type { Defect } from '../defect.ts';
import { STORIES } from './checks.ts';

const ATTEMPTS_FILE = 'test/core/webhooks/first-attempts.test.ts';
const ATTEMPTS = testFileWithServers(ATTEMPTS_FILE);
const NOT_WAITING = 'a first attempt does not keep its payment waiting';
const QUEUE = testFile('test/core/webhooks/fair-queue.test.ts');

/** Defects in the first attempt of an event, which the process makes that recorded it. */
export const FIRST_ATTEMPTS: readonly Defect[] = [
  {
    name: 'workflow-beside-first-attempt',
    breaks: 'A workflow starts beside the first attempt, and the application gets every event twice.',
    edits: [
      {
        in: 'core/webhooks',
        find: 'this.pump();',
        follows: 'const { first } = $EVENT',
        replace: 'await this.deps.dispatch.startDelivery($EVENT); this.pump();',
      },
    ],
    caughtBy: [
      { check: STORIES, names: 'event-arrives-once' },
      { check: ATTEMPTS, names: 'a first attempt that is accepted ends the delivery, and no workflow ever exists' },
    ],
  },
  {
    name: 'first-attempt-lost-with-its-process',
    breaks: 'An event is never sent if its worker dies between the commit and the first attempt.',
    edits: [
      {
        in: 'core/webhooks/store',
        find: "$QUERY.where('deliveryStatus', '<>', 'DELIVERED')",
        inside: 'const TAKE_DUE = $_',
        replace: "$QUERY.where('deliveryStatus', '=', 'RETRYING')",
      },
    ],
    caughtBy: [{ check: STORIES, names: 'events-end' }],
  },
  {
    name: 'lease-of-a-moment',
    breaks: 'The sweeper starts the workflow of an event while a slow receiver still takes the first attempt.',
    edits: [{ in: 'core/webhooks/store', find: 'FIRST_ATTEMPT_LEASE_MS / 1_000', replace: '1' }],
    caughtBy: [{ check: STORIES, names: 'first-attempt-alone' }],
  },
  {
    name: 'first-attempt-held-back',
    breaks: 'The first attempt waits for the sweeper, so that every application gets its events a minute late.',
    edits: [
      {
        in: 'core/webhooks',
        find: 'this.pump();',
        follows: 'const { first } = $EVENT',
        replace: 'return;',
      },
    ],
    caughtBy: [{ check: STORIES, names: 'first-attempt-in-time' }],
  },
  {
    name: 'first-attempt-without-lease',
    breaks: 'A process that stood still for minutes sends an event that its workflow has already sent.',
    edits: [{ in: 'core/webhooks', find: '$HELD_MS < CLAIMED_BY_INSERT_MS', replace: '$HELD_MS >= 0' }],
    caughtBy: [
      {
        check: ATTEMPTS,
        names: 'the lease that has passed drops the attempt, since the sweeper starts the workflow',
      },
    ],
  },
  {
    name: 'first-claim-without-guard',
    breaks: 'An attempt that has waited claims an event that the sweeper has given to a workflow, and both send it.',
    edits: [
      {
        in: 'core/webhooks/store',
        find: "$QUERY.where('nextSweepAt', '=', $('leaseUntil'))",
        replace: '$QUERY',
      },
    ],
    caughtBy: [{ check: ATTEMPTS, names: 'the lease is lost when the sweeper has taken the event meanwhile' }],
  },
  {
    name: 'failed-first-attempt-ends-it',
    breaks: 'After a failed first attempt no workflow starts, and the second attempt waits for the sweeper.',
    edits: [
      {
        in: 'core/webhooks/first-attempts.ts',
        find: "$RESULT.kind === 'retry'",
        replace: "$RESULT.kind === 'put-off'",
      },
    ],
    caughtBy: [{ check: STORIES, names: 'second-attempt-in-time' }],
  },
  {
    name: 'put-off-attempt-dropped',
    breaks: 'An event whose endpoint has an open circuit waits for the sweeper instead of its workflow.',
    edits: [
      {
        in: 'core/webhooks/first-attempts.ts',
        find: 'return this.handOver($EVENT)',
        replace: 'return',
      },
    ],
    caughtBy: [
      {
        check: ATTEMPTS,
        names: 'a first attempt is not made through an open circuit: the workflow makes it later',
      },
    ],
  },
  {
    name: 'finalizing-waits-for-receiver',
    breaks: 'A slow receiver keeps the workflow of its payment waiting, and with it a place in the worker.',
    edits: [
      {
        in: 'core/webhooks',
        find: 'this.pump();',
        follows: 'const { first } = $EVENT',
        replace: 'this.pump(); await Promise.all(this.inFlight);',
      },
    ],
    caughtBy: [{ check: testWithServers(ATTEMPTS_FILE, NOT_WAITING), names: NOT_WAITING }],
  },
  {
    name: 'one-endpoint-first',
    breaks: 'An application with many events waiting is served until none is left, before all others.',
    edits: [
      {
        in: 'core/webhooks',
        find: 'this.lines.delete($KEY);',
        follows: 'const $ITEM = $LINE.shift()',
        replace: 'if ($LINE.length === 0) { this.lines.delete($KEY); }',
      },
    ],
    caughtBy: [{ check: QUEUE, names: 'serves keys in turn, and the items of a key in their order' }],
  },
  {
    name: 'busy-endpoint-stops-the-queue',
    breaks: 'A receiver that hangs delays the events of every other application.',
    edits: [
      {
        in: 'core/webhooks',
        find: 'if ($ENTER($KEY)) { $$$BODY }',
        replace: 'if ($ENTER($KEY)) { $$$BODY } return undefined;',
      },
    ],
    caughtBy: [{ check: QUEUE, names: 'passes over a key without room, and serves it first once it has room' }],
  },
  {
    name: 'brief-query-executes',
    breaks:
      'The brief query moves money at bKash. If it times out, its activity still runs, and the regular query executes beside it.',
    edits: [
      {
        in: 'core/payments',
        find: '$INPUT.executesNothing !== true && !$ATTEMPT.superseded && $DOUBTFUL === null',
        replace: '!$ATTEMPT.superseded && $DOUBTFUL === null',
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/core/payments/bkash.test.ts'),
        names: 'a query that may only read moves no money, and the next one does',
      },
    ],
  },
];
