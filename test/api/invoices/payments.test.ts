import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { day, openBilling, refusal, type Billing } from './billing.ts';

let billing: Billing;
beforeAll(async () => {
  billing = await openBilling();
});
afterAll(() => billing.close());

async function issued(change: object = {}): Promise<unknown> {
  return (await billing.create(change)).data['id'];
}

async function countPayments(invoiceId: unknown): Promise<number> {
  const rows = await billing.world.sql('select 1 from payments where invoice_id = ?', [invoiceId]);
  return rows.length;
}

describe('a payment of an invoice', () => {
  test('names it, opens a checkout, and changes nothing of it before the gateway confirms', async () => {
    // An invoice must not count as paid because a payer only went to the checkout.
    const id = await issued();
    const before = (await billing.read(id)).payload;
    const payment = await billing.pay(id, { amountMinor: 100_000 });
    expect(payment.data).toMatchObject({ status: 'PENDING', invoiceId: id, amountMinor: 100_000, overpaymentMinor: 0 });
    expect((await billing.read(id)).payload).toEqual(before);
  });

  test('stands among the invoice’s payments once it was made, oldest first, and paid and due stay the total', async () => {
    // The documented `payments` array contains only the payments that count.
    const id = await issued();
    const first = await billing.payUp(id, 30_000);
    await billing.pay(id, { amountMinor: 20_000 });
    const second = await billing.payUp(id, 20_000);
    const { data } = await billing.read(id);
    expect(data).toMatchObject({ status: 'PARTIALLY_PAID', amountPaidMinor: 50_000, amountDueMinor: 50_000 });
    expect(data['payments']).toMatchObject([
      { id: first.data['id'], status: 'SUCCEEDED', invoiceId: id, amountMinor: 30_000 },
      { id: second.data['id'], status: 'SUCCEEDED', invoiceId: id, amountMinor: 20_000 },
    ]);
    await billing.payUp(id, 50_000);
    expect((await billing.read(id)).data).toMatchObject({
      status: 'PAID',
      amountPaidMinor: 100_000,
      amountDueMinor: 0,
      paidAt: expect.any(String),
    });
  });

  test('takes up to what is due and not a paisa more', async () => {
    // Otherwise the payer could be asked for more than is due.
    const id = await issued();
    await billing.payUp(id, 40_000);
    expect((await billing.pay(id, { amountMinor: 60_000 })).status).toBe(201);
    const before = await countPayments(id);
    expect(refusal(await billing.pay(id, { amountMinor: 60_001 }))).toEqual([
      400,
      'AMOUNT_OUT_OF_BOUNDS',
      { amountMinor: 'must be at most 60000, which is due' },
    ]);
    expect(await countPayments(id)).toBe(before);
  });

  test.each(['DRAFT', 'PAID', 'VOID'] as const)('of one that is %s is 409 and leaves nothing behind', async (state) => {
    // Otherwise a payer could pay a draft, or pay a paid or void invoice.
    const id = state === 'DRAFT' ? (await billing.draft()).data['id'] : await issued();
    if (state === 'PAID') {
      await billing.payUp(id, 100_000);
    }
    if (state === 'VOID') {
      await billing.act(id, 'void');
    }
    const before = await countPayments(id);
    const asked = billing.world.dispatch.asked.length;
    const answer = await billing.pay(id);
    expect([answer.status, answer.meta.errorCode, answer.meta.message]).toEqual([
      409,
      'INVALID_OPERATION_STATE',
      `the invoice is ${state}; nothing is due`,
    ]);
    expect([await countPayments(id), billing.world.dispatch.asked.length]).toEqual([before, asked]);
  });

  test('of another application’s, the other mode’s and an absent invoice are one and the same 404', async () => {
    // Otherwise the answer would reveal that another application's invoice exists.
    const other = await billing.world.register();
    const foreign = await billing.create({}, { credentials: other.test });
    const live = await billing.create({}, { credentials: billing.shop.live });
    const answers = [];
    for (const id of [foreign.data['id'], live.data['id'], Number.MAX_SAFE_INTEGER]) {
      answers.push(await billing.pay(id));
    }
    expect(answers.map(refusal)).toEqual(answers.map(() => [404, 'RESOURCE_NOT_FOUND', {}]));
    expect(new Set(answers.map(({ meta }) => meta.message)).size).toBe(1);
  });

  test('in a currency that is not the invoice’s is refused', async () => {
    // The only gateway has a single currency, so the row is changed as if another gateway had issued the invoice.
    const id = await issued();
    await billing.world.sql(`update invoices set currency = 'USD' where id = ?`, [id]);
    expect(refusal(await billing.pay(id))).toEqual([
      400,
      'VALIDATION_ERROR',
      { currency: 'must be the invoice’s, USD' },
    ]);
  });

  test.each([0, -1, 1.5, '1', null])('of the id %p is refused as a value', async (invoiceId) => {
    const answer = await billing.pay(invoiceId);
    expect([answer.status, Object.keys(answer.data)]).toEqual([400, ['invoiceId']]);
  });
});

describe('its idempotency key', () => {
  test('answers the same payment, also after the invoice was paid', async () => {
    // A late retry has to get its payment, not an error that nothing is due.
    const id = await issued();
    const headers = { 'idempotency-key': 'whole' };
    const first = await billing.pay(id, { amountMinor: 100_000 }, headers);
    await billing.world.pay(String(first.data['id']));
    await billing.world.settle(id, 100_000);
    const replay = await billing.pay(id, { amountMinor: 100_000 }, headers);
    expect([replay.status, replay.text, replay.headers['idempotent-replayed']]).toEqual([201, first.text, 'true']);
    expect(await countPayments(id)).toBe(1);
  });

  test('is free again when the first try was refused', async () => {
    // A refusal stores nothing, so the corrected request can run.
    const id = await issued();
    const headers = { 'idempotency-key': 'corrected' };
    expect((await billing.pay(id, { amountMinor: 100_001 }, headers)).status).toBe(400);
    expect((await billing.pay(id, { amountMinor: 100_000 }, headers)).status).toBe(201);
  });

  test('used by 20 duplicates at once makes one payment', async () => {
    // Otherwise the lock on the invoice and the key's row could deadlock.
    const id = await issued();
    const headers = { 'idempotency-key': 'duplicates of an invoice' };
    const answers = await Promise.all(Array.from({ length: 20 }, () => billing.pay(id, {}, headers)));
    expect(answers.filter(({ status }) => status !== 201 && status !== 409)).toEqual([]);
    expect(await countPayments(id)).toBe(1);
  });
});

describe('the payable view', () => {
  test('follows the newest payment: its status, and its checkout while it goes on', async () => {
    // A payer who comes back to the link has to find the checkout that they started.
    const made = await billing.create({ plan: { count: 4, every: 'MONTH', firstDueDate: day(-5) } });
    const id = made.data['id'];
    const path = `/pay/${String(made.data['payableUrl']).split('/').at(-1)}`;
    const view = async () => (await billing.send(path)).data;
    expect(await view()).toMatchObject({
      paymentStatus: null,
      checkoutUrl: made.data['payableUrl'],
      requestedMinor: 25_000,
    });
    const payment = await billing.pay(id, { amountMinor: 25_000 });
    expect(await view()).toMatchObject({ paymentStatus: 'PENDING', checkoutUrl: payment.data['checkoutUrl'] });
    await billing.world.pay(String(payment.data['id']));
    await billing.world.settle(id, 25_000);
    expect(await view()).toMatchObject({
      paymentStatus: 'SUCCEEDED',
      checkoutUrl: made.data['payableUrl'],
      amountPaidMinor: 25_000,
      amountDueMinor: 75_000,
      requestedMinor: 25_000,
    });
    await billing.payUp(id, 75_000);
    expect(await view()).toMatchObject({
      status: 'PAID',
      checkoutUrl: null,
      requestedMinor: 0,
      amountDueDisplay: '0.00',
    });
  });
});
