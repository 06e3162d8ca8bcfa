import { boundaries, testFile, testFileWithServers } from '../check.ts';
import type { Defect } from '../defect.ts';
import { STORIES } from './checks.ts';

const REPLAY = testFile('test/replay/replay.test.ts');
const WORKFLOW_SOURCE = testFile('test/defects/workflow-source.test.ts');

/** Defects that break the determinism of workflows, or their change to a new history. */
export const WORKFLOWS: readonly Defect[] = [
  {
    name: 'wall-clock-in-workflow',
    breaks: 'A replayed workflow reads another time than before, takes another path, and gets stuck.',
    edits: [
      {
        in: 'workflows',
        find: 'Math.max(this.expiresAtMs - Date.now(), 1)',
        replace: 'Math.max(this.expiresAtMs - Temporal.Now.instant().epochMilliseconds, 1)',
      },
      {
        in: 'workflows',
        find: "this.inbox.has('expiry')",
        inside: 'if ($_) { $$$BODY }',
        replace: "this.inbox.has('expiry') || this.expiresAtMs <= Temporal.Now.instant().epochMilliseconds",
      },
    ],
    caughtBy: [
      { check: REPLAY, names: 'a recorded history replays on today’s workflow code: payment-gateway-chosen' },
      { check: WORKFLOW_SOURCE, names: 'workflow code reads no clock but the one that is replayed' },
    ],
  },
  {
    name: 'clock-module-in-workflow',
    breaks: "A workflow imports the machine's clock, so its replay takes another path.",
    edits: [
      {
        in: 'workflows/payment.ts',
        find: 'import { Inbox } from $PATH',
        replace: "import { performance } from 'node:perf_hooks';\nimport { Inbox } from $PATH;",
      },
      {
        in: 'workflows/payment.ts',
        find: "this.inbox.has('expiry')",
        inside: 'if ($_) { $$$BODY }',
        replace: "this.inbox.has('expiry') || this.expiresAtMs <= performance.timeOrigin + performance.now()",
      },
    ],
    caughtBy: [{ check: boundaries('workflows'), names: 'workflows-are-deterministic' }],
  },
  {
    name: 'update-waits-for-itself',
    breaks: 'A workflow that ends or continues as new waits for an update, which waits for the workflow.',
    edits: [
      {
        in: 'workflows',
        find: 'historyIsLong() && $INBOX.isEmpty && (await isQuiet($INBOX))',
        replace: 'historyIsLong() && (await isQuiet($INBOX))',
      },
      {
        in: 'workflows',
        find: 'condition(() => !$INBOX.isEmpty || allHandlersFinished())',
        replace: 'condition(allHandlersFinished)',
      },
    ],
    caughtBy: [{ check: STORIES, names: 'open-invoice-has-a-workflow' }],
  },
  {
    name: 'choice-waited-for-by-the-renewal',
    breaks:
      "A payment with a long history waits for the payer's gateway choice to finish before it takes the choice up, so both wait forever.",
    edits: [
      {
        in: 'workflows',
        find: 'condition(() => !$INBOX.isEmpty || allHandlersFinished())',
        replace: 'condition(allHandlersFinished)',
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/workflows/renew.test.ts'),
        names: 'a workflow that renews itself goes on for a handler whose message the loop has to take up',
      },
      {
        check: testFileWithServers('test/workflows/payment.test.ts'),
        names:
          'a history that has become long is not left, nor waited in for ever, with a choice that comes in the moment of leaving it',
      },
    ],
  },
  {
    name: 'decision-left-behind',
    breaks:
      'A workflow continues as new with an unread decision or a running handler, and the next run never learns of it.',
    edits: [
      {
        in: 'workflows',
        find: 'historyIsLong() && $INBOX.isEmpty && (await isQuiet($INBOX))',
        replace: 'historyIsLong()',
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/workflows/renew.test.ts'),
        names: 'a workflow that renews itself first takes up what it was told',
      },
      {
        check: testFileWithServers('test/workflows/renew.test.ts'),
        names: 'a workflow that renews itself first lets a handler finish that answers by itself',
      },
    ],
  },
];
