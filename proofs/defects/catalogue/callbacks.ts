import { faults, testFileWithServers } from '../check.ts';
import type { Defect } from '../defect.ts';
import { ROUND, STORIES } from './checks.ts';

/** Defects in how callbacks of gateways are stored and used. */
export const CALLBACKS: readonly Defect[] = [
  {
    name: 'signal-before-evidence',
    breaks: 'The workflow is signalled before the callback is committed, finds no row, and the payment waits.',
    edits: [
      {
        in: 'core/gateway-callbacks',
        find: 'const $KEPT = await keep($DEPS, $CALLBACK, $IDS)',
        replace: `const $KEPT = await $DEPS.database.inTransaction($IDS.scope, async (statements) => {
    const early = await keepCallback(statements, $CALLBACK, $IDS);
    if (early.signal) {
      await passOn($DEPS, early, { ...$IDS, gateway: $CALLBACK.gateway }).catch(() => undefined);
    }
    return { ...early, signal: false };
  });`,
      },
    ],
    caughtBy: [{ check: STORIES, names: 'evidence-before-signal' }],
  },
  {
    name: 'acknowledged-before-commit',
    breaks:
      'We acknowledge a callback that is only in memory. If the process dies, it is lost, because the gateway does not send it again.',
    edits: [
      {
        in: 'api/gateway-callbacks',
        find: 'const $REFERENCE = await receive($DEPS, $TARGET, $REQUEST)',
        replace: `const $REFERENCE: string | null = null;
    void receive($DEPS, $TARGET, $REQUEST).catch(() => undefined);`,
      },
    ],
    caughtBy: [
      { check: STORIES, names: 'acknowledged-callbacks-kept' },
      {
        check: testFileWithServers('test/api/gateway-callbacks/receive.test.ts'),
        names: 'a notification is not acknowledged when it cannot be stored',
      },
    ],
  },
  {
    name: 'unapplied-money-dropped',
    breaks:
      'A callback about a second charge, after the payment has ended, counts as a duplicate, so nobody learns of the money.',
    edits: [
      {
        in: 'domain',
        find: 'const $SAME = $CLAIMED === null || $CLAIMED === $FINALIZED_BY',
        precedes: "if ($PAID) { return $SIGNATURE_VALID ? 'DUPLICATE' : 'FORGED'; }",
        replace: `if ($SIGNATURE_VALID) {
    return 'DUPLICATE';
  }
  const $SAME = $CLAIMED === null || $CLAIMED === $FINALIZED_BY;`,
      },
    ],
    caughtBy: [
      { check: STORIES, names: 'no-charge-lost' },
      { check: ROUND, names: 'I3' },
    ],
  },
  {
    name: 'sweeper-blind-to-callbacks',
    breaks: 'A callback whose signal was lost waits forever.',
    edits: [
      {
        in: 'core/sweep',
        find: '() => runSweep($DEPS, dueCallbacks($DEPS))',
        replace: 'async () => 0',
      },
    ],
    caughtBy: [
      { check: STORIES, names: 'callbacks-taken-up' },
      { check: faults({ seed: 1, round: 0, onlyDial: 'api>temporal' }), names: 'I9' },
    ],
  },
  {
    name: 'left-gateway-hushes-the-next',
    breaks:
      'An event about a page that the payer has left delays their payment: we do not react to their return from the next page until the sweeper runs.',
    edits: [
      {
        in: 'core/gateway-callbacks',
        find: "$EB('lastSignalledAttemptId', 'is distinct from', $ATTEMPT_ID)",
        replace: "$EB('lastSignalledAttemptId', '=', -1n)",
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/core/payments/stripe.test.ts'),
        names:
          'a page that the payer has left for another gateway tells that it is closed, and that neither lingers nor keeps the next gateway from being heard',
      },
    ],
  },
  {
    name: 'unsigned-without-end',
    breaks: 'Anyone who knows the reference of an attempt can fill the disk with unsigned callbacks.',
    edits: [
      {
        in: 'core/gateway-callbacks',
        find: '($ATTEMPT?.unsignedCallbacks ?? 0) <= UNSIGNED_KEPT_MAX',
        replace: '($ATTEMPT?.unsignedCallbacks ?? 0) >= 0',
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/api/gateway-callbacks/bounded.test.ts'),
        names:
          'of an attempt a hundred unsigned payloads are kept, all are counted, and every one is answered as before',
      },
    ],
  },
  {
    name: 'evidence-thrown-away',
    breaks: 'The retention job deletes the callbacks of a charge, which are evidence, like those without money.',
    edits: [
      {
        in: 'core/maintenance',
        find: "$ATTEMPTS.whereRef('t.id', '=', 'c.attemptId').where('t.status', '=', 'CONFIRMED')",
        replace: "$ATTEMPTS.whereRef('t.id', '=', 'c.attemptId').where('t.status', '=', 'FAILED')",
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/api/gateway-callbacks/bounded.test.ts'),
        names:
          'callbacks whose time is over are removed in batches, but for those of a charged attempt and of an open payment',
      },
    ],
  },
];
