import { faults, testFile, testFileWithServers } from '../check.ts';
import { property, type Defect } from '../defect.ts';
import { STORIES } from './checks.ts';

/** Defects in the sessions and executions at gateways. */
export const GATEWAYS: readonly Defect[] = [
  {
    name: 'new-gateway-reference',
    breaks: 'Each retry of opening the checkout creates another order at the gateway, and a payer can pay two of them.',
    edits: [
      {
        in: 'core/payments',
        find: property('attemptReference: $ATTEMPT.reference'),
        inside: 'function $NAME($$$PARAMETERS): SessionOrder { $$$BODY }',
        replace: 'attemptReference: attemptReference()',
      },
    ],
    caughtBy: [
      { check: STORIES, names: 'one-order-per-payment' },
      { check: faults({ seed: 1, round: 0, onlyDial: 'gateway:session-timeout-after' }), names: 'I4' },
    ],
  },
  {
    name: 'attempt-ended-beside-an-execution',
    breaks:
      'A payer returns without paying and their attempt ends, although another worker has just executed the payment.',
    edits: [
      {
        in: 'core/payments/store',
        find: "$EB.and([$EB('executionAtWorkUntil', 'is', null), $EB('executionDoubt', 'is', null)])",
        replace: "$EB('executionsSent', '>=', 0)",
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/core/payments/bkash.test.ts'),
        names:
          'executions, by the rows that all workers share one that is begun between the question and its answer’s row wins over the end',
      },
    ],
  },
  {
    name: 'executed-after-the-end',
    breaks: 'A slow worker executes a payment after its payer gave up.',
    edits: [
      {
        in: 'core/gateways',
        find: "$BEGUN.where('t.status', 'in', ['OPEN', 'UNKNOWN'])",
        replace: '$BEGUN',
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/core/payments/bkash.test.ts'),
        names:
          'executions, by the rows that all workers share none is begun any more once the attempt has ended, was left, or its payment was called off',
      },
    ],
  },
  {
    name: 'execution-without-answer-forgotten',
    breaks:
      'A worker dies during an execution, and the payer is told that they were not charged, although they may have been.',
    edits: [
      {
        in: 'gateways/bkash',
        find: "$DOUBT === 'lost' && $KIND === 'not-started'",
        replace: "$DOUBT === 'lost' && $KIND !== 'not-started' && $KIND !== 'expired'",
      },
    ],
    caughtBy: [
      {
        check: testFile('test/gateways/bkash-attempt.test.ts'),
        names: 'of two processes one that died while it executed leaves a doubt to the other',
      },
    ],
  },
  {
    name: 'refusal-ends-a-paid-payment',
    breaks: 'After a restore, the gateway refuses a second session for an order that was paid, and the payment fails.',
    edits: [
      {
        in: 'core/payments',
        find: '!(await knowsCharge($GATEWAY, $ATTEMPT))',
        replace: "$ATTEMPT.status !== 'CONFIRMED'",
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/core/payments/open-checkout.test.ts'),
        names: 'a checkout that a gateway refuses because the order was paid before a restore is finalized as paid',
      },
    ],
  },
  {
    name: 'left-payment-executed',
    breaks: 'A payer who agreed at bKash, left and paid elsewhere pays twice.',
    edits: [
      {
        in: 'core/payments',
        find: 'isOpen($QUESTION.payment.status) && $QUESTION.payment.cancelRequestedAt === null && $MAY_EXECUTE',
        replace: 'isOpen($QUESTION.payment.status) && $QUESTION.payment.cancelRequestedAt === null',
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/core/payments/gateway-choice.test.ts'),
        names: 'what the payer has left behind at bKash is never executed, though he agreed there',
      },
    ],
  },
  {
    name: 'page-of-a-session-not-asked-about',
    breaks: 'Two workers open one attempt, and the payer is sent to the page of the session that we never verify.',
    edits: [
      {
        in: 'core/payments/store',
        find: "$QUERY.whereRef('p.id', '=', 'opened.paymentId').where('opened.supersededAt', 'is', null)",
        replace: '$QUERY',
      },
      { in: 'core/payments/store', find: "$QUERY.from('opened')", replace: '$QUERY' },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/core/payments/open-checkout.test.ts'),
        names: 'a slow worker does not replace the page that another worker has recorded',
      },
    ],
  },
  {
    name: 'refused-though-open',
    breaks:
      'The gateway refuses a second session for one order, and the payment fails while its payer is on the page of the first.',
    edits: [
      {
        in: 'core/payments',
        find: 'unlessOpened($DEPS, $INPUT, await refusedUnlessPaid($DEPS, $PREPARED, $CODE))',
        replace: 'refused($DEPS, $PREPARED, $CODE)',
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/core/payments/open-checkout.test.ts'),
        names: 'a slow worker that is refused keeps the session that another worker has opened',
      },
    ],
  },
];
