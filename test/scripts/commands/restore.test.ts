import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { openOrm } from '../../../database/connection.ts';
import type { InvoiceRecord } from '../../../core/invoices/store/invoices.ts';
import { doubtSucceededRefund } from '../../../core/refunds/store/refund-steps.ts';
import type { Charge, Gateway } from '../../../gateways/port.ts';
import { SSLCOMMERZ_CAPABILITIES } from '../../../gateways/sslcommerz/gateway.ts';
import { putRight, type RestoreReport } from '../../../scripts/commands/after-restore/put-right.ts';
import { needsPerson, reportInWords } from '../../../scripts/commands/after-restore/words.ts';
import type { Dispatch, PaymentHandle, RefundHandle } from '../../../core/dispatch.ts';
import { createDispatch } from '../../../temporal/dispatch.ts';
import { WORKFLOWS } from '../../../worker/workflow-bundle.ts';
import { SEARCH_ATTRIBUTES, TASK_QUEUES, workflowIds } from '../../../workflows/messages/names.ts';
import { openInvoiceWorld, type InvoiceWorld } from '../../core/invoices/invoice-world.ts';
import { copyDatabase, createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { registryOf } from '../../support/gateways.ts';
import type { StoredPayment, StoredRefund } from '../../support/stored.ts';
import { connectTestTemporal, createTestNamespace, type TestTemporal } from '../../support/temporal.ts';
import { until } from '../../support/until.ts';

/** What was paid and refunded at a gateway, by order and by refund. The gateway loses nothing when our database does. */
const paid = new Set<string>();
const refundsSent = new Map<string, { readonly queriedBefore: boolean }[]>();

function chargeOf(attempt: string): Charge {
  return {
    validationId: `V-${attempt}`,
    gatewayTxnId: `B-${attempt}`,
    attemptReference: attempt,
    storeId: 'teststore',
    orderAmountMinor: 10_000n,
    orderCurrency: 'BDT',
    grossMinor: 10_000n,
    currency: 'BDT',
    feeMinor: 0n,
    netText: '100.00',
    riskFlagged: false,
    evidence: JSON.stringify({
      attemptReference: attempt,
      validationId: `V-${attempt}`,
      gatewayTxnId: `B-${attempt}`,
      gross: '10000',
    }),
  };
}

const GATEWAY: Gateway = {
  capabilities: SSLCOMMERZ_CAPABILITIES,
  storeId: 'teststore',
  openSession: ({ attemptReference }) =>
    Promise.resolve({ kind: 'opened', sessionKey: `S-${attemptReference}`, gatewayUrl: 'https://gateway.example/' }),
  queryAttempt: ({ attemptReference, knownValidationIds }) =>
    Promise.resolve(
      paid.has(attemptReference) && !knownValidationIds.includes(`V-${attemptReference}`)
        ? { kind: 'charged', charge: chargeOf(attemptReference) }
        : { kind: 'not-started' },
    ),
  parseCallback: () => ({
    claims: 'unknown',
    attemptReference: null,
    claimedValidationId: null,
    signatureValid: false,
    note: null,
  }),
  refund({ refundReference, queriedBefore }) {
    refundsSent.set(refundReference, [...(refundsSent.get(refundReference) ?? []), { queriedBefore }]);
    return Promise.resolve({ kind: 'refunded', evidence: '{}' });
  },
  queryRefund: () => Promise.resolve({ kind: 'refunded', evidence: '{}' }),
};

let temporal: TestTemporal;
let dispatch: Dispatch;
let original: TestDatabase;
let dump: TestDatabase;

beforeAll(async () => {
  try {
    Runtime.install({ logger: new DefaultLogger('ERROR') });
  } catch {
    // Another file in this process has already installed it.
  }
  temporal = await connectTestTemporal({ timeSkipping: false, namespace: await createTestNamespace() });
  dispatch = createDispatch(temporal.client);
  original = await createTestDatabase();
});
afterAll(async () => {
  await temporal.close();
  await original.drop();
  await dump.drop();
});

type Existing = { readonly stored: TestDatabase; readonly applicationId?: bigint };

/** Runs an api and a worker of one time over one database. Closes their pools afterwards and keeps the database. */
async function living<T>(existing: Existing, work: (world: InvoiceWorld) => Promise<T>): Promise<T> {
  const stored = { ...existing.stored, drop: () => Promise.resolve() };
  const gateways = registryOf({ open: () => GATEWAY });
  const world = await openInvoiceWorld({ dispatch, gateways, existing: { ...existing, stored } });
  const worker = await Worker.create({
    connection: temporal.nativeConnection,
    namespace: temporal.namespace,
    taskQueue: TASK_QUEUES.payments,
    ...WORKFLOWS,
    activities: world.activities,
  });
  const running = worker.run();
  try {
    return await work(world);
  } finally {
    worker.shutdown();
    await running;
    await world.close();
  }
}

const handleOf = ({ reference, applicationId, mode }: StoredPayment): PaymentHandle => ({
  reference,
  applicationId: BigInt(applicationId),
  applicationName: 'Shop',
  mode,
  amount: { amountMinor: 10_000n, currency: 'BDT' },
  gateway: 'sslcommerz',
  invoiceId: 1n,
});

const refundHandleOf = ({ reference, applicationId, mode }: StoredRefund): RefundHandle => ({
  reference,
  applicationId: BigInt(applicationId),
  applicationName: 'Shop',
  mode,
  amount: { amountMinor: 4_000n, currency: 'BDT' },
  gateway: 'sslcommerz',
  awaitsApproval: false,
});

const statusOf = async (world: InvoiceWorld, table: 'payments' | 'refunds', reference: string): Promise<unknown> =>
  (await world.rows(`select status from ${table} where reference = ?`, [reference]))[0]?.['status'];

async function lastSequences(world: InvoiceWorld): Promise<Map<string, number>> {
  const rows = await world.rows<{ reference: string; last: number }>(
    'select p.reference, max(e.sequence) as last from webhook_events e join payments p on p.id = e.payment_id group by 1',
  );
  return new Map(rows.map(({ reference, last }) => [reference, last]));
}

async function attemptOf(world: InvoiceWorld, { reference }: StoredPayment): Promise<string> {
  const [row] = await world.rows<{ reference: string }>(
    'select t.reference from payment_attempts t join payments p on p.id = t.payment_id where p.reference = ?',
    [reference],
  );
  return row?.reference ?? '';
}

/** Begins a payment and opens it at the gateway. */
async function opened(world: InvoiceWorld, invoice: InvoiceRecord): Promise<StoredPayment> {
  const payment = await world.begin(invoice, 10_000n);
  await dispatch.openCheckout(handleOf(payment), { timeoutMs: 30_000, unreachableMs: 30_000 });
  return payment;
}

async function pay(world: InvoiceWorld, payment: StoredPayment): Promise<void> {
  paid.add(await attemptOf(world, payment));
  await dispatch.signalCallback(payment.reference, 1n);
  await until(async () => (await statusOf(world, 'payments', payment.reference)) === 'SUCCEEDED');
  await temporal.client.workflow.getHandle(workflowIds.payment(payment.reference)).result();
}

async function sendRefund(world: InvoiceWorld, refund: StoredRefund): Promise<void> {
  await dispatch.startRefund(refundHandleOf(refund));
  await until(async () => (await statusOf(world, 'refunds', refund.reference)) === 'SUCCEEDED');
  await temporal.client.workflow.getHandle(workflowIds.refund(refund.reference)).result();
}

const waitsFor = async (workflowId: string): Promise<unknown> =>
  (await temporal.client.workflow.getHandle(workflowId).describe()).typedSearchAttributes.get(
    SEARCH_ATTRIBUTES.waitsFor,
  );

const running = async (workflowId: string): Promise<string> =>
  (await temporal.client.workflow.getHandle(workflowId).describe()).status.name;

describe('a database that is set back to an older state', () => {
  let applicationId: bigint;
  let waiting: StoredPayment;
  let settled: StoredPayment;
  let later: StoredPayment;
  let expired: StoredPayment;
  let refund: StoredRefund;
  let returned: StoredRefund;
  let approved: StoredRefund;
  let lostOpen: StoredPayment;
  let lostPaid: StoredPayment;
  let lostNumber: bigint;
  let lostAttempt: string;
  /** The sequences that receivers saw of events after the dump. */
  let seen: ReadonlyMap<string, number>;

  test('before it: some is open, and then goes on', async () => {
    // These rows are in the dump.
    await living({ stored: original }, async (world) => {
      ({ applicationId } = world.caller.scope);
      waiting = await opened(world, await world.bill());
      later = await opened(world, await world.bill());
      settled = await opened(world, await world.bill());
      await pay(world, settled);
      refund = await world.queryRefund(settled, 4_000n);
      returned = await world.queryRefund(settled, 4_000n);
      await sendRefund(world, returned);
      approved = await world.queryRefund(settled, 2_000n);
      await world.rows(
        `update refunds set status = 'AWAITING_APPROVAL', approval_due_at = now() + interval '7 days' where reference = ? returning 1`,
        [approved.reference],
      );
      expired = await world.begin(await world.bill(), 10_000n);
      await world.activities.finalizePayment({ ...expired, status: 'EXPIRED' });
    });
    dump = await copyDatabase(original);
    // These rows are not in the dump.
    await living({ stored: original, applicationId }, async (world) => {
      await pay(world, later);
      await sendRefund(world, refund);
      await world.rows(
        `update refunds set status = 'PENDING', approval_due_at = null where reference = ? returning 1`,
        [approved.reference],
      );
      await sendRefund(world, approved);
      await world.database.withScope({ applicationId, mode: 'TEST' }, (em) =>
        doubtSucceededRefund(em, { reference: returned.reference, evidence: '{}' }),
      );
      await dispatch.startRefund({ ...refundHandleOf(returned), doubted: true });
      await until(async () => (await waitsFor(workflowIds.refund(returned.reference))) === 'review');
      const attempt = await attemptOf(world, expired);
      paid.add(attempt);
      await dispatch.startUnappliedPayment(handleOf(expired), { attemptReference: attempt, callbackId: 0n });
      await until(async () => (await world.rows('select 1 from unapplied_payments')).length === 1);
      const invoice = await world.bill();
      lostNumber = invoice.number ?? 0n;
      await dispatch.notifyInvoice(
        {
          reference: invoice.reference,
          applicationId,
          applicationName: 'Shop',
          mode: 'TEST',
          number: `INV-${String(lostNumber).padStart(6, '0')}`,
          amount: { amountMinor: 10_000n, currency: 'BDT' },
        },
        'issued',
      );
      lostOpen = await opened(world, invoice);
      lostPaid = await opened(world, await world.bill());
      await pay(world, lostPaid);
      lostAttempt = await attemptOf(world, lostPaid);
      seen = await lastSequences(world);
    });
  });

  const restore = (world: InvoiceWorld, dryRun: boolean): Promise<RestoreReport> =>
    withOwner(dump, (owner) =>
      putRight({ database: world.database, owner, client: temporal.client, takenAt: null, dryRun }),
    );

  /** Runs without a worker, as the restore procedure prescribes. */
  async function restored<T>(work: (world: InvoiceWorld) => Promise<T>): Promise<T> {
    const stored = { ...dump, drop: () => Promise.resolve() };
    const world = await openInvoiceWorld({ dispatch, existing: { stored, applicationId } });
    try {
      return await work(world);
    } finally {
      await world.close();
    }
  }

  test('is told as it stands by a dry run, which changes nothing', async () => {
    await restored(async (world) => {
      await until(async () => (await restore(world, true)).lost.length >= 3);
      const numbers = () =>
        withOwner(dump, (owner) =>
          owner.execute<Record<string, unknown>[]>(
            'select sequencename, last_value from pg_sequences order by sequencename',
          ),
        );
      const before = await numbers();
      const report = await restore(world, true);
      expect(await numbers()).toEqual(before);
      const lost = new Map(report.lost.map((workflow) => [workflow.workflowId, workflow]));
      expect(lost.get(workflowIds.payment(lostOpen.reference))).toMatchObject({ running: true, money: true });
      expect(lost.get(workflowIds.payment(lostPaid.reference))).toMatchObject({
        running: false,
        money: true,
        status: 'SUCCEEDED',
        gateway: 'sslcommerz',
        amountMinor: 10_000n,
        startedAt: expect.any(Date),
        details: { gatewayReferences: [lostAttempt], amount: '100.00 BDT' },
      });
      expect(reportInWords(report)).toMatch(
        new RegExp(
          `payment:${lostPaid.reference} .* 100\\.00 BDT .* started 20\\d\\d-.*Z  at the gateway ${lostAttempt}`,
        ),
      );
      expect(report.payments.toSorted(byReference)).toEqual(
        [
          { reference: waiting.reference, before: 'RUNNING' },
          { reference: later.reference, before: 'COMPLETED' },
        ].toSorted(byReference),
      );
      expect(report.refunds.toSorted(byReference)).toEqual(
        [
          { reference: refund.reference, before: 'COMPLETED', approvalLost: false },
          { reference: approved.reference, before: 'COMPLETED', approvalLost: true },
        ].toSorted(byReference),
      );
      expect(reportInWords(report)).toMatch(
        new RegExp(`await approval again, although they had been approved.*\\n {2}refund:${approved.reference}\\n`),
      );
      expect(needsPerson(report)).toBe(true);
      expect(reportInWords(report)).toContain(`payment:${lostPaid.reference}`);
      expect(await running(workflowIds.payment(lostOpen.reference))).toBe('RUNNING');
      expect(await running(workflowIds.payment(later.reference))).toBe('COMPLETED');
    });
  });

  test('is put right: orphans end, and no number is given out again', async () => {
    await restored(async (world) => {
      const file = `pof_${'a'.repeat(22)}`;
      const [known, gone] = ['2026-11-20', '2026-11-21'].map((period) => ({
        mode: 'LIVE' as const,
        gateway: 'sslcommerz',
        period,
        operatorId: null,
      }));
      if (known === undefined || gone === undefined) {
        throw new Error('there are two days');
      }
      await withOwner(dump, (owner) =>
        owner.execute(
          `insert into reconciliation_runs (reference, mode, gateway, period) values ('rec_' || repeat('a', 22), 'LIVE', 'sslcommerz', '2026-11-20')`,
        ),
      );
      await dispatch.startPayoutImport({
        reference: file,
        mode: 'LIVE',
        gateway: 'sslcommerz',
        storeId: 'teststore',
        digest: Buffer.alloc(32, 0xab),
      });
      await dispatch.startReconciliation(gone);
      await until(async () =>
        (await restore(world, true)).lost.some(({ workflowId }) => workflowId === workflowIds.payoutImport(file)),
      );
      const report = await restore(world, false);
      expect(await running(workflowIds.payoutImport(file))).toBe('TERMINATED');
      expect(reportInWords(report)).toMatch(
        new RegExp(
          `Upload them again[^]*payout-import:${file}  LIVE  sslcommerz, store teststore .* SHA-256 ${'ab'.repeat(32)}`,
        ),
      );
      expect(report.lostRuns.map(({ workflowId }) => workflowId)).toEqual([workflowIds.reconciliation(gone)]);
      expect(needsPerson({ ...report, lost: [], skippedNumbers: [], refunds: [] })).toBe(true);
      expect(reportInWords(report)).toMatch(new RegExp(`run them again[^]*${workflowIds.reconciliation(gone)}`));
      expect(await running(workflowIds.reconciliation(gone))).toBe('TERMINATED');
      expect(report.runs).toEqual([{ reference: workflowIds.reconciliation(known), before: 'NONE' }]);
      expect(await running(workflowIds.reconciliation(known))).toBe('RUNNING');
      expect(await running(workflowIds.payment(lostOpen.reference))).toBe('TERMINATED');
      expect(report.skippedNumbers).toEqual([
        { applicationId: BigInt(applicationId), mode: 'TEST', from: lostNumber, number: lostNumber + 1n },
      ]);
      const invoice = await world.bill();
      expect(invoice.number).toBe(lostNumber + 2n);
      const next = await world.begin(invoice, 10_000n);
      expect(BigInt(next.paymentId)).toBeGreaterThan(BigInt(lostPaid.paymentId));
      expect(await statusOf(world, 'payments', later.reference)).toBe('PENDING');
    });
  });

  test('is put right: people are asked again about a refund that failed after it had succeeded', async () => {
    // The gateway reported it before the restore and does not report it again.
    await living({ stored: dump, applicationId }, async (world) => {
      const [row] = await world.rows('select status, review_reason from refunds where reference = ?', [
        returned.reference,
      ]);
      expect(row).toEqual({ status: 'SUCCEEDED', review_reason: 'FAILED_AFTER_SUCCESS' });
      const workflowId = workflowIds.refund(returned.reference);
      await until(async () => (await waitsFor(workflowId)) === 'review');
      expect(await running(workflowId)).toBe('RUNNING');
    });
  });

  test('catches up with its gateways once workers run, and books everything once', async () => {
    await living({ stored: dump, applicationId }, async (world) => {
      await until(async () => (await statusOf(world, 'payments', later.reference)) === 'SUCCEEDED');
      await until(async () => (await statusOf(world, 'refunds', refund.reference)) === 'SUCCEEDED');
      await until(async () => (await world.rows('select 1 from unapplied_payments')).length === 1);
      const now = await lastSequences(world);
      for (const { reference } of [later, settled]) {
        // Receivers ignore an event with a sequence that they have seen.
        expect(now.get(reference)).toBeGreaterThan(seen.get(reference) ?? Infinity);
      }
      // The gateway had already refunded it. The second request has `queriedBefore`, so that the gateway looks for the first refund.
      expect(refundsSent.get(refund.reference)).toEqual([{ queriedBefore: false }, { queriedBefore: true }]);
      expect(await statusOf(world, 'payments', waiting.reference)).toBe('PENDING');
      // It is not sent again until it is approved again, and is not rejected without a person's check.
      expect(refundsSent.get(approved.reference)).toHaveLength(1);
      expect(await world.activities.decideRefund({ ...approved, decisionIds: [], expired: true })).toMatchObject({
        kind: 'awaiting',
      });
      await world.rows(`update refunds set approval_due_at = now() where reference = ? returning 1`, [
        approved.reference,
      ]);
      expect(await world.activities.decideRefund({ ...approved, decisionIds: [], expired: true })).toEqual({
        kind: 'review',
        reason: 'REJECTED_AFTER_DOUBT',
      });
      await pay(world, waiting);
      expect((await world.verify()).findings).toEqual([]);
      // Operators may run the restore again after an interruption. It must not change what is already correct.
      const invoices = await world.rows('select * from invoice_counters');
      const report = await restore(world, false);
      expect(report.payments.map(({ reference }) => reference)).not.toContain(later.reference);
      expect(await world.rows('select * from invoice_counters')).toEqual(invoices);
      // The events of disputes that were opened since came to the state that is lost.
      const searches = await world.rows<{ since: string }>('select since from dispute_searches order by id');
      expect(new Date(searches.at(-1)?.since ?? '')).toEqual(report.since);
    });
  });
});

const byReference = (one: { reference: string }, other: { reference: string }): number =>
  one.reference < other.reference ? -1 : 1;

type Owner = Parameters<typeof putRight>[0]['owner'];

async function withOwner<T>({ url }: TestDatabase, work: (owner: Owner) => Promise<T>): Promise<T> {
  const orm = await openOrm({ url, role: 'owner', poolSize: 1 });
  try {
    return await work(orm.em.fork());
  } finally {
    await orm.close();
  }
}
