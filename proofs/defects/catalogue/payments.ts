import { faults, testFile, testFileWithServers } from '../check.ts';
import { property, type Defect } from '../defect.ts';
import { ROUND, STORIES } from './checks.ts';

/** Defects in how a payment is created, verified and finalized. */
export const PAYMENTS: readonly Defect[] = [
  {
    name: 'no-idempotency-lock',
    breaks: 'Two requests with the same idempotency key create two payments.',
    edits: [
      {
        in: 'core/idempotency',
        find: "$QUERY.where('idempotency_keys.expiresAt', '<=', $NOW)",
        replace: "$QUERY.where('idempotency_keys.expiresAt', 'is not', null)",
      },
    ],
    caughtBy: [
      { check: STORIES, names: 'one-payment-per-key' },
      { check: ROUND, names: 'I6' },
    ],
  },
  {
    name: 'timeout-read-as-failure',
    breaks: 'A payment fails because its gateway did not answer in time, although the payer may have paid.',
    edits: [
      {
        in: 'core/payments',
        find: 'const $ANSWER = await $GATEWAY.queryAttempt($HANDLE)',
        follows: 'const $HANDLE: AttemptHandle = { $$$FACTS }',
        replace: "const $ANSWER = await $GATEWAY.queryAttempt($HANDLE).catch(() => ({ kind: 'failed' as const }));",
      },
    ],
    caughtBy: [
      { check: STORIES, names: 'no-charge-lost' },
      { check: faults({ seed: 1, round: 0, onlyDial: 'gateway:http-500-until-mended' }), names: 'I9' },
    ],
  },
  {
    name: 'state-check-apart',
    breaks:
      'One statement checks that a payment is open and the next one finalizes it, although another worker may have finalized it in between.',
    edits: [
      {
        in: 'core/payments/store',
        find: "if ($STATUS !== 'SUCCEEDED') { $$$BODY }",
        has: 'END_UNPAID[$STATUS].first($STATEMENTS, $END)',
        replace: `const open = await $STATEMENTS.execute<object[]>(\`select 1 from payments where reference = ? and status in ('CREATED', 'PENDING')\`, [$END.reference]);
  if (open.length === 0) {
    return null;
  }
  if ($STATUS !== 'SUCCEEDED') { $$$BODY }`,
      },
      {
        in: 'core/payments/store',
        find: "$QUERY.where('p.status', 'in', statusesBefore('SUCCEEDED'))",
        replace: '$QUERY',
      },
      {
        in: 'core/payments/store',
        find: "$QUERY.where('p.status', 'in', statusesBefore($STATUS))",
        inside: "($STATUS: Exclude<FinalStatus, 'SUCCEEDED'>) => $STATEMENT",
        replace: '$QUERY',
      },
    ],
    caughtBy: [
      { check: STORIES, names: 'one-event-per-ending' },
      {
        check: testFileWithServers('test/core/payments/finalize-payment.test.ts'),
        names: 'a confirmed payment that expires at the same moment has exactly one end',
      },
    ],
  },
  {
    name: 'webhook-outside-transaction',
    breaks:
      'If a worker dies after it finalizes a payment, the application gets no event, because the event has a transaction of its own.',
    edits: [
      {
        in: 'core/payments',
        find: 'postCharge($STATEMENTS, $FINALIZED, $EVENT)',
        inside:
          'async function $NAME($DEPS: CoreDependencies, $STATEMENTS: Statements, $PARTS: End): $RESULT { $$$BODY }',
        replace: `(await postCharge($STATEMENTS, $FINALIZED, null), $EVENT && $DEPS.database.withScope($EVENT, (apart) => recordEvent(apart, $EVENT)))`,
      },
    ],
    caughtBy: [{ check: STORIES, names: 'one-event-per-ending' }],
  },
  {
    name: 'ending-without-state-check',
    breaks:
      'A payment is finalized twice. The last call decides its status, and the application gets an event for each.',
    edits: [
      {
        in: 'core/payments/store',
        find: "$QUERY.where('p.status', 'in', statusesBefore('SUCCEEDED'))",
        replace: '$QUERY',
      },
      {
        in: 'core/payments/store',
        find: "$QUERY.where('status', 'in', statusesBefore('SUCCEEDED'))",
        replace: '$QUERY',
      },
      {
        in: 'core/payments/store',
        find: "$QUERY.where('p.status', 'in', statusesBefore($STATUS))",
        inside: "($STATUS: Exclude<FinalStatus, 'SUCCEEDED'>) => $STATEMENT",
        replace: '$QUERY',
      },
    ],
    caughtBy: [{ check: STORIES, names: 'one-event-per-ending' }],
  },
  {
    name: 'expiry-without-asking',
    breaks: 'A payment expires without a last query to the gateway, although the payer may have paid.',
    edits: [
      {
        in: 'workflows',
        find: 'await this.query({ final: true, finalizes: true })',
        replace: "{ kind: 'expired' } as Verdict",
      },
    ],
    caughtBy: [{ check: STORIES, names: 'no-charge-lost' }],
  },
  {
    name: 'amount-not-compared',
    breaks: 'A charge of any amount pays an order: ten taka pay for ten thousand.',
    edits: [
      {
        in: 'domain',
        find: '$FACTS.orderAmountMinor !== $EXPECTED.amount.amountMinor || $FACTS.grossMinor !== $EXPECTED.amount.amountMinor',
        replace: '$FACTS.orderAmountMinor === null || $FACTS.grossMinor === null',
      },
    ],
    caughtBy: [{ check: STORIES, names: 'paid-by-an-agreeing-charge' }],
  },
  {
    name: 'charge-shown-twice',
    breaks: 'One charge pays for every order that it is presented for.',
    edits: [
      {
        in: 'database/migrations',
        sql: 'create unique index payment_attempts_validation_id_key',
        replace: 'create index payment_attempts_validation_id_key',
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/core/payments/verify-payment.test.ts'),
        names: 'a query leads to review for a charge that another payment has',
      },
    ],
  },
  {
    name: 'sweeper-blind-to-payments',
    breaks: 'A payment whose workflow did not start stays open forever.',
    edits: [
      {
        in: 'core/sweep',
        find: '() => runSweep($DEPS, duePayments($DEPS))',
        replace: 'async () => 0',
      },
    ],
    caughtBy: [{ check: STORIES, names: 'comes-to-rest' }],
  },
  {
    name: 'payer-told-to-pay-again',
    breaks:
      'A payer who cancels and then pays is told to start a new payment while we hold their money, so they pay twice.',
    edits: [
      {
        in: 'api/pages',
        find: '(await unappliedMoneyState($EM, $PAYMENT)) ?? $UNPAID',
        replace: 'null ?? $UNPAID',
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/core/unapplied-payments/unapplied.test.ts'),
        names:
          'a payer who paid after cancelling reads that the money is looked for, then that it is held, and is never told to pay again',
      },
    ],
  },
  {
    name: 'expiry-by-process-clock',
    breaks:
      'The clock of a process decides when a payment expires. If it is an hour slow, the payment has expired before the payer sees it.',
    edits: [
      {
        in: 'core/payments/store',
        find: "plus(now, span($('expiresInSeconds'), 'second'))",
        replace: "sql`to_timestamp(${$('expiresInSeconds')}::float8)`",
      },
      {
        in: 'core/payments/store',
        find: 'const $CREATION: Creation = { ...$PAYMENT, $$$REST }',
        replace:
          'const $CREATION: Creation = { ...$PAYMENT, expiresInSeconds: Date.now() / 1_000 + $PAYMENT.expiresInSeconds, $$$REST };',
      },
    ],
    caughtBy: [
      {
        check: testFile('test/defects/deciding-time.test.ts'),
        names:
          'what is due, over or too old is judged by the database’s clock: a process’s own is read only where it decides nothing',
      },
      {
        check: testFileWithServers('test/api/process-clock.test.ts'),
        names: 'with the clock of the api process -3600000 ms off a payment has its half hour',
      },
    ],
  },
  {
    name: 'timer-decides-expiry',
    breaks: "A payment expires by the workflow's timer. If Temporal's clock is ahead, payers lose time to pay.",
    edits: [
      {
        in: 'core/payments',
        find: property('final: $INPUT.final && $LEFT_MS <= 0'),
        replace: 'final: $INPUT.final',
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/core/payments/verify-payment.test.ts'),
        names: 'a query that a timer makes early does not expire the payment',
      },
    ],
  },
  {
    name: 'unseen-characters-count',
    breaks: 'An invisible character in a transaction number makes it look new, so one transfer confirms two payments.',
    edits: [
      {
        in: 'domain',
        find: '/[^0-9A-Za-z]/.test($FOLDED)',
        replace: "$FOLDED === ''",
      },
    ],
    caughtBy: [
      {
        check: testFile('test/domain/manual-payment.test.ts'),
        names: 'what holds a variation selector is refused, not read as another number',
      },
    ],
  },
  {
    name: 'tenants-share-transactions',
    breaks:
      "A transaction number that one tenant confirms blocks the same number in another tenant's account, if both accounts have the same name.",
    edits: [
      {
        in: 'core/manual-payments',
        find: property("storeApplicationId: $EB.ref('s.storeApplicationId')"),
        replace: "storeApplicationId: $EB.cast<bigint | null>($EB.lit(null), 'bigint')",
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/core/manual-payments/manual.test.ts'),
        names:
          'operators of one application neither block nor count what goes into another one’s account of the same name',
      },
    ],
  },
];
