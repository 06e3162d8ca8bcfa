import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import type { Registration } from '../../core/applications/store/applications.ts';
import { bearer, openOperatorWorld, type OperatorWorld } from './admin/operator-world.ts';
import { call } from './contract-client.ts';

let world: OperatorWorld;
let shop: Registration;
/** The tokens of three operators. */
const tokens = { owner: '', finance: '', second: '' };

beforeAll(async () => {
  world = await openOperatorWorld();
  shop = await world.api.register({ name: 'Shop', refundApprovalThresholdMinor: 5_000n });
  await world.addOperator({ email: 'owner@example.com' });
  for (const name of ['finance', 'second']) {
    await world.addOperator({ email: `${name}@example.com`, role: 'Finance' });
  }
  for (const name of ['owner', 'finance', 'second'] as const) {
    tokens[name] = await world.logIn(`${name}@example.com`);
  }
});
afterAll(() => world.close());

const Told = z.object({
  summary: z.string(),
  waitingFor: z.string(),
  until: z.string().nullable(),
  next: z.string(),
  timeline: z.array(z.object({ at: z.string(), event: z.string(), detail: z.string().nullable() })),
});

/** Returns the explanation that the application reads, which must be the operators' too. */
async function explained(payment: string): Promise<z.infer<typeof Told>> {
  const { data } = await call({
    origin: world.origin,
    path: `/payments/${payment}/explain`,
    credentials: shop.test,
  });
  const detail = await world.send({ method: 'GET', path: `/admin/payments/${payment}`, headers: bearer(tokens.owner) });
  expect(z.object({ explanation: z.unknown() }).parse(detail.data).explanation).toEqual(data);
  return Told.parse(data);
}

const entriesOf = async (payment: string, about: RegExp): Promise<{ event: string; detail: string | null }[]> =>
  (await explained(payment)).timeline
    .filter(({ event }) => about.test(event))
    .map(({ event, detail }) => ({ event, detail }));

const paid = async (): Promise<string> => (await world.api.paidPayment(shop)).id;

interface Decision {
  readonly as: keyof typeof tokens;
  readonly path: string;
  readonly body: object;
}

const decide = ({ as, path, body }: Decision) =>
  world.send({ method: 'POST', path, headers: bearer(tokens[as]), body });

/** Returns the id of a payment whose risk operators have to decide on. */
async function underReview(): Promise<string> {
  const { data } = await call({
    origin: world.origin,
    method: 'POST',
    path: '/payments',
    credentials: shop.test,
    body: { amountMinor: 10_000, customerReference: 'c' },
  });
  const { id } = z.object({ id: z.int() }).parse(data);
  await world.api.sql(`update payments set review_reason = 'RISK_FLAGGED', review_since = now() where id = ?`, [id]);
  return String(id);
}

async function refund(payment: string, amountMinor: number): Promise<number> {
  const { data } = await call({
    origin: world.origin,
    method: 'POST',
    path: `/payments/${payment}/refunds`,
    credentials: shop.test,
    body: { amountMinor },
  });
  return z.object({ id: z.int() }).parse(data).id;
}

describe('a refund in the timeline', () => {
  test.each(['PARTIALLY_REFUNDED', 'REFUNDED'])('leaves the end of a %s payment as it was', async (status) => {
    // What was true at a time must stay true of that time.
    const payment = await paid();
    await world.api.sql('update payments set status = ? where id = ?', [status, payment]);
    expect(await entriesOf(payment, /^ended/)).toEqual([{ event: 'ended: SUCCEEDED', detail: null }]);
  });

  test('shows its amount in major units', async () => {
    // Support would tell a payer a hundred times the amount.
    const payment = await paid();
    const id = await refund(payment, 2_550);
    expect(await entriesOf(payment, /^refund/)).toEqual([{ event: `refund ${id} created`, detail: '25.50 BDT' }]);
  });
});

describe('an open refund', () => {
  test('that is at the gateway is what its payment waits for', async () => {
    // "Nothing" would tell the payer that no money is on its way.
    const payment = await paid();
    await refund(payment, 2_500);
    expect(await explained(payment)).toMatchObject({
      waitingFor: 'gateway-answer',
      until: null,
      next: expect.stringMatching(/^The payment is final.* The refund of 25\.00 BDT is at the gateway/),
    });
  });

  test('that awaits approval is told with its deadline', async () => {
    // It is rejected if nobody acts.
    const payment = await paid();
    await decide({ as: 'owner', path: `/admin/payments/${payment}/refunds`, body: { amountMinor: 6_000 } });
    const [row] = await world.api.sql<{ due: string }>(
      `select to_char(approval_due_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') as due from refunds where payment_id = ?`,
      [payment],
    );
    const { waitingFor, until, next } = await explained(payment);
    expect(waitingFor).toBe('operator');
    expect(until?.replace('T', ' ').slice(0, 19)).toBe(row?.due);
    expect(next).toContain(`awaits approval by a second person until ${row?.due} UTC; then it is rejected.`);
  });

  test('under review waits for operators, and for a second one after the first', async () => {
    // Without it everybody would wait for the other.
    const payment = await paid();
    const id = await refund(payment, 2_500);
    await world.api.sql(`update refunds set review_reason = 'STUCK_AT_GATEWAY', review_since = now() where id = ?`, [
      id,
    ]);
    expect(await explained(payment)).toMatchObject({
      waitingFor: 'operator',
      next: expect.stringMatching(/is under review: .*Operators decide how it ended/),
    });
    const path = `/admin/refunds/${id}/review`;
    await decide({ as: 'finance', path, body: { decision: 'refunded', reason: 'the panel says so' } });
    expect((await explained(payment)).next).toMatch(/One operator has decided: refunded\. A second person/);
  });
});

describe('a payment under review', () => {
  test('needs a second person after the first decision, whose agreement is told, too', async () => {
    // Without it everybody would wait for the other.
    const payment = await underReview();
    const path = `/admin/payments/${payment}/review`;
    const body = { decision: 'accept', reason: 'known customer' };
    expect((await explained(payment)).next).toBe('An operator accepts or rejects the payment. There is no deadline.');
    await decide({ as: 'finance', path, body });
    expect(await explained(payment)).toMatchObject({
      waitingFor: 'operator',
      next: expect.stringMatching(
        /^One operator has decided: accept\. A second person has to make the same decision\./,
      ),
    });
    await decide({ as: 'second', path, body });
    expect(await entriesOf(payment, /operator decided/)).toEqual([
      { event: 'an operator decided (review): accept', detail: null },
      { event: 'a second operator decided the same (review): accept', detail: null },
    ]);
    expect((await explained(payment)).next).toBe('The decision is made: accept. Lenden carries it out.');
  });

  test('does not count a decision that was taken back', async () => {
    // Only an open decision can be agreed with.
    const payment = await underReview();
    const path = `/admin/payments/${payment}/review`;
    await decide({ as: 'finance', path, body: { decision: 'accept', reason: 'known customer' } });
    await decide({ as: 'second', path, body: { decision: 'reject', reason: 'unknown customer' } });
    expect((await explained(payment)).next).toMatch(/^One operator has decided: reject\./);
  });
});

test('a manual payment waits for operators once the payer has submitted the transfer', async () => {
  // Support would ask a payer for money that they have sent.
  const { data } = await call({
    origin: world.origin,
    method: 'POST',
    path: '/payments',
    credentials: shop.test,
    body: { amountMinor: 10_000, customerReference: 'c' },
  });
  const id = String(z.object({ id: z.int() }).parse(data).id);
  const submit = (transaction: string): Promise<object[]> =>
    world.api.sql(
      `insert into manual_submissions (application_id, mode, payment_id, attempt_id, transaction, normalized, sender)
       select application_id, mode, payment_id, id, ?, ?, null from payment_attempts where payment_id = ?`,
      [transaction, transaction, id],
    );
  expect((await explained(id)).waitingFor).toBe('payer');
  await submit('TX1000');
  expect(await explained(id)).toMatchObject({
    summary: expect.stringContaining('has submitted a transfer'),
    waitingFor: 'operator',
    until: null,
  });
  await world.api.sql(
    `insert into decisions (application_id, mode, kind, payment_id, manual_submission_id, decision, operator_id, needs_second, consumed_at)
     select s.application_id, s.mode, 'manual', s.payment_id, s.id, 'reject', (select min(id) from operators), false, now()
     from manual_submissions s where s.payment_id = ?`,
    [id],
  );
  expect(await explained(id)).toMatchObject({ summary: expect.stringContaining('can correct'), waitingFor: 'payer' });
  await submit('TX2000');
  expect((await explained(id)).waitingFor).toBe('operator');
});
