import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { WorkflowHandle } from '@temporalio/client';
import { z } from 'zod';
import { openOrm } from '../../database/connection.ts';
import { startReceiver, type ReceivedEvent, type Receiver } from '../../scripts/development/demo/receiver.ts';
import type { DevFile } from '../../scripts/development/dev-file.ts';
import { linkTemporal, type TemporalLink } from '../../temporal/client.ts';
import { workflowIds } from '../../workflows/messages/names.ts';
import { isAlive } from '../support/launched-stack.ts';
import { signInOperators, type AsOperator } from '../journeys/operators.ts';
import { asOwner, attemptReference } from '../journeys/owner.ts';
import { payAndReturn } from '../journeys/payer.ts';
import { openTestShop, type ShopPayment, type TestShop } from '../journeys/shop.ts';
import { startStackToKill, type StackToKill } from '../journeys/stack-to-kill.ts';
import { verify } from '../journeys/verify.ts';
import { until } from '../support/until.ts';

/** With this amount the simulator does not send its first answer to a refund that it has accepted. */
const REFUND_ANSWER_IS_LOST = 131_361;
const THRESHOLD = 5_000;

const Refund = z.object({ id: z.int(), status: z.string(), createdBy: z.string(), approvedBy: z.string().nullable() });
type Refund = z.infer<typeof Refund>;

let stack: StackToKill;
let dev: DevFile;
let shop: TestShop;
let receiver: Receiver;
let temporal: TemporalLink;
let secret = '';
const events: ReceivedEvent[] = [];
let asOperator: AsOperator;

beforeAll(async () => {
  [stack, receiver] = await Promise.all([
    startStackToKill(),
    startReceiver(
      () => secret,
      (event) => void events.push(event),
    ),
  ]);
  dev = await stack.dev();
  const settings = { webhookUrl: receiver.url, refundApprovalThresholdMinor: BigInt(THRESHOLD) };
  shop = await openTestShop({ dev, directory: stack.directory }, settings);
  secret = shop.signingSecret;
  temporal = linkTemporal({ ...dev.temporal, uiUrl: null });
  asOperator = await signInOperators(() => dev);
});

afterAll(async () => {
  await temporal.close();
  await receiver.close();
  await stack.remove();
});

async function paidPayment(amountMinor = 20_000): Promise<ShopPayment> {
  const payment = await shop.create({ amountMinor });
  await payAndReturn(payment.checkoutUrl);
  await until(async () => (await shop.read(payment.id)).status === 'SUCCEEDED');
  return payment;
}

async function refundBy(role: string, { id }: ShopPayment, amountMinor: number): Promise<Refund> {
  const answer = await asOperator(role, 'POST', `/admin/payments/${id}/refunds`, { amountMinor, reason: 'Torn' });
  expect([answer.status, answer.code]).toEqual([201, null]);
  return Refund.parse(answer.data);
}

const approve = ({ id }: Refund, role = 'Finance') => asOperator(role, 'POST', `/admin/refunds/${id}/approve`);
async function read({ id }: Refund): Promise<Refund> {
  const answer = await asOperator('Finance', 'GET', `/admin/refunds/${id}`);
  expect([answer.status, answer.code]).toEqual([200, null]);
  return Refund.parse(answer.data);
}
const untilSucceeded = (refund: Refund): Promise<true> =>
  until(async () => (await read(refund)).status === 'SUCCEEDED');

async function workflowOf({ id }: Refund): Promise<WorkflowHandle> {
  const [row] = await asOwner<{ reference: string }>(dev.databaseUrl, {
    sql: 'select reference from refunds where id = ?',
    parameters: [id],
  });
  return temporal.client.workflow.getHandle(workflowIds.refund(row?.reference ?? ''));
}

/** Returns what the Temporal UI shows of the refund. */
async function detailsOf(refund: Refund): Promise<string> {
  const query = (await workflowOf(refund)).query<{ currentDetails?: string }>('__temporal_workflow_metadata');
  return (await query).currentDetails ?? '';
}

async function killWorker(): Promise<void> {
  const pid = (await stack.dev()).processes['worker'] ?? 0;
  process.kill(pid, 'SIGKILL');
  await until(() => !isAlive(pid));
}

/** Returns the refunds that the gateway itself has recorded for a payment. */
async function refunded({ reference }: ShopPayment): Promise<object[]> {
  const session = await attemptReference(dev.databaseUrl, reference);
  const response = await fetch(`${dev.simulators}/__sim/sessions/${session}`);
  const [found] = z.array(z.object({ refunds: z.array(z.object({})) })).parse(await response.json());
  return found?.refunds ?? [];
}

/** Checks everything that must have happened exactly once for a refund that succeeded. */
async function onceInAll(payment: ShopPayment, refund: Refund, status: string): Promise<void> {
  await untilSucceeded(refund);
  const told = () =>
    events.filter(({ body }) => z.object({ data: z.object({ id: z.int() }) }).parse(body).data.id === refund.id);
  await until(() => told().some(({ type }) => type === 'refund.succeeded'));
  expect(
    new Set(
      told()
        .filter(({ type }) => type === 'refund.succeeded')
        .map(({ id }) => id),
    ).size,
  ).toBe(1);
  expect(await refunded(payment)).toHaveLength(1);
  expect((await shop.read(payment.id)).status).toBe(status);
  const postings = await asOwner(dev.databaseUrl, {
    sql: `select p.amount_minor from ledger_postings p join ledger_transactions t on t.id = p.transaction_id
          join refunds r on r.reference = t.cause_id where t.cause_type = 'refund' and r.id = ?`,
    parameters: [refund.id],
  });
  expect(postings).toHaveLength(1);
}

describe('a refund over the threshold', () => {
  test('that Support begins and Finance approves tells at each stage in words what it waits for', async () => {
    // Tests approval by a second person over REST, and the text in the Temporal UI.
    const payment = await paidPayment();
    const refund = await refundBy('Support', payment, 6_000);
    expect(refund).toMatchObject({ status: 'AWAITING_APPROVAL', approvedBy: null });
    await until(async () => (await detailsOf(refund)).startsWith('Waiting until'));
    expect(await detailsOf(refund)).toMatch(
      /^Waiting until \d{4}-\d\d-\d\d \d\d:\d\d UTC for a second person to approve or reject\.$/,
    );
    const description = await (await workflowOf(refund)).describe();
    expect(await description.staticSummary()).toMatch(/^Refund of 60\.00 BDT for Rupali Books through sslcommerz/);
    expect(await refunded(payment)).toEqual([]);

    // Support has no right to approve, and operators must not approve their own refund.
    expect(await approve(refund, 'Support')).toMatchObject({ status: 403, code: 'FORBIDDEN' });
    const own = Refund.parse(
      (await asOperator('Admin', 'POST', `/admin/payments/${payment.id}/refunds`, { amountMinor: 5_001 })).data,
    );
    expect(await approve(own, 'Admin')).toMatchObject({ status: 403 });
    expect(await asOperator('Finance', 'POST', `/admin/refunds/${own.id}/reject`, { reason: 'Twice' })).toMatchObject({
      status: 200,
    });

    expect(await approve(refund)).toMatchObject({ status: 200, data: { status: 'PENDING' } });
    await until(async () => /^The gateway has not finished|^Ended/.test(await detailsOf(refund)));
    await onceInAll(payment, refund, 'PARTIALLY_REFUNDED');
    expect(await detailsOf(refund)).toBe('Ended: SUCCEEDED.');
    const { createdBy, approvedBy } = await read(refund);
    expect([createdBy, approvedBy]).toEqual([refund.createdBy, expect.stringMatching(/^operator:\d+$/)]);
    expect(approvedBy).not.toBe(createdBy);
    await until(async () => (await detailsOf(own)) === 'Ended: REJECTED.');
  });

  test('is carried out by a new worker when the one that waited for the approval was killed', async () => {
    // The approval arrives while no worker runs.
    const payment = await paidPayment();
    const refund = await refundBy('Support', payment, 20_000);
    await until(async () => (await detailsOf(refund)).startsWith('Waiting until'));
    await killWorker();
    expect(await approve(refund)).toMatchObject({ status: 200 });
    await onceInAll(payment, refund, 'REFUNDED');
  });
});

describe('a refund whose worker is killed', () => {
  test('at the gateway’s answer is asked for again under the same key, and given once', async () => {
    // An operator who has refunded much today would need a second person, so another operator requests this refund. The
    // gateway has accepted it; its answer does not arrive, and the worker that waits for it is killed.
    const payment = await paidPayment(REFUND_ANSWER_IS_LOST);
    const refund = await refundBy('Admin', payment, 4_000);
    await until(async () => (await refunded(payment)).length === 1);
    await killWorker();
    await onceInAll(payment, refund, 'PARTIALLY_REFUNDED');
  });

  test('at its posting is posted once by the next', async () => {
    // The posting waits for a lock when the worker is killed. No part of it may be left, and it must not be lost.
    const payment = await paidPayment();
    const orm = await openOrm({ url: dev.databaseUrl, role: 'owner', poolSize: 1 });
    try {
      const refund = await refundBy('Super Admin', payment, 4_000);
      await orm.em.fork().transactional(async (em) => {
        await em.execute('select 1 from payments where id = ? for update', [payment.id]);
        // Only the posting of this refund can wait for that lock.
        await until(async () => (await em.execute('select 1 from pg_locks where not granted')).length > 0);
        await killWorker();
      });
      await onceInAll(payment, refund, 'PARTIALLY_REFUNDED');
    } finally {
      await orm.close();
    }
  });
});

describe('after all of it', () => {
  test('the ledger verifies against payments, refunds and the gateway’s evidence', async () => {
    expect(await verify(stack.directory)).toMatchObject({ exitCode: 0 });
  });
});
