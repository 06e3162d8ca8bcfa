import { boundaries, faults, simulation, testFile, testFileWithServers } from './check.ts';
import type { Defect } from './defect.ts';

const STORIES = simulation(800);
/** A round like any other: every key is sent again in the end, and somebody pays what he had called off. */
const ROUND = faults({ seed: 1, round: 0 });
const REPLAY = testFile('test/replay/replay.test.ts');
const WORKFLOW_SOURCE = testFile('test/defects/workflow-source.test.ts');
const RESTORED = testFileWithServers('test/core/maintenance/restored-database.test.ts');
const RESTORE_COMMAND = testFileWithServers('test/scripts/restore.test.ts');
const CONSTANT_TIME = testFile('test/defects/constant-time.test.ts');

/** Mistakes that payment services have made. Each is a few lines, compiles, and works as long as nothing goes wrong. */
export const DEFECTS: readonly Defect[] = [
  {
    name: 'no-idempotency-lock',
    breaks: 'A key that is taken is simply taken again, so two requests with one key make two payments.',
    edits: [
      {
        file: 'core/idempotency/store.ts',
        find: ".where('idempotency_keys.expiresAt', '<=', now)",
        replace: ".where('idempotency_keys.expiresAt', 'is not', null)",
      },
    ],
    caughtBy: [
      { check: STORIES, names: 'one-payment-per-key' },
      { check: ROUND, names: 'I6' },
    ],
  },
  {
    name: 'signal-before-evidence',
    breaks: 'The workflow hears of a callback whose row is not committed yet, and looks for it in vain.',
    edits: [
      {
        file: 'core/gateway-callbacks/receive-callback.ts',
        find: `  const kept = await keep(deps, callback, ids);`,
        replace: `  const kept = await deps.database.inTransaction(ids.scope, async (statements) => {
    const early = await keepCallback(statements, callback, ids);
    if (early.signal) {
      await passOn(deps, early, { ...ids, gateway }).catch(() => undefined);
    }
    return { ...early, signal: false };
  });`,
      },
    ],
    caughtBy: [{ check: STORIES, names: 'evidence-before-signal' }],
  },
  {
    name: 'new-gateway-reference',
    breaks: 'Each try to open the checkout is a new order at the gateway, and a payer can pay two of them.',
    edits: [
      {
        file: 'core/payments/open-checkout.ts',
        find: 'attemptReference: attempt.reference,',
        replace: 'attemptReference: attemptReference(),',
      },
    ],
    caughtBy: [
      { check: STORIES, names: 'one-order-per-payment' },
      { check: faults({ seed: 1, round: 0, onlyDial: 'gateway:session-timeout-after' }), names: 'I4' },
    ],
  },
  {
    name: 'timeout-read-as-failure',
    breaks: 'A gateway that does not answer in time is taken to have said that nobody paid.',
    edits: [
      {
        file: 'core/payments/verify-attempt.ts',
        find: 'const asked = await gateway.queryAttempt(handle);',
        replace: "const asked = await gateway.queryAttempt(handle).catch(() => ({ kind: 'failed' as const }));",
      },
    ],
    caughtBy: [
      { check: STORIES, names: 'no-charge-lost' },
      { check: faults({ seed: 1, round: 0, onlyDial: 'gateway:http-500-until-mended' }), names: 'I9' },
    ],
  },
  {
    name: 'posting-without-unique-cause',
    breaks: 'The ledger takes the same cause twice.',
    edits: [
      {
        file: 'database/migrations/20261123000000-initial/ledger.ts',
        find: '  unique (cause_type, cause_id, kind),\n',
        replace: '',
      },
      { file: 'core/ledger/store.ts', find: '  on conflict (cause_type, cause_id, kind) do nothing\n', replace: '' },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/core/ledger/posting.test.ts'),
        names: 'posting the same cause posts once and answers that it stands',
      },
    ],
  },
  {
    name: 'acknowledged-before-commit',
    breaks: 'The gateway is told that its notice is taken while the notice is still only in memory.',
    edits: [
      {
        file: 'api/gateway-callbacks/receive.ts',
        find: '    const reference = await receive(deps, target, { context, limiter });',
        replace: `    const reference: string | null = null;
    void receive(deps, target, { context, limiter }).catch(() => undefined);`,
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
    name: 'state-check-apart',
    breaks: 'Whether a payment is open is read first and relied on later, when somebody else has ended it.',
    edits: [
      {
        file: 'core/payments/store/finalizations.ts',
        find: `  if (status !== 'SUCCEEDED') {`,
        replace: `  const open = await statements.execute<object[]>(\`select 1 from payments where reference = ? and status in ('CREATED', 'PENDING')\`, [reference]);
  if (open.length === 0) {
    return null;
  }
  if (status !== 'SUCCEEDED') {`,
      },
      {
        file: 'core/payments/store/finalizations.ts',
        find: ".where('p.status', 'in', statusesBefore(status))",
        replace: '',
      },
      {
        file: 'core/payments/store/finalizations.ts',
        find: ".where('p.status', 'in', statusesBefore('SUCCEEDED'))",
        replace: '',
      },
    ],
    caughtBy: [
      { check: STORIES, names: 'one-event-per-ending' },
      {
        check: testFileWithServers('test/core/payments/payment.test.ts'),
        names: 'settling by opposing ends at once lets exactly one of them win',
      },
    ],
  },
  {
    name: 'webhook-outside-transaction',
    breaks: 'The payment ends in one transaction and its event is written in the next, which may never come.',
    edits: [
      {
        file: 'core/payments/finalize-payment.ts',
        find: '    recordPaymentEvent(statements, payment, {',
        replace: `    deps.database.inTransaction(scopeOf(input), (apart) => recordPaymentEvent(apart, payment, {`,
      },
      {
        file: 'core/payments/finalize-payment.ts',
        find: '      data: paymentView(payment, deps.webUrl),\n    }),',
        replace: '      data: paymentView(payment, deps.webUrl),\n    })),',
      },
    ],
    caughtBy: [{ check: STORIES, names: 'one-event-per-ending' }],
  },
  {
    name: 'table-without-row-level-security',
    breaks: 'A query that forgets its scope shows one application the unapplied money of another.',
    edits: [
      {
        file: 'database/migrations/20261123000000-initial/table.ts',
        find: '  const statements = [`alter table ${name} enable row level security`, `alter table ${name} force row level security`];',
        replace:
          "  const statements = name === 'unapplied_payments' ? [] : [`alter table ${name} enable row level security`, `alter table ${name} force row level security`];",
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/database/row-level-security.test.ts'),
        names: 'row-level security every table that the app role touches forces it with a policy',
      },
    ],
  },
  {
    name: 'secret-compared-by-equals',
    breaks: 'How long a comparison takes tells how much of a guessed signature is right.',
    edits: [
      {
        file: 'runtime/secrets.ts',
        find: `  const [left, expected] = [Buffer.from(claimed), Buffer.from(right)];
  return left.length === expected.length && timingSafeEqual(left, expected);`,
        replace: '  return claimed === right;',
      },
    ],
    caughtBy: [{ check: CONSTANT_TIME, names: 'secrets are never compared character by character' }],
  },
  {
    name: 'wall-clock-in-workflow',
    breaks: 'Replayed tomorrow, the workflow decides otherwise than it did today, and is stuck.',
    edits: [
      {
        file: 'workflows/payment.ts',
        find: 'await sleep(Math.max(this.expiresAtMs - Date.now(), 1),',
        replace: 'await sleep(Math.max(this.expiresAtMs - Temporal.Now.instant().epochMilliseconds, 1),',
      },
      {
        file: 'workflows/payment.ts',
        find: "if (this.inbox.has('expiry')) {",
        replace: "if (this.inbox.has('expiry') || this.expiresAtMs <= Temporal.Now.instant().epochMilliseconds) {",
      },
    ],
    caughtBy: [
      { check: REPLAY, names: 'a recorded history replays on today’s workflow code: payment-succeeds' },
      { check: WORKFLOW_SOURCE, names: 'workflow code reads no clock but the one that is replayed' },
    ],
  },
  {
    name: 'clock-module-in-workflow',
    breaks: "A workflow that imports the machine's clock leaves the sandbox that makes it deterministic.",
    edits: [
      {
        file: 'workflows/payment.ts',
        find: "import { SEARCH_ATTRIBUTES } from './messages/names.ts';",
        replace:
          "import { performance } from 'node:perf_hooks';\nimport { SEARCH_ATTRIBUTES } from './messages/names.ts';",
      },
      {
        file: 'workflows/payment.ts',
        find: "if (this.inbox.has('expiry')) {",
        replace: "if (this.inbox.has('expiry') || this.expiresAtMs <= performance.timeOrigin + performance.now()) {",
      },
    ],
    caughtBy: [{ check: boundaries('workflows'), names: 'workflows-are-deterministic' }],
  },
  {
    name: 'unapplied-money-dropped',
    breaks: 'Whatever comes after the end counts as a repetition, also when it is money.',
    edits: [
      {
        file: 'domain/callback.ts',
        find: `  const sameCharge = claimedValidationId === null || claimedValidationId === finalizedBy;`,
        replace: `  if (signatureValid) {
    return 'DUPLICATE';
  }
  const sameCharge = claimedValidationId === null || claimedValidationId === finalizedBy;`,
      },
    ],
    caughtBy: [
      { check: STORIES, names: 'no-charge-lost' },
      { check: ROUND, names: 'I3' },
    ],
  },
  {
    name: 'sweeper-blind-to-callbacks',
    breaks: 'A callback whose signal was lost waits for ever.',
    edits: [
      {
        file: 'core/sweep/sweep.ts',
        find: "const callbacksSignalled = await step(deps, 'callbacks', () => runSweep(deps, dueCallbacks(deps)));",
        replace: "const callbacksSignalled = await step(deps, 'callbacks', async () => 0);",
      },
    ],
    caughtBy: [
      { check: STORIES, names: 'callbacks-taken-up' },
      { check: faults({ seed: 1, round: 0, onlyDial: 'api>temporal' }), names: 'I9' },
    ],
  },
  {
    name: 'ending-without-state-check',
    breaks: 'Whoever settles last decides how a payment ended, and each of them tells the application.',
    edits: [
      {
        file: 'core/payments/store/finalizations.ts',
        find: ".where('p.status', 'in', statusesBefore(status))",
        replace: '',
      },
      {
        file: 'core/payments/store/finalizations.ts',
        find: ".where('p.status', 'in', statusesBefore('SUCCEEDED'))",
        replace: '',
      },
    ],
    caughtBy: [{ check: STORIES, names: 'one-event-per-ending' }],
  },
  {
    name: 'expiry-without-asking',
    breaks: 'A payment whose time is up counts as unpaid, without a last question.',
    edits: [
      {
        file: 'workflows/payment.ts',
        find: 'const verdict = await this.query({ final: true });',
        replace: "const verdict = { kind: 'expired' } as Verdict;",
      },
    ],
    caughtBy: [{ check: STORIES, names: 'no-charge-lost' }],
  },
  {
    name: 'amount-not-compared',
    breaks: 'Any charge pays any order, also one of ten taka for one of ten thousand.',
    edits: [
      {
        file: 'domain/verification.ts',
        find: 'facts.orderAmountMinor !== expected.amount.amountMinor || facts.grossMinor !== expected.amount.amountMinor',
        replace: 'facts.orderAmountMinor === null || facts.grossMinor === null',
      },
    ],
    caughtBy: [{ check: STORIES, names: 'paid-by-an-agreeing-charge' }],
  },
  {
    name: 'charge-shown-twice',
    breaks: 'One charge pays for as many orders as it is shown for.',
    edits: [
      {
        file: 'database/migrations/20261123000000-initial/payments.ts',
        find: 'create unique index payment_attempts_validation_id_key',
        replace: 'create index payment_attempts_validation_id_key',
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/core/payments/payment.test.ts'),
        names: 'the question to the gateway leads to review when one charge is shown for two payments',
      },
    ],
  },
  {
    name: 'attempt-ended-beside-an-execution',
    breaks:
      'A payer who came back without paying ends the attempt, although another worker has just sent its execution.',
    edits: [
      {
        file: 'core/payments/store/attempts.ts',
        find: "eb.and([eb('executionAtWorkUntil', 'is', null), eb('executionDoubt', 'is', null)])",
        replace: "eb('executionsSent', '>=', 0)",
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
    breaks: 'A slow worker executes a payment that its payer has given up meanwhile.',
    edits: [
      {
        file: 'core/gateways/store/executions.ts',
        find: "t.status in ('OPEN', 'UNKNOWN') and t.superseded_at is null",
        replace: 't.superseded_at is null',
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
    breaks: 'An execution whose worker died counts as never sent, and its payer is told that nothing was taken.',
    edits: [
      {
        file: 'gateways/bkash/attempt.ts',
        find: "doubt === 'lost' && kind === 'not-started'",
        replace: "doubt === 'lost' && kind !== 'not-started' && kind !== 'expired'",
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
    name: 'fee-forgotten',
    breaks: 'The ledger says that the gateway owes what it has kept as its fee.',
    edits: [
      {
        file: 'domain/ledger.ts',
        find: '{ debit: FEES_ACCOUNT, credit: clearing, amountMinor: feeMinor },',
        replace: '{ debit: FEES_ACCOUNT, credit: clearing, amountMinor: 0n },',
      },
    ],
    caughtBy: [{ check: STORIES, names: 'books-agree' }],
  },
  {
    name: 'new-event-id-at-each-attempt',
    breaks: 'A receiver cannot know a repetition, and ships the goods twice.',
    edits: [
      {
        file: 'core/contracts/signature.ts',
        find: "    'webhook-id': eventId,",
        replace: "    'webhook-id': `${eventId}-${timestamp}`,",
      },
    ],
    caughtBy: [{ check: STORIES, names: 'events-delivered' }],
  },
  {
    name: 'any-answer-is-delivery',
    breaks: "A receiver's error counts as having taken the event, which is never sent again.",
    edits: [
      {
        file: 'core/webhooks/send.ts',
        find: 'reply.status >= 200 && reply.status < 300',
        replace: 'reply.status >= 200 && reply.status !== 410',
      },
    ],
    caughtBy: [{ check: STORIES, names: 'events-delivered' }],
  },
  {
    name: 'test-event-signed-by-live',
    breaks: 'Whoever has a TEST key has an event of a real order number signed by the secret that the shop trusts.',
    edits: [
      {
        file: 'database/migrations/20261123000000-initial/webhooks.ts',
        find: "app: { rows: OWN, may: 'select' },",
        replace: "app: { rows: 'application_id = (select lenden_scope_app())', may: 'select' },",
      },
      {
        file: 'core/webhooks/store/webhooks.ts',
        find: ".whereRef('s.mode', '=', 'e.mode')",
        replace: ".where('s.mode', '=', 'LIVE')",
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/core/webhooks/delivery.test.ts'),
        names: 'TEST and LIVE are signed by secrets of their own, also at one URL and after a rotation',
      },
      { check: ROUND, names: 'I8' },
    ],
  },
  {
    name: 'test-receiver-disables-live',
    breaks: 'A TEST receiver that is gone ends the events of LIVE.',
    edits: [
      {
        file: 'database/migrations/20261123000000-initial/webhooks.ts',
        find: "app: { rows: OWN, may: 'select, update' },",
        replace: "app: { rows: 'application_id = (select lenden_scope_app())', may: 'select, update' },",
      },
      {
        file: 'core/webhooks/store/webhooks.ts',
        find: `    .where('mode', '=', $('mode')),
);

async function failEndpoint`,
        replace: `    .where('mode', 'in', ['TEST', 'LIVE']),
);

async function failEndpoint`,
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/core/webhooks/delivery.test.ts'),
        names: 'TEST and LIVE are disabled each by itself, also at one URL',
      },
    ],
  },
  {
    name: 'promised-secret-dropped',
    breaks: 'A second rotation cuts off the receivers that were given time by the first.',
    edits: [
      {
        file: 'core/webhooks/store/signing-secrets.ts',
        find: '  if (revokeFormer) {',
        replace: '  if (revokeFormer || overlapHours > 0) {',
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/core/webhooks/delivery.test.ts'),
        names: 'a signing secret signs for as long as it was promised, however often it is rotated',
      },
    ],
  },
  {
    name: 'former-secret-not-offered',
    breaks: 'During a rotation an OwnPay shop with the promised secret refuses every event, and its circuit opens.',
    edits: [
      {
        file: 'core/webhooks/send.ts',
        find: 'if (!mayRefuseSignature(sent.status)) {',
        replace: 'if (mayRefuseSignature(sent.status)) {',
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/api/ownpay/delivery.test.ts'),
        names:
          'while a secret is rotated one attempt offers the event under each secret that signs, so that a shop with the promised one takes every event',
      },
    ],
  },
  {
    name: 'sweeper-blind-to-payments',
    breaks: 'A payment whose start was lost stays open for ever.',
    edits: [
      {
        file: 'core/sweep/sweep.ts',
        find: "const paymentsStarted = await step(deps, 'payments', () => runSweep(deps, duePayments(deps)));",
        replace: "const paymentsStarted = await step(deps, 'payments', async () => 0);",
      },
    ],
    caughtBy: [{ check: STORIES, names: 'comes-to-rest' }],
  },
  {
    name: 'sweeper-blind-to-events',
    breaks: 'An event whose delivery was not started is never sent.',
    edits: [
      {
        file: 'core/sweep/sweep.ts',
        find: "const deliveriesStarted = await step(deps, 'deliveries', () => runSweep(deps, dueEvents(deps)));",
        replace: "const deliveriesStarted = await step(deps, 'deliveries', async () => 0);",
      },
    ],
    caughtBy: [{ check: STORIES, names: 'comes-to-rest' }],
  },
  {
    name: 'one-public-address-is-enough',
    breaks: "A webhook's name that resolves to a public and a private address reaches the operator's own network.",
    edits: [
      {
        file: 'runtime/http-client/connector.ts',
        find: '!addresses.every(({ address }) => isAllowed(address))',
        replace: '!addresses.some(({ address }) => isAllowed(address))',
      },
    ],
    caughtBy: [
      {
        check: testFile('test/runtime/http-client/http-client.test.ts'),
        names: 'the guard at connect time a name that resolves to a public and a private address is refused as a whole',
      },
    ],
  },
  {
    name: 'refund-balance-not-locked',
    breaks: 'Two refunds that come at once are both counted against the same balance.',
    edits: [
      {
        file: 'core/refunds/store/refunds.ts',
        find: "'select 1 from payments where id = ? and application_id = ? and mode = ? for update',",
        replace: "'select 1 from payments where id = ? and application_id = ? and mode = ?',",
      },
    ],
    caughtBy: [{ check: STORIES, names: 'reservation-kept' }],
  },
  {
    name: 'refund-balance-not-checked',
    breaks: 'A refund may be as large as the payment, however much of it went back before.',
    edits: [
      {
        file: 'core/refunds/store/refunds.ts',
        find: '  if (amountMinor > refundable) {',
        replace: '  if (amountMinor > BigInt(gross)) {',
      },
    ],
    caughtBy: [{ check: STORIES, names: 'reservation-kept' }],
  },
  {
    name: 'reservation-freed-too-early',
    breaks: 'What the gateway has still to give back can be given back once more.',
    edits: [
      {
        file: 'domain/refund.ts',
        find: "export const RESERVING_STATUSES = [\n  'AWAITING_APPROVAL',\n  'PENDING',",
        replace: "export const RESERVING_STATUSES = [\n  'AWAITING_APPROVAL',",
      },
    ],
    caughtBy: [{ check: STORIES, names: 'reservation-kept' }],
  },
  {
    name: 'reservation-never-freed',
    breaks: 'A refund that failed keeps its part of the balance, so that the payer never gets it.',
    edits: [
      {
        file: 'domain/refund.ts',
        find: "export const RESERVING_STATUSES = [\n  'AWAITING_APPROVAL',",
        replace: "export const RESERVING_STATUSES = [\n  'FAILED',\n  'AWAITING_APPROVAL',",
      },
    ],
    caughtBy: [{ check: STORIES, names: 'refused-only-what-is-too-much' }],
  },
  {
    name: 'refusal-after-doubt-believed',
    breaks: 'The gateway says no to a repetition, and the refund that it has accepted before counts as failed.',
    edits: [
      {
        file: 'core/refunds/drive-refund.ts',
        find: '      return doubtful\n',
        replace: '      return doubtful === null\n',
      },
    ],
    caughtBy: [{ check: STORIES, names: 'refund-ends-as-the-gateway-says' }],
  },
  {
    name: 'refund-doubt-forgotten',
    breaks: 'That an answer was lost is not remembered, so the next refusal is believed.',
    edits: [
      {
        file: 'core/refunds/store/refund-steps.ts',
        find: 'set doubtful = doubtful or (queried_at is not null and accepted_at is null), queried_at',
        replace: 'set queried_at',
      },
    ],
    caughtBy: [{ check: STORIES, names: 'refund-ends-as-the-gateway-says' }],
  },
  {
    name: 'refund-time-out-read-as-failure',
    breaks: 'A gateway that does not answer in time is taken to have refused the refund.',
    edits: [
      {
        file: 'workflows/refund.ts',
        find: ".catch(unlessRowMissing<RefundAnswer>({ kind: 'waiting' }));",
        replace: ".catch(unlessRowMissing<RefundAnswer>({ kind: 'failed', code: 'GATEWAY_SILENT' }));",
      },
    ],
    caughtBy: [{ check: STORIES, names: 'refund-ends-as-the-gateway-says' }],
  },
  {
    name: 'refund-not-found-believed',
    breaks: 'A refund that the gateway does not find yet counts as one that failed.',
    edits: [
      {
        file: 'gateways/sslcommerz/gateway.ts',
        find: "answer.status === 'failed' && answer.bank_tran_id === ''",
        replace: "answer.status === 'not found' && answer.bank_tran_id === ''",
      },
    ],
    caughtBy: [{ check: STORIES, names: 'refund-ends-as-the-gateway-says' }],
  },
  {
    name: 'second-refund-key',
    breaks: 'After a lost answer the gateway is asked with another key, and gives back twice.',
    edits: [
      {
        file: 'core/refunds/drive-refund.ts',
        find: '    refundReference: reference,',
        replace: '    refundReference: refund.doubtful ? `${reference}a` : reference,',
      },
    ],
    caughtBy: [{ check: STORIES, names: 'refund-asked-as-stored' }],
  },
  {
    name: 'bare-signal-believed',
    breaks: 'A signal sent by hand approves a refund, without a decision and without a second person.',
    edits: [
      {
        file: 'core/refunds/decide-refund.ts',
        find: "    const decision = await takeDecision(statements, { kind: 'refund', refundId: refund.id });",
        replace: `    const decision =
      (await takeDecision(statements, { kind: 'refund', refundId: refund.id })) ??
      (input.decisionIds.length === 0
        ? null
        : { id: 0n, kind: 'refund', decision: 'approve', reason: null, operatorId: 0n, unappliedPaymentId: null });`,
      },
    ],
    caughtBy: [{ check: STORIES, names: 'decided-by-people' }],
  },
  {
    name: 'no-approval-above-threshold',
    breaks: 'An operator gives back any amount alone.',
    edits: [
      {
        file: 'domain/refund.ts',
        find: 'return limitMinor !== null && actedMinor + amountMinor > limitMinor;',
        replace: 'return limitMinor !== null && amountMinor < 0n;',
      },
    ],
    caughtBy: [{ check: STORIES, names: 'decided-by-people' }],
  },
  {
    name: 'each-refund-for-itself',
    breaks: 'The threshold looks at one refund, so a large one is made as many small ones.',
    edits: [
      {
        file: 'domain/refund.ts',
        find: 'return limitMinor !== null && actedMinor + amountMinor > limitMinor;',
        replace: 'return limitMinor !== null && amountMinor > limitMinor;',
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
    breaks: 'Two refunds of one person at the same moment each read a sum without the other.',
    edits: [
      {
        file: 'core/decisions/store/approval.ts',
        find: 'on conflict (application_id, mode, operator_id) do update set acted_at = now()`,',
        replace: 'on conflict (application_id, mode, operator_id) do nothing`,',
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
    breaks: "One person confirms another application's bank transfer for a shop of their own, which has no threshold.",
    edits: [
      {
        file: 'core/decisions/store/approval.ts',
        find: 'manualSubmissionId === null\n      ? [await',
        replace: 'manualSubmissionId !== undefined\n      ? [await',
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
    breaks: 'The word of an operator who was disabled since still counts as that of one of two people.',
    edits: [
      {
        file: 'core/decisions/store/decisions.ts',
        find: 'application_id) as stands',
        replace: 'application_id) is not null as stands',
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
    name: 'threshold-lifted-alone',
    breaks: 'One person changes the threshold that binds them.',
    edits: [
      {
        file: 'core/applications/settings.ts',
        find: "  'refundApprovalThresholdMinor',\n  'refundApprovalThresholds',\n",
        replace: '',
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
    breaks: 'One person gives approving rights to an account of their own, and is two people.',
    edits: [
      {
        file: 'core/operators/store/second-person.ts',
        find: 'if (guarded.length === 0) {',
        replace: 'if (guarded.length >= 0) {',
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
    breaks: 'One person gives refund:create to accounts of their own and refunds up to the threshold with each.',
    edits: [{ file: 'domain/permissions.ts', find: "  'refund:create': true,", replace: "  'refund:create': false," }],
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
    breaks: 'A role grows also for an account that got it after the second person was asked, so one person is two.',
    edits: [
      {
        file: 'core/operators/roles.ts',
        find: '!isDeepStrictEqual(plain(shownRole(before, holders)), change.before)',
        replace: "!isDeepStrictEqual(plain(factsOf(before))['permissions'], change.before['permissions'])",
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
    breaks: 'A key works before a second person has confirmed it, so one person makes a key and refunds alone with it.',
    edits: [
      {
        file: 'core/applications/keys.ts',
        find: 'storeCredential(em, applicationId, { ...prepared, waits: true });',
        replace: 'storeCredential(em, applicationId, prepared);',
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
    breaks: 'Whoever finds a used link in a mailbox sets another password by it.',
    edits: [
      {
        file: 'core/operators/store/links.ts',
        find: `'delete from operator_links where operator_id = ? and token_hash = ? and expires_at > now() returning 1'`,
        replace: `'select 1 from operator_links where operator_id = ? and token_hash = ? and expires_at > now()'`,
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/api/admin/links.test.ts'),
        names: 'a link goes to the mailbox of the operator, sets a password once, and is stored as a hash',
      },
    ],
  },
  {
    name: 'half-a-decision-executed',
    breaks: 'What two people have to decide is done when the first of them has.',
    edits: [
      {
        file: 'core/decisions/store/decisions.ts',
        find: 'const COMPLETE = `consumed_at is null and (not needs_second or second_operator_id is not null)`;',
        replace: 'const COMPLETE = `consumed_at is null`;',
      },
      { file: 'core/decisions/store/decisions.ts', find: 'complete: !decision.needsSecond', replace: 'complete: true' },
    ],
    caughtBy: [{ check: STORIES, names: 'decided-by-people' }],
  },
  {
    name: 'refund-ended-twice',
    breaks: 'Two workers that end a refund at once both book it and both tell the application.',
    edits: [
      {
        file: 'core/refunds/end-refund.ts',
        find: `    if (isFinalRefund(refund.status)) {
      return refund.status;
    }
`,
        replace: '',
      },
      {
        file: 'core/refunds/store/refund-steps.ts',
        find: 'where id = ? and payment_id = ? and status = ? returning ${REFUND_COLUMNS}`',
        replace:
          'where id = ? and payment_id = ? and (status = ? or ended_at is not null) returning ${REFUND_COLUMNS}`',
      },
    ],
    caughtBy: [{ check: STORIES, names: 'one-event-per-refund' }],
  },
  {
    name: 'failed-refund-posted',
    breaks: 'The ledger gives back what the gateway has refused to.',
    edits: [
      {
        file: 'core/refunds/end-refund.ts',
        find: '  if (succeeded) {',
        replace: "  if (refund.status !== 'REJECTED') {",
      },
    ],
    caughtBy: [{ check: STORIES, names: 'refund-posted-once' }],
  },
  {
    name: 'whole-refund-shown-as-part',
    breaks: 'A payment that went back whole never says so.',
    edits: [
      {
        file: 'core/refunds/store/refund-steps.ts',
        find: "case when back.minor >= c.gross_minor - p.overpayment_minor then 'REFUNDED'",
        replace: "case when back.minor > c.gross_minor - p.overpayment_minor then 'REFUNDED'",
      },
    ],
    caughtBy: [{ check: STORIES, names: 'payment-shows-what-went-back' }],
  },
  {
    name: 'sweeper-blind-to-refunds',
    breaks: 'A refund whose start was lost holds its money for ever.',
    edits: [
      {
        file: 'core/sweep/sweep.ts',
        find: "const refundsStarted = await step(deps, 'refunds', () => runSweep(deps, dueRefunds(deps)));",
        replace: "const refundsStarted = await step(deps, 'refunds', async () => 0);",
      },
    ],
    caughtBy: [{ check: STORIES, names: 'refund-comes-to-an-end' }],
  },
  {
    name: 'sweeper-blind-to-decisions',
    breaks: 'A decision whose signal was lost is never carried out.',
    edits: [
      {
        file: 'core/sweep/sweep.ts',
        find: "const decisionsSignalled = await step(deps, 'decisions', () => runSweep(deps, unreadDecisions(deps)));",
        replace: "const decisionsSignalled = await step(deps, 'decisions', async () => 0);",
      },
    ],
    caughtBy: [{ check: STORIES, names: 'decisions-taken-up' }],
  },
  {
    name: 'sweeper-blind-to-overpayment',
    breaks: 'Money beyond what an invoice asked for, whose workflow was never started, waits in a list alone.',
    edits: [
      {
        file: 'core/sweep/sweep.ts',
        find: "const unappliedStarted = await step(deps, 'unapplied payments', () => runSweep(deps, dueHeldMoney(deps)));",
        replace: "const unappliedStarted = await step(deps, 'unapplied payments', async () => 0);",
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/core/invoices/money-in.test.ts'),
        names:
          'an overpayment that no workflow watches over since its start was lost is given one by the sweeper, until it has taken the money up',
      },
    ],
  },
  {
    name: 'refusal-ends-a-paid-payment',
    breaks: 'After a restore the gateway refuses a second session for an order that was paid, and the payment fails.',
    edits: [
      {
        file: 'core/payments/open-checkout.ts',
        find: 'if (!(await knowsCharge(gateway, attempt))) {',
        replace: "if (attempt.status !== 'CONFIRMED') {",
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/core/payments/payment.test.ts'),
        names:
          'opening the checkout that is refused since it was paid before the dump that the rows come from is finalized as paid',
      },
    ],
  },
  {
    name: 'payer-told-to-pay-again',
    breaks:
      'Whoever cancelled and paid all the same reads "start a new payment" while their money is held, and pays twice.',
    edits: [
      {
        file: 'api/pages/checkout-view.ts',
        find: '(await unappliedMoneyState(em, payment)) ?? {',
        replace: 'null ?? {',
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
    name: 'refund-promised-in-vain',
    breaks: 'A refund is accepted at a gateway that makes none: the customer is promised money that never moves.',
    edits: [
      {
        file: 'core/refunds/store/refund-bounds.ts',
        find: '  if (!refunds) {',
        replace: '  if (!refunds && refundsPerPaymentMax === 0) {',
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/api/admin/money.test.ts'),
        names:
          'a gateway that makes no refunds has none promised: applications and operators are refused at once, with nothing reserved',
      },
    ],
  },
  {
    name: 'number-of-its-own-transaction',
    breaks: 'An invoice takes its number before it is certain that it will be issued, so a death leaves a gap.',
    edits: [
      {
        file: 'core/invoices/issue.ts',
        find: '  const { number, event } = await issueDraft(statements, {',
        replace: `  const [taken] = await deps.database.inTransaction(draft, (own) =>
    own.execute<{ last_number: string }[]>(
      \`insert into invoice_counters as c (application_id, mode, last_number) values (?::bigint, ?, 1)
       on conflict (application_id, mode) do update set last_number = c.last_number + 1 returning c.last_number\`,
      [draft.applicationId, draft.mode],
    ),
  );
  const { number, event } = await issueDraft(statements, {
    taken: BigInt(taken?.last_number ?? 0),`,
      },
      {
        file: 'core/invoices/store/invoice-steps.ts',
        find: 'export interface Issuing {',
        replace: 'export interface Issuing {\n  readonly taken: bigint;',
      },
      {
        file: 'core/invoices/store/invoice-steps.ts',
        find: ' }: Issuing,',
        replace: ', taken }: Issuing,',
      },
      {
        file: 'core/invoices/store/invoice-steps.ts',
        find: `       insert into invoice_counters as c (application_id, mode, last_number) values (?::bigint, ?, 1)
       on conflict (application_id, mode) do update set last_number = c.last_number + 1 returning c.last_number
`,
        replace: '       select ?::bigint as last_number\n',
      },
      {
        file: 'core/invoices/store/invoice-steps.ts',
        find: '      scope.applicationId,\n      scope.mode,\n      issuedAt,',
        replace: '      taken,\n      issuedAt,',
      },
    ],
    caughtBy: [{ check: STORIES, names: 'invoice-numbers-without-gaps' }],
  },
  {
    name: 'left-payment-executed',
    breaks: 'A payer who agreed at bKash, left and paid elsewhere pays twice.',
    edits: [
      {
        file: 'core/payments/verify-attempt.ts',
        find: ' && question.payment.cancelRequestedAt === null && mayExecute,',
        replace: ' && question.payment.cancelRequestedAt === null,',
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
    breaks: 'Two workers open one attempt, and the payer is led to the page of the session that is never verified.',
    edits: [
      {
        file: 'core/payments/store/attempts.ts',
        find: `    .whereRef('p.id', '=', 'opened.paymentId')
    .where('opened.supersededAt', 'is', null)
`,
        replace: '',
      },
      {
        file: 'core/payments/store/attempts.ts',
        find: `    .from('opened')
`,
        replace: '',
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/core/payments/payment.test.ts'),
        names: 'a worker that stood still does not lead the payer to a page that nobody asks about',
      },
    ],
  },
  {
    name: 'refused-though-open',
    breaks:
      'A second session for one order is refused, and the payment fails while its payer is on the page of the first.',
    edits: [
      {
        file: 'core/payments/open-checkout.ts',
        find: 'return unlessOpened(deps, input, await refusedUnlessPaid(deps, prepared, outcome.code));',
        replace: 'return refused(deps, prepared, outcome.code);',
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/core/payments/payment.test.ts'),
        names: 'a worker that stood still and is refused ends nothing that another has opened',
      },
    ],
  },
  {
    name: 'left-gateway-hushes-the-next',
    breaks:
      'The event about a page that the payer has left keeps his return from the next one unheard until the sweeper comes.',
    edits: [
      {
        file: 'core/gateway-callbacks/store.ts',
        find: "eb('lastSignalledAttemptId', 'is distinct from', $('attemptId'))",
        replace: "eb('lastSignalledAttemptId', '=', -1n)",
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
    name: 'invoice-not-locked',
    breaks: 'Two payments that settle at once both count from what was paid before, and one of them is forgotten.',
    edits: [
      {
        file: 'core/invoices/store/invoices.ts',
        find: 'from payments where reference = ? and application_id = ? and mode = ?) for update`',
        replace: 'from payments where reference = ? and application_id = ? and mode = ?)`',
      },
    ],
    // A story meets it once in some thousand seeds; twelve real connections meet it every time.
    caughtBy: [
      {
        check: testFileWithServers('test/core/invoices/money-in.test.ts'),
        names: 'a payment of an invoice made by twelve payers at once never counts more than the total',
      },
    ],
  },
  {
    name: 'overpayment-dropped',
    breaks: 'What two payers have paid too much is in nobody’s list.',
    edits: [
      {
        file: 'core/invoices/apply-payment.ts',
        find: 'if (payment.overpaymentMinor > 0n) {',
        replace: 'if (payment.overpaymentMinor > payment.amountMinor) {',
      },
    ],
    caughtBy: [{ check: STORIES, names: 'overpayment-never-silent' }],
  },
  {
    name: 'refund-leaves-invoice-paid',
    breaks: 'What was given back of an invoice’s payment is not due again.',
    edits: [
      {
        file: 'core/invoices/reopen.ts',
        find: "if (refundedInvoices === 'KEEP') {",
        replace: "if (refundedInvoices === 'KEEP' || invoice.paidMinor === invoice.totalMinor) {",
      },
    ],
    caughtBy: [{ check: STORIES, names: 'invoice-counts-its-money' }],
  },
  {
    name: 'notice-before-its-note',
    breaks:
      'An event about a due date is there before the note that it was told, so a death between the two tells it again.',
    edits: [
      {
        file: 'core/invoices/drive-invoice.ts',
        find: 'return recordAndDeliver(deps, statements, invoice, { type, sequence, data });',
        replace: `const { applicationId, mode } = invoice;
  return deps.database.inTransaction({ applicationId, mode }, (own) =>
    recordAndDeliver(deps, own, invoice, { type, sequence, data }),
  );`,
      },
    ],
    caughtBy: [{ check: STORIES, names: 'one-event-per-invoice-change' }],
  },
  {
    name: 'void-while-paying',
    breaks: 'An invoice becomes void while somebody is at the gateway with it.',
    edits: [
      {
        file: 'core/invoices/change-invoice.ts',
        find: 'if (open !== undefined) {',
        replace: "if (open !== undefined && open.status === 'CREATED') {",
      },
    ],
    caughtBy: [{ check: STORIES, names: 'nobody-pays-for-void' }],
  },
  {
    name: 'told-while-paused',
    breaks: 'Pausing an invoice stops nothing.',
    edits: [
      {
        file: 'core/invoices/drive-invoice.ts',
        find: 'if (invoice.pausedAt !== null || dueMinorOf(invoice) === 0n) {',
        replace: 'if (dueMinorOf(invoice) === 0n) {',
      },
    ],
    caughtBy: [{ check: STORIES, names: 'told-only-what-is-due' }],
  },
  {
    name: 'link-asks-for-everything',
    breaks: 'The link of an invoice with installments asks for all that is due.',
    edits: [
      {
        file: 'domain/invoice.ts',
        find: 'const asked = late.length > 0 ? late : stands.slice(0, 1);',
        replace: 'const asked = late.length > 0 ? late : stands;',
      },
    ],
    caughtBy: [{ check: STORIES, names: 'link-asks-what-is-due' }],
  },
  {
    name: 'sweeper-blind-to-invoices',
    breaks: 'An invoice whose start was lost is never driven.',
    edits: [
      {
        file: 'core/sweep/sweep.ts',
        find: "const invoicesNotified = await step(deps, 'invoices', () => runSweep(deps, dueInvoices(deps)));",
        replace: "const invoicesNotified = await step(deps, 'invoices', async () => 0);",
      },
    ],
    caughtBy: [{ check: STORIES, names: 'open-invoice-has-a-workflow' }],
  },
  {
    name: 'emails-without-end',
    breaks: 'An invoice without emails counts as one whose email is due now, so its workflow never rests.',
    edits: [
      {
        file: 'core/invoices/store/invoice-notices.ts',
        find: 'case when count(*) > 0 then greatest(0, ceil(extract(epoch from min(email_due_at) - now()) * 1000)) end',
        replace: 'greatest(0, ceil(extract(epoch from min(email_due_at) - now()) * 1000))',
      },
    ],
    caughtBy: [{ check: STORIES, names: 'instruments-agree' }],
  },
  {
    name: 'update-waits-for-itself',
    breaks: 'A workflow that renews itself, or ends, waits for an update that waits for the workflow.',
    edits: [
      {
        file: 'workflows/renew.ts',
        find: 'if (historyIsLong() && inbox.isEmpty && (await isQuiet(inbox))) {',
        replace: 'if (historyIsLong() && (await isQuiet(inbox))) {',
      },
      {
        file: 'workflows/renew.ts',
        find: 'await condition(() => !inbox.isEmpty || allHandlersFinished());',
        replace: 'await condition(allHandlersFinished);',
      },
    ],
    caughtBy: [{ check: STORIES, names: 'open-invoice-has-a-workflow' }],
  },
  {
    name: 'attempt-of-any-payment',
    breaks: 'After a restore the unapplied money of one payment is booked for another one that has its number.',
    edits: [
      {
        file: 'core/unapplied-payments/unapplied-payments.ts',
        find: '{ reference: attemptReference, paymentId: payment.id }',
        replace: '{ reference: attemptReference }',
      },
    ],
    caughtBy: [
      { check: RESTORED, names: 'an activity that names rows of two payments recordUnappliedPayment fails for good' },
    ],
  },
  {
    name: 'decision-of-any-payment',
    breaks: 'After a restore a payment is ended by a decision about another one that has its number.',
    edits: [
      {
        file: 'core/decisions/store/decisions.ts',
        find: 'p.id = d.payment_id and p.reference = ? returning 1',
        replace: 'p.id = d.payment_id and ?::text is not null returning 1',
      },
    ],
    caughtBy: [
      {
        check: RESTORED,
        names:
          'an activity that names rows of two payments finalizePayment does not end a payment by a decision about another one',
      },
    ],
  },
  {
    name: 'missing-row-tried-for-ever',
    breaks: 'A workflow whose row is gone after a restore tries again for days, and nobody hears of it.',
    edits: [
      {
        file: 'workflows/payment.ts',
        find: ".catch(unlessRowMissing({ kind: 'lost' as const }))",
        replace: ".catch(() => ({ kind: 'lost' as const }))",
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/workflows/row-missing.test.ts'),
        names:
          'a workflow whose row is gone, since an older database was restored, fails at once: a payment that is opening',
      },
    ],
  },
  {
    name: 'restored-numbers-given-out-again',
    breaks: 'After a restore rows get the numbers that others had.',
    edits: [
      {
        file: 'core/maintenance/store/after-restore.ts',
        find: 'return { name, from, to: base + gap };',
        replace: 'return { name, from, to: base };',
      },
    ],
    caughtBy: [
      {
        check: RESTORE_COMMAND,
        names:
          'a database that is set back to an older state is put right: orphans end, and no number is given out again',
      },
    ],
  },
  {
    name: 'restored-refund-asked-as-new',
    breaks: 'After a restore a refund that was given back is asked for as if nobody ever had.',
    edits: [
      {
        file: 'core/maintenance/store/after-restore.ts',
        find: 'update refunds set doubtful = true, queried_at =',
        replace: 'update refunds set queried_at =',
      },
      { file: 'core/maintenance/store/after-restore.ts', find: 'coalesce(queried_at, now())', replace: 'null' },
    ],
    caughtBy: [
      {
        check: RESTORE_COMMAND,
        names:
          'a database that is set back to an older state catches up with its gateways once workers run, and books everything once',
      },
    ],
  },
  {
    name: 'values-in-statements',
    breaks: 'Values stand in the text of a statement, and the server logs it with what a payer wrote when it fails.',
    edits: [
      {
        file: 'database/parameters.ts',
        find: '  const number = values.push(transferred(value));',
        replace: `  if (typeof value === 'string') {
    return \`'\${value.replaceAll("'", "''")}'\`;
  }
  const number = values.push(transferred(value));`,
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/api/postgres-log.test.ts'),
        names:
          "the server's log holds no value of a statement, although each one is logged, and none of a row that was refused",
      },
    ],
  },
  {
    name: 'login-with-a-way-out',
    breaks: 'A login keeps the memberships that somebody gave it, so a process may become another role.',
    edits: [
      {
        file: 'database/logins.ts',
        find: '  for (const group of memberOf) {',
        replace: '  for (const group of memberOf.slice(1)) {',
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/database/runtime-logins.test.ts'),
        names: 'preparing the logins takes away what leads beyond the role',
      },
    ],
  },
  {
    name: 'secrets-without-a-place',
    breaks:
      "A sealed secret opens in another row, so whoever writes to the database can sign with one application's secret for another.",
    edits: [
      {
        file: 'runtime/secrets.ts',
        find: '  return `${column}\\n${key}`;',
        replace: '  return column;',
      },
    ],
    caughtBy: [
      {
        check: testFile('test/domain/secrets.test.ts'),
        names: 'a sealed secret is not opened in the place of another row, also after a change of keys',
      },
    ],
  },
  {
    name: 'heads-unsaid',
    breaks:
      'The head of the chain is logged on a level that is often off, so there is no witness outside of the database.',
    edits: [
      {
        file: 'core/ledger/seal-batches.ts',
        find: "  const always = log.child({}, { level: 'info' });",
        replace: '  const always = log;',
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/core/ledger/verify-command.test.ts'),
        names: 'npm run verify compares the chain with the heads of a log, as its shipper passed them on',
      },
    ],
  },
  {
    name: 'unsigned-without-end',
    breaks: 'Whoever knows the reference of an attempt fills the disk with callbacks that nobody has signed.',
    edits: [
      {
        file: 'core/gateway-callbacks/store.ts',
        find: '(attempt?.unsignedCallbacks ?? 0) <= UNSIGNED_KEPT_MAX',
        replace: '(attempt?.unsignedCallbacks ?? 0) >= 0',
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
    breaks: 'When their time is over, callbacks of a charge are removed like those of nothing.',
    edits: [
      {
        file: 'core/maintenance/store/retention.ts',
        find: "t.id = c.attempt_id and t.status = 'CONFIRMED'",
        replace: "t.id = c.attempt_id and t.status = 'FAILED'",
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
  {
    name: 'expiry-by-process-clock',
    breaks:
      'A payment ends by the clock of the process that made it: an hour slow, and it has expired before its payer sees it.',
    edits: [
      {
        file: 'core/payments/store/new-payments.ts',
        find: "plus(now, span($('expiresInSeconds'), 'second'))",
        replace: "sql`to_timestamp(${$('expiresInSeconds')}::float8)`",
      },
      {
        file: 'core/payments/store/new-payments.ts',
        find: '    ...payment,',
        replace: '    ...payment,\n    expiresInSeconds: Date.now() / 1_000 + payment.expiresInSeconds,',
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
    breaks:
      "The workflow's timer is taken for the time itself: where Temporal's clock is ahead, payers lose their time to pay.",
    edits: [
      {
        file: 'core/payments/verify-payment.ts',
        find: 'final: input.final && leftMs <= 0 }',
        replace: 'final: input.final }',
      },
    ],
    caughtBy: [
      {
        check: testFileWithServers('test/core/payments/payment-activities.test.ts'),
        names: 'a question that a timer took for the last one is none while the row has time left',
      },
    ],
  },
  {
    name: 'choice-waited-for-by-the-renewal',
    breaks: 'A long payment waits for a choice to be opened before it begins the new history, and only then opens it.',
    edits: [
      {
        file: 'workflows/renew.ts',
        find: 'await condition(() => !inbox.isEmpty || allHandlersFinished());',
        replace: 'await condition(allHandlersFinished);',
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
      'A workflow continues as new with a decision that it has not taken up, or under a handler that still runs; nobody tells the next run.',
    edits: [
      {
        file: 'workflows/renew.ts',
        find: 'if (historyIsLong() && inbox.isEmpty && (await isQuiet(inbox))) {',
        replace: 'if (historyIsLong()) {',
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
  {
    name: 'unseen-characters-count',
    breaks:
      'A character that nobody sees makes another transaction of the same transfer, which then confirms one payment more.',
    edits: [
      {
        file: 'domain/manual-payment.ts',
        find: 'if (/[^0-9A-Za-z]/.test(folded)) {',
        replace: "if (folded === '') {",
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
      'What one tenant has confirmed in its own account blocks the same number in another tenant’s account of that name.',
    edits: [
      {
        file: 'core/manual-payments/store/submissions.ts',
        find: 'select s.application_id, s.mode, s.store_application_id, t.store_id, s.normalized, s.id, ?::bigint',
        replace: 'select s.application_id, s.mode, null::bigint, t.store_id, s.normalized, s.id, ?::bigint',
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
