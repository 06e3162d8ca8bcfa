import type { WorkflowHandle } from '@temporalio/client';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { activityInfo } from '@temporalio/activity';
import { Worker } from '@temporalio/worker';
import { detailsOf } from '../workflows/staged-payments.ts';
import { createEndpointGate } from '../../core/webhooks/endpoint-gate.ts';
import { createLedgerActivities } from '../../activities/ledger.ts';
import { createSweepActivities } from '../../activities/sweep.ts';
import { createWebhookActivities } from '../../activities/webhooks.ts';
import { chooseGateway } from '../../core/payments/store/gateway-choices.ts';
import { updateApplication } from '../../core/applications/store/applications.ts';
import { reserveRefund } from '../../core/refunds/store/new-refunds.ts';
import type { RefundRecord } from '../../core/refunds/store/refunds.ts';
import { attemptReference, refundReference } from '../../domain/references.ts';
import { WITHOUT_REFUND_BOUNDS } from '../../domain/refund.ts';
import { parseAllowList } from '../../domain/outbound-url.ts';
import { createHttpClient } from '../../runtime/http-client.ts';
import { createSecretBox } from '../../runtime/secrets.ts';
import { refundHandleOf } from '../../core/dispatch.ts';
import { createDispatch } from '../../temporal/dispatch.ts';
import { ensureLoop, SEALER, SWEEPER, type LoopToRun } from '../../temporal/loops.ts';
import { WORKFLOWS } from '../../worker/workflow-bundle.ts';
import { loopProgressQuery, pauseSignal, resumeSignal, wakeSignal } from '../../workflows/messages/loop.ts';
import { TASK_QUEUES, workflowIds } from '../../workflows/messages/names.ts';
import { createPaymentWorld, type NewPayment, type PaymentWorld, type Row } from '../core/payments/payment-world.ts';
import { connectTestTemporal, createTestNamespace, type TestTemporal } from '../support/temporal.ts';
import { until } from '../support/until.ts';
import type { StoredPayment } from '../support/stored.ts';

/** The real worker code on a real Postgres, the simulator and a real Temporal server. */
export interface Recorder {
  readonly world: PaymentWorld;
  readonly realTime: TestTemporal;
  /** Workflows started here skip their timers. */
  readonly skipping: TestTemporal;
  /** The status that the application's receiver returns, and the bodies that it received. */
  readonly receiver: { status: number; readonly bodies: string[] };
  close(): Promise<void>;
}

export async function openRecorder(): Promise<Recorder> {
  const namespace = await createTestNamespace();
  const realTime = await connectTestTemporal({ timeSkipping: false, namespace });
  const skipping = await connectTestTemporal({ timeSkipping: true, namespace });
  const world = await createPaymentWorld({ dispatch: createDispatch(realTime.client) });
  const shop = await startReceiver();
  await updateApplication(
    { database: world.database },
    { applicationId: world.app.applicationId, webhookUrl: shop.url },
  );
  const allow = parseAllowList('127.0.0.1:*');
  const http = createHttpClient({ guard: 'public-only', allow });
  const secrets = createSecretBox(`test:${Buffer.alloc(32, 7).toString('base64')}`);
  const shared = { connection: realTime.nativeConnection, namespace, ...WORKFLOWS };
  const workers = await Promise.all([
    Worker.create({ ...shared, taskQueue: TASK_QUEUES.payments, activities: world.activities }),
    Worker.create({
      ...shared,
      taskQueue: TASK_QUEUES.maintenance,
      activities: { ...createSweepActivities({ ...world.deps, mailer: null }), ...createLedgerActivities(world.deps) },
    }),
    Worker.create({
      ...shared,
      taskQueue: TASK_QUEUES.webhooks,
      activities: createWebhookActivities({
        database: world.database,
        http,
        secrets,
        allow,
        log: world.deps.log,
        gate: createEndpointGate(),
        // Deliveries whose clock skips record the time of their workflow.
        now: () => activityInfo().currentAttemptScheduledTimestampMs,
      }),
    }),
  ]);
  const running = Promise.all(workers.map((worker) => worker.run()));
  return {
    world,
    realTime,
    skipping,
    receiver: shop.receiver,
    async close() {
      for (const worker of workers) {
        worker.shutdown();
      }
      await running;
      await http.close();
      await shop.close();
      await realTime.close();
      await skipping.close();
      await world.close();
    },
  };
}

async function startReceiver() {
  const receiver: Recorder['receiver'] = { status: 200, bodies: [] };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      receiver.bodies.push(Buffer.concat(chunks).toString());
      response.writeHead(receiver.status).end();
    });
  });
  await new Promise<void>((settle) => {
    server.listen(0, '127.0.0.1', settle);
  });
  return {
    receiver,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    close: () =>
      new Promise<void>((settle) => {
        server.closeAllConnections();
        server.close(() => settle());
      }),
  };
}

export interface Begun {
  readonly input: StoredPayment;
  readonly attempt: Row;
  readonly handle: WorkflowHandle;
}

/** Starts a payment as the API does, and waits until its checkout is open. */
export async function begin(
  { world, realTime, skipping }: Recorder,
  { jump = false, ...fields }: NewPayment & { jump?: boolean } = {},
): Promise<Begun> {
  const input = await world.payment(fields);
  const { client } = jump ? skipping : realTime;
  await createDispatch(client).openCheckout(world.handleOf(input), { timeoutMs: 60_000, unreachableMs: 30_000 });
  return {
    input,
    attempt: await world.attemptRow(input),
    handle: client.workflow.getHandle(workflowIds.payment(input.reference)),
  };
}

async function ended({ handle }: Begun): Promise<History> {
  await handle.result();
  return handle.fetchHistory();
}

async function finished(recorder: Recorder, status: string): Promise<History> {
  const begun = await begin(recorder);
  await recorder.world.finish(begun.attempt, status);
  return ended(begun);
}

/** Chooses a gateway as our page does: the row first, then the workflow is signalled and opens the session. */
async function choosing({ world }: Recorder, { input }: Begun): Promise<void> {
  const scope = { applicationId: world.app.applicationId, mode: input.mode };
  const reference = attemptReference();
  const storeId = world.deps.gateways.defaultStoreId('sslcommerz', input.mode) ?? null;
  const choice = { paymentId: BigInt(input.paymentId), gateway: 'sslcommerz', reference, storeId };
  await world.database.withScope(scope, (statements) => chooseGateway(statements, choice));
  const wait = { attemptReference: reference, timeoutMs: 60_000, unreachableMs: 30_000 };
  await world.deps.dispatch.chooseGateway(world.handleOf(input), wait);
}

async function deliveryOf({ world, realTime }: Recorder, { input }: Begun): Promise<WorkflowHandle> {
  const [event] = await world.rows('select event_id from webhook_events where payment_id = ?::bigint', [
    input.paymentId,
  ]);
  return realTime.client.workflow.getHandle(workflowIds.webhook(String(event?.['event_id'])));
}

/** Pays a payment whose receiver refuses the first attempt. */
async function failedDelivery(recorder: Recorder): Promise<{ begun: Begun; delivery: WorkflowHandle }> {
  recorder.receiver.status = 503;
  const begun = await begin(recorder);
  await recorder.world.finish(begun.attempt);
  await begun.handle.result();
  const delivery = await deliveryOf(recorder, begun);
  await until(async () => (await historyLength(delivery)) >= 11);
  return { begun, delivery };
}

const silent: NewPayment = { amountMinor: 131_310n };

/** One run for each path that one of our workflows can take. */
export const BRANCHES: Readonly<Record<string, (recorder: Recorder) => Promise<History>>> = {
  'payment-succeeds': (recorder) => finished(recorder, 'VALID'),
  'payment-fails': (recorder) => finished(recorder, 'FAILED'),
  'payment-cancelled-at-gateway': (recorder) => finished(recorder, 'CANCELLED'),
  'payment-expires': async (recorder) => ended(await begin(recorder, { jump: true })),
  async 'payment-cancelled-by-payer'(recorder) {
    const begun = await begin(recorder);
    await recorder.world.rows('update payments set cancel_requested_at = now() where id = ?::bigint returning 1', [
      begun.input.paymentId,
    ]);
    await recorder.world.deps.dispatch.signalCancel(begun.input.reference);
    return ended(begun);
  },
  async 'payment-silent-then-found-paid'(recorder) {
    const begun = await begin(recorder, { ...silent, expiresInMs: 2_000 });
    await recorder.world.finish(begun.attempt);
    return ended(begun);
  },
  async 'payment-refused'(recorder) {
    const begun = await begin(recorder, { amountMinor: 131_340n });
    return ended(begun);
  },
  async 'payment-opened-at-second-try'(recorder) {
    const begun = await begin(recorder, { amountMinor: 131_343n });
    await recorder.world.finish(begun.attempt);
    return ended(begun);
  },
  async 'payment-gateway-chosen'(recorder) {
    const begun = await begin(recorder, { gatewayChoices: ['sslcommerz'] });
    await choosing(recorder, begun);
    await recorder.world.finish(await recorder.world.attemptRow(begun.input));
    return ended(begun);
  },
  async 'payment-gateway-refused-then-cancelled'(recorder) {
    const begun = await begin(recorder, { gatewayChoices: ['sslcommerz'], amountMinor: 131_340n });
    await choosing(recorder, begun);
    await recorder.world.rows('update payments set cancel_requested_at = now() where id = ?::bigint returning 1', [
      begun.input.paymentId,
    ]);
    await recorder.world.deps.dispatch.signalCancel(begun.input.reference);
    return ended(begun);
  },
  async 'payment-in-review'(recorder) {
    const begun = await begin(recorder, { amountMinor: 131_320n });
    await recorder.world.finish(begun.attempt);
    await until(async () => (await recorder.world.paymentRow(begun.input))['review_reason'] !== null);
    await until(async () => (await detailsOf(begun.handle)).startsWith('Under review'));
    const history = await begun.handle.fetchHistory();
    await begun.handle.terminate();
    return history;
  },
  async 'unapplied-money-held'(recorder) {
    const { attempt, late } = await expiredThenPaid(recorder, silent);
    await recorder.world.finish(attempt);
    const handle = await late();
    await until(
      async () =>
        (await recorder.world.rows('select 1 from unapplied_payments where attempt_id = ?', [attempt['id']])).length ===
        1,
    );
    await until(async () => (await historyLength(handle)) >= 11);
    const history = await handle.fetchHistory();
    await handle.terminate();
    return history;
  },
  async 'unapplied-money-nothing'(recorder) {
    const { late } = await expiredThenPaid(recorder);
    const handle = await late();
    await handle.result();
    return handle.fetchHistory();
  },
  'refund-succeeds': async (recorder) => endOf(await refunding(recorder)),
  'refund-refused': async (recorder) => endOf(await refunding(recorder, { amountMinor: 131_362n })),
  async 'refund-approved'(recorder) {
    const refund = await refunding(recorder, { awaits: true });
    await until(async () => (await historyLength(refund.handle)) >= 6);
    await refund.decide('approve');
    return endOf(refund);
  },
  async 'refund-rejected'(recorder) {
    const refund = await refunding(recorder, { awaits: true });
    await until(async () => (await historyLength(refund.handle)) >= 6);
    await refund.decide('reject');
    return endOf(refund);
  },
  'refund-approval-expires': async (recorder) => endOf(await refunding(recorder, { awaits: true, jump: true })),
  async 'refund-in-review-then-rejected'(recorder) {
    const refund = await refunding(recorder, { amountMinor: 131_364n });
    await untilReviewed(recorder, refund, 'GATEWAY_CANCELLED');
    await refund.decide('reject');
    return endOf(refund);
  },
  async 'unapplied-money-refunded-by-decision'(recorder) {
    const { attempt, late } = await expiredThenPaid(recorder, silent);
    await recorder.world.finish(attempt);
    const handle = await late();
    const heldRow = async (): Promise<Row | undefined> =>
      (await recorder.world.rows('select * from unapplied_payments where attempt_id = ?', [attempt['id']]))[0];
    await until(async () => (await heldRow()) !== undefined);
    await until(async () => (await historyLength(handle)) >= 11);
    const [, approver] = await twoOperators(recorder.world);
    const [row] = await recorder.world.rows(
      `insert into decisions (application_id, mode, kind, payment_id, unapplied_payment_id, decision, operator_id)
       select application_id, mode, 'unapplied-payment', payment_id, id, 'refund', ?::bigint from unapplied_payments where id = ?::bigint returning id`,
      [approver, (await heldRow())?.['id']],
    );
    await handle.signal('decision', String(row?.['id']));
    await handle.result();
    return handle.fetchHistory();
  },
  async 'webhook-delivered'(recorder) {
    const begun = await begin(recorder);
    await recorder.world.finish(begun.attempt);
    await begun.handle.result();
    const delivery = await deliveryOf(recorder, begun);
    await delivery.result();
    return delivery.fetchHistory();
  },
  async 'webhook-retried'(recorder) {
    const { delivery } = await failedDelivery(recorder);
    recorder.receiver.status = 200;
    await delivery.result();
    return delivery.fetchHistory();
  },
  async 'webhook-after-failed-first-attempt'(recorder) {
    const { begun, delivery: first } = await failedDelivery(recorder);
    await first.terminate();
    recorder.receiver.status = 200;
    const { reference, mode } = begun.input;
    const eventId = first.workflowId.slice('webhook:'.length);
    const event = {
      eventId,
      applicationId: recorder.world.app.applicationId,
      mode,
      type: 'payment.succeeded',
      reference,
    };
    const failed = { attempt: 2, recorded: 1, retryInMs: 100 };
    await createDispatch(recorder.realTime.client).startDelivery(event, failed);
    const delivery = await deliveryOf(recorder, begun);
    await delivery.result();
    return delivery.fetchHistory();
  },
  async 'sweeper-paused-and-woken'({ realTime }) {
    const { handle, passed, paused } = await looping(realTime, SWEEPER);
    await handle.signal(pauseSignal);
    await paused();
    await handle.signal(wakeSignal);
    await passed(2);
    await paused();
    await handle.signal(resumeSignal);
    await passed(3);
    return ofOpen(handle);
  },
  async 'sealer-passes-twice'({ realTime }) {
    const { handle, passed } = await looping(realTime, SEALER);
    await handle.signal(wakeSignal);
    await passed(2);
    return ofOpen(handle);
  },
};

interface Refunding {
  readonly handle: WorkflowHandle;
  readonly refund: RefundRecord;
  /** Decides as a second person does: the row first, then the signal. */
  decide(word: string): Promise<void>;
}

/** Starts a refund of a paid payment as the API does. The simulator behaves differently for some payment amounts. */
async function refunding(
  recorder: Recorder,
  { amountMinor = 10_000n, awaits = false, jump = false }: NewPayment & { awaits?: boolean; jump?: boolean } = {},
): Promise<Refunding> {
  const { world, realTime, skipping } = recorder;
  const begun = await begin(recorder, { amountMinor });
  await world.finish(begun.attempt);
  await begun.handle.result();
  const [creator, approver] = await twoOperators(world);
  await updateApplication(
    { database: world.database },
    { applicationId: world.app.applicationId, refundApprovalThresholdMinor: awaits ? 5_000n : null },
  );
  const scope = { applicationId: world.app.applicationId, mode: begun.input.mode };
  const refund = await world.database.withScope(scope, (statements) =>
    reserveRefund(statements, {
      scope,
      paymentId: BigInt(begun.input.paymentId),
      reference: refundReference(),
      amountMinor: awaits ? 6_000n : 4_000n,
      reason: null,
      creator: { type: 'USER', operatorId: creator },
      boundsOf: () => WITHOUT_REFUND_BOUNDS,
    }),
  );
  const { client } = jump ? skipping : realTime;
  const refundHandle = refundHandleOf(refund, 'Shop');
  await createDispatch(client).startRefund(refundHandle);
  return {
    refund,
    handle: client.workflow.getHandle(workflowIds.refund(refund.reference)),
    async decide(word) {
      const [row] = await world.rows(
        `insert into decisions (application_id, mode, kind, payment_id, refund_id, decision, operator_id)
         select application_id, mode, 'refund', payment_id, id, ?, ?::bigint from refunds where id = ?::bigint returning id`,
        [word, approver, refund.id],
      );
      await createDispatch(client).startRefund(refundHandle, BigInt(String(row?.['id'])));
    },
  };
}

async function twoOperators({ rows }: PaymentWorld): Promise<[bigint, bigint]> {
  const inserted = await rows(
    `insert into operators (email, name, password_hash) select gen_random_uuid() || '@example.com', 'Somebody', 'none'
     from generate_series(1, 2) returning id`,
  );
  const [creator, approver] = inserted.map(({ id }) => BigInt(String(id)));
  return [creator ?? 0n, approver ?? 0n];
}

async function untilReviewed({ world }: Recorder, { refund }: Refunding, reason: string): Promise<void> {
  for (let seconds = 0; seconds < 90; seconds += 1) {
    const [row] = await world.rows('select review_reason from refunds where id = ?', [refund.id]);
    if (row?.['review_reason'] === reason) {
      return;
    }
    await sleep(1_000);
  }
  throw new Error(`no review for ${reason}`);
}

async function endOf({ handle }: Refunding): Promise<History> {
  await handle.result();
  return handle.fetchHistory();
}

async function historyLength(handle: WorkflowHandle): Promise<number> {
  return (await handle.describe()).historyLength;
}

/** Returns a payment that expired. `late` starts the search for money that came afterwards. */
async function expiredThenPaid(recorder: Recorder, fields: NewPayment = {}) {
  const begun = await begin(recorder, { ...fields, jump: true });
  await begun.handle.result();
  const { world, realTime } = recorder;
  const attemptReference = String(begun.attempt['reference']);
  return {
    attempt: begun.attempt,
    async late() {
      await world.deps.dispatch.startUnappliedPayment(world.handleOf(begun.input), {
        attemptReference,
        callbackId: 1n,
      });
      return realTime.client.workflow.getHandle(workflowIds.unappliedPayment(attemptReference));
    },
  };
}

async function looping({ client }: TestTemporal, loop: LoopToRun) {
  await ensureLoop(client, loop);
  const handle = client.workflow.getHandle(loop.workflowId);
  const passed = (times: number) => until(async () => (await handle.query(loopProgressQuery)).passes === times);
  const paused = () => until(async () => (await handle.query(loopProgressQuery)).state === 'paused');
  await passed(1);
  return { handle, passed, paused };
}

/** Returns the history so far of a workflow that does not end. */
async function ofOpen(handle: WorkflowHandle): Promise<History> {
  const history = await handle.fetchHistory();
  await handle.terminate();
  return history;
}
