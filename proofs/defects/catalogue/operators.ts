import { testFileWithServers } from '../check.ts';
import { property, type Defect } from '../defect.ts';
import { STORIES } from './checks.ts';

/** Defects in what operators may do, alone or with a second one. */
export const OPERATORS: readonly Defect[] = [
  {
    name: 'bare-signal-believed',
    breaks: 'A signal that somebody sends by hand approves a refund, without a decision and without a second operator.',
    edits: [
      {
        in: 'core/refunds',
        find: "await takeDecision($STATEMENTS, { kind: 'refund', refundId: $REFUND.id })",
        inside: 'async function $NAME($DEPS: CoreDependencies, $INPUT: RefundDecisionInput): $RESULT { $$$BODY }',
        replace: `(await takeDecision($STATEMENTS, { kind: 'refund', refundId: $REFUND.id })) ??
      ($INPUT.decisionIds.length === 0
        ? null
        : { id: 0n, kind: 'refund', decision: 'approve', reason: null, operatorId: 0n, unappliedPaymentId: null })`,
      },
    ],
    caughtBy: [{ check: STORIES, names: 'decided-by-people' }],
  },
  {
    name: 'no-approval-above-threshold',
    breaks: 'One operator refunds any amount alone.',
    edits: [
      {
        in: 'domain',
        find: '$LIMIT !== null && $ACTED + $AMOUNT > $LIMIT',
        replace: '$LIMIT !== null && $AMOUNT < 0n',
      },
    ],
    caughtBy: [{ check: STORIES, names: 'decided-by-people' }],
  },
  {
    name: 'each-refund-for-itself',
    breaks: 'The threshold counts each refund alone, so one operator splits a large refund into small ones.',
    edits: [
      {
        in: 'domain',
        find: '$LIMIT !== null && $ACTED + $AMOUNT > $LIMIT',
        replace: '$LIMIT !== null && $AMOUNT > $LIMIT',
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/api/admin/money.test.ts'),
        names: "the sum of one person's refunds of one payment is what the threshold counts, whenever they were",
      },
    ],
  },
  {
    name: 'sums-read-apart',
    breaks:
      'One operator makes two refunds at the same moment. Neither sum includes the other, so together they pass the threshold.',
    edits: [
      {
        in: 'core/decisions',
        find: "$CONFLICT.columns(['applicationId', 'mode', 'operatorId']).doUpdateSet($VALUES)",
        replace: "$CONFLICT.columns(['applicationId', 'mode', 'operatorId']).doNothing()",
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/api/admin/money.test.ts'),
        names: "the sum of one person's refunds is counted by one after the other, however many come at once",
      },
    ],
  },
  {
    name: 'transfer-taken-by-another-shop',
    breaks: "One operator confirms another application's bank transfer for their own shop, which has no threshold.",
    edits: [
      {
        in: 'core/decisions',
        find: '$SUBMISSION === null ? [await readThresholds($$$APPLICATION)] : $ACCOUNT',
        replace: '$SUBMISSION !== undefined ? [await readThresholds($$$APPLICATION)] : $ACCOUNT',
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/api/admin/shared-account.test.ts'),
        names:
          'money in an account that applications share is confirmed by the strictest of their thresholds, whichever of them claims it',
      },
    ],
  },
  {
    name: 'word-of-one-who-has-gone',
    breaks: 'The decision of an operator who was disabled later still counts, so a single operator decides.',
    edits: [
      {
        in: 'core/decisions',
        find: "$EB.fn<boolean>('lenden_operator_may', $OPERANDS).as('stands')",
        replace: "$EB($EB.fn('lenden_operator_may', $OPERANDS), 'is not', null).$castTo<boolean>().as('stands')",
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/api/admin/first-word.test.ts'),
        names: 'unapplied money is not decided by one person when the other one is disabled',
      },
    ],
  },
  {
    name: 'half-a-decision-executed',
    breaks: 'A decision that needs two operators is carried out after the first one.',
    edits: [
      {
        in: 'core/decisions',
        find: "$OF.or([$OF.not('d.needsSecond'), $OF('d.secondOperatorId', 'is not', null)])",
        replace: "$OF('d.id', 'is not', null)",
      },
      { in: 'core/decisions', find: property('complete: !$DECISION.needsSecond'), replace: 'complete: true' },
    ],
    caughtBy: [{ check: STORIES, names: 'decided-by-people' }],
  },
  {
    name: 'sweeper-blind-to-decisions',
    breaks: 'A decision whose signal was lost is never carried out.',
    edits: [{ in: 'core/sweep', find: '() => runSweep($DEPS, unreadDecisions($DEPS))', replace: 'async () => 0' }],
    caughtBy: [{ check: STORIES, names: 'decisions-taken-up' }],
  },
  {
    name: 'threshold-lifted-alone',
    breaks: 'One operator changes the threshold that limits them.',
    edits: [
      {
        in: 'core/applications',
        find: "['refundApprovalThresholdMinor', 'refundApprovalThresholds', $$$REST]",
        inside: 'const GUARDED_SETTINGS = $_',
        replace: '[$$$REST]',
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/api/admin/pending-changes.test.ts'),
        names: 'settings that guard the rule of two are changed to no threshold by two people once a threshold is set',
      },
    ],
  },
  {
    name: 'second-account-approves',
    breaks: 'One operator gives a second account of theirs the right to approve, and then approves their own refunds.',
    edits: [
      {
        in: 'core/operators/store',
        find: 'if ($GUARDED.length === 0) { return false; }',
        follows: 'const $GUARDED = $GRANTS.filter(isGuardedGrant)',
        replace: 'if ($GUARDED.length >= 0) { return false; }',
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/api/admin/pending-changes.test.ts'),
        names: 'who says the second word is made so by two people once a threshold is set',
      },
    ],
  },
  {
    name: 'refunders-multiplied',
    breaks: 'One operator gives refund:create to several accounts of theirs and refunds up to the threshold with each.',
    edits: [
      {
        in: 'domain',
        find: property("'refund:create': true"),
        replace: "'refund:create': false",
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/api/admin/pending-changes-people.test.ts'),
        names:
          'a permission refund:create comes with Support, so nobody makes, enables or resets such an operator alone',
      },
    ],
  },
  {
    name: 'late-holder-approves',
    breaks:
      'A role gets more permissions, also for an account that got the role after the second operator was asked. That account can then approve alone.',
    edits: [
      {
        in: 'core/operators',
        find: '!isDeepStrictEqual(plain(shownRole($BEFORE, $HOLDERS)), $CHANGE.before)',
        replace: "!isDeepStrictEqual(plain(factsOf($BEFORE))['permissions'], $CHANGE.before['permissions'])",
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/api/admin/pending-changes-people.test.ts'),
        names: 'a role that grows while somebody has it grows for those alone whom the second person was shown',
      },
    ],
  },
  {
    name: 'key-issued-alone',
    breaks: 'A key works before a second operator confirms it, so one operator issues a key and refunds alone with it.',
    edits: [
      {
        in: 'core/applications',
        find: 'storeCredential($EM, $APPLICATION_ID, { ...$PREPARED, waits: true })',
        replace: 'storeCredential($EM, $APPLICATION_ID, $PREPARED)',
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/api/admin/pending-changes-keys.test.ts'),
        names:
          'a LIVE key of an application with a threshold in the native contract works once a second person has confirmed it',
      },
    ],
  },
  {
    name: 'link-works-twice',
    breaks: "Anyone who finds a used link in an operator's mailbox sets a new password with it.",
    edits: [
      {
        in: 'core/operators/store',
        find: "$QUERY.deleteFrom('operator_links')",
        replace: "$QUERY.selectFrom('operator_links')",
      },
      { in: 'core/operators/store', find: "$QUERY.returning('operatorId')", replace: "$QUERY.select('operatorId')" },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/api/admin/links.test.ts'),
        names: 'a link goes to the mailbox of the operator, sets a password once, and is stored as a hash',
      },
    ],
  },
];
