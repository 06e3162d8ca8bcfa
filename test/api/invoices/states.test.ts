import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { WEB_URL } from '../api-world.ts';
import type { Answer } from '../contract-client.ts';
import { day, openBilling, refusal, SAMPLE, type Billing } from './billing.ts';

let billing: Billing;
beforeAll(async () => {
  billing = await openBilling();
});
afterAll(() => billing.close());

let told: string[];
let delivered: string[];
beforeEach(() => {
  told = billing.world.dispatch.told;
  delivered = billing.world.dispatch.delivered;
  told.length = 0;
  delivered.length = 0;
});

type State = 'DRAFT' | 'ISSUED' | 'PARTIALLY_PAID' | 'PAID' | 'VOID';

/** Creates an invoice of 1,000.00 in a state. */
async function invoiceIn(state: State, change: object = {}): Promise<unknown> {
  const { data } = state === 'DRAFT' ? await billing.draft(change) : await billing.create(change);
  const { id } = data;
  if (state === 'VOID') {
    await billing.act(id, 'void');
  }
  if (state === 'PARTIALLY_PAID' || state === 'PAID') {
    await billing.payUp(id, state === 'PAID' ? 100_000 : 40_000);
  }
  expect((await billing.read(id)).data['status']).toBe(state);
  told.length = 0;
  delivered.length = 0;
  return id;
}

const put = (id: unknown, body: object): Promise<Answer> =>
  billing.send(`/invoices/${String(id)}`, { method: 'PUT', body });
const remove = (id: unknown): Promise<Answer> => billing.send(`/invoices/${String(id)}`, { method: 'DELETE' });
const reschedule = (id: unknown, body: object): Promise<Answer> =>
  billing.send(`/invoices/${String(id)}/due-dates`, { method: 'PUT', body });

const ACTIONS = {
  edit: (id: unknown) => put(id, SAMPLE),
  delete: remove,
  issue: (id: unknown) => billing.act(id, 'issue'),
  void: (id: unknown) => billing.act(id, 'void'),
  'payable-link': (id: unknown) => billing.act(id, 'payable-link'),
  pause: (id: unknown) => billing.act(id, 'pause'),
  resume: (id: unknown) => billing.act(id, 'resume'),
  'due-dates': (id: unknown) => reschedule(id, { dueDate: day(9) }),
} as const;

/** The complete table of the actions that each state allows, so that no combination is left out. */
const ALLOWED: Readonly<Record<State, readonly (keyof typeof ACTIONS)[]>> = {
  DRAFT: ['edit', 'delete', 'issue'],
  ISSUED: ['issue', 'void', 'payable-link', 'pause', 'resume', 'due-dates'],
  PARTIALLY_PAID: ['issue', 'payable-link', 'pause', 'resume', 'due-dates'],
  PAID: ['issue'],
  VOID: ['void'],
};

describe.each(['DRAFT', 'ISSUED', 'PARTIALLY_PAID', 'PAID', 'VOID'] as const)('an invoice that is %s', (state) => {
  test.each(Object.entries(ACTIONS))('%s', async (action, act) => {
    // Otherwise an issued invoice could change without the customer's knowledge, or a closed one could be collected again.
    const id = await invoiceIn(state);
    const before = await billing.read(id);
    const answer = await act(id);
    const allowed = ALLOWED[state].some((name) => name === action);
    expect([answer.status, answer.meta.errorCode]).toEqual(allowed ? [200, null] : [409, 'INVALID_OPERATION_STATE']);
    if (!allowed) {
      expect((await billing.read(id)).payload).toEqual(before.payload);
      expect([told, delivered]).toEqual([[], []]);
    }
  });
});

describe('a draft', () => {
  test('is replaced whole: what the new words leave out is gone', async () => {
    // PUT replaces the whole draft.
    const { data } = await billing.draft({
      notes: 'old',
      discount: { amountMinor: 100 },
      plan: { count: 2, every: 'WEEK', firstDueDate: day(1) },
      customerName: 'Jane',
      language: 'bn',
      partialPayments: true,
      reminders: { beforeDays: [1] },
    });
    const edited = await put(data['id'], {
      customerReference: 'cust_9',
      lineItems: [{ description: 'One thing', qty: 3, unitAmountMinor: 7 }],
    });
    expect(edited.data).toMatchObject({
      id: data['id'],
      status: 'DRAFT',
      number: null,
      customerReference: 'cust_9',
      customerEmail: null,
      customerName: null,
      notes: null,
      totalMinor: 21,
      discountMinor: 0,
      installments: [],
      dueDate: null,
      language: 'en',
      partialPayments: false,
      reminders: { beforeDays: [], overdueDays: [] },
      lineItems: [{ description: 'One thing', qty: 3, unitAmountMinor: 7, lineTotalMinor: 21 }],
    });
    expect((await billing.read(data['id'])).payload).toEqual(edited.payload);
    expect([told, delivered]).toEqual([[], []]);
  });

  test('keeps what it said when the new words make no invoice', async () => {
    // A half-applied edit would produce a wrong invoice.
    const { data } = await billing.draft();
    const before = (await billing.read(data['id'])).payload;
    expect((await put(data['id'], { ...SAMPLE, discount: { amountMinor: 999_999 } })).status).toBe(400);
    expect((await put(data['id'], {})).status).toBe(400);
    expect((await billing.read(data['id'])).payload).toEqual(before);
  });

  test('is gone after it was deleted, with its lines and parts, and no number is missing', async () => {
    // A draft has no number, so deleting it must not leave a gap.
    const first = await billing.create();
    const { data } = await billing.draft({ plan: { count: 2, every: 'WEEK', firstDueDate: day(1) } });
    expect(await remove(data['id'])).toMatchObject({
      status: 200,
      payload: null,
      meta: { message: 'Resource deleted' },
    });
    expect((await billing.read(data['id'])).status).toBe(404);
    expect((await remove(data['id'])).status).toBe(404);
    const left = await billing.world.sql(
      'select 1 from invoice_items where invoice_id = ? union all select 1 from invoice_installments where invoice_id = ?',
      [data['id'], data['id']],
    );
    expect(left).toEqual([]);
    expect(numberOf(await billing.create())).toBe(numberOf(first) + 1);
  });

  test('edited and issued at once is billed as one of the two, never as a mixture', async () => {
    // Otherwise a customer could be billed with a mixture of two versions.
    const { data } = await billing.draft();
    const cheap = { customerReference: 'c', lineItems: [{ description: 'Cheap', qty: 1, unitAmountMinor: 1 }] };
    const [edited, issued] = await Promise.all([put(data['id'], cheap), billing.act(data['id'], 'issue')]);
    expect(issued.status).toBe(200);
    expect([200, 409]).toContain(edited.status);
    const { totalMinor, lineItems } = (await billing.read(data['id'])).data;
    expect([totalMinor, z.array(z.unknown()).parse(lineItems).length]).toEqual(
      edited.status === 200 ? [1, 1] : [100_000, 2],
    );
    expect(issued.data['totalMinor']).toBe(totalMinor);
  });
});

function numberOf({ data }: Answer): number {
  return Number(String(data['number']).slice(4));
}

describe('issuing', () => {
  test('twice, or ten times at once, gives one number and tells once', async () => {
    // Otherwise a retry would assign a second number or send a second event.
    const { data } = await billing.draft();
    const answers = await Promise.all(Array.from({ length: 10 }, () => billing.act(data['id'], 'issue')));
    const again = await billing.act(data['id'], 'issue');
    expect(new Set([...answers, again].map((answer) => answer.data['number'])).size).toBe(1);
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect([told, delivered]).toEqual([['issued'], ['invoice.issued']]);
    const events = await billing.world.sql('select 1 from webhook_events where invoice_id = ?', [data['id']]);
    expect(events).toHaveLength(1);
  });
});

describe('voiding', () => {
  test('keeps the number, takes away what is due, tells it once, and again answers as it stands', async () => {
    // An assigned number must stay explainable for ever.
    const id = await invoiceIn('ISSUED');
    const { number } = (await billing.read(id)).data;
    const voided = await billing.act(id, 'void');
    expect(voided.data).toMatchObject({
      status: 'VOID',
      number,
      amountDueMinor: 0,
      totalMinor: 100_000,
      nextDueDate: null,
      voidedAt: expect.any(String),
    });
    expect([told, delivered]).toEqual([['voided'], ['invoice.voided']]);
    expect((await billing.act(id, 'void')).payload).toEqual(voided.payload);
    expect([told, delivered]).toEqual([['voided'], ['invoice.voided']]);
    const events = await billing.world.sql<{ type: string; sequence: number }>(
      'select type, sequence from webhook_events where invoice_id = ? order by sequence',
      [id],
    );
    expect(events).toEqual([
      { type: 'invoice.issued', sequence: 1 },
      { type: 'invoice.voided', sequence: 2 },
    ]);
  });

  test.each(['CREATED', 'PENDING'])('is refused while a payment is %s, and works when it has ended', async (status) => {
    // Otherwise money could arrive for a void invoice.
    const id = await invoiceIn('ISSUED');
    billing.world.dispatch.opening = status === 'CREATED' ? 'times out' : 'opens';
    const payment = await billing.pay(id);
    billing.world.dispatch.opening = 'opens';
    expect(payment.data['status']).toBe(status);
    const refused = await billing.act(id, 'void');
    expect([refused.status, refused.meta.errorCode]).toEqual([409, 'INVALID_OPERATION_STATE']);
    expect(refused.meta.message).toContain(String(payment.data['expiresAt']));
    await billing.world.sql(`update payments set status = 'EXPIRED', ended_at = now() where id = ?`, [
      payment.data['id'],
    ]);
    expect((await billing.act(id, 'void')).data['status']).toBe('VOID');
  });

  test('and a payment at once: one of the two is refused', async () => {
    // The lock on the invoice decides. Otherwise a payer could pay a void invoice.
    for (let round = 0; round < 5; round += 1) {
      const id = await invoiceIn('ISSUED');
      const [payment, voided] = await Promise.all([billing.pay(id), billing.act(id, 'void')]);
      expect([payment.status, voided.status].sort((a, b) => a - b)).toEqual(
        payment.status === 201 ? [201, 409] : [200, 409],
      );
    }
  });
});

describe('the payable link', () => {
  test('is the invoice’s own, the same every time, also when a part is paid', async () => {
    // A link in an email has to work as long as an amount is due.
    const id = await invoiceIn('ISSUED');
    const { payableUrl } = (await billing.read(id)).data;
    const [first, second] = [await billing.act(id, 'payable-link'), await billing.act(id, 'payable-link')];
    const reference = String(payableUrl).split('/').at(-1);
    expect(first.payload).toEqual({ reference, checkoutUrl: `${WEB_URL}/pay/${reference}` });
    expect(second.payload).toEqual(first.payload);
    await billing.payUp(id, 40_000);
    expect((await billing.act(id, 'payable-link')).payload).toEqual(first.payload);
    await billing.payUp(id, 60_000);
    const over = await billing.act(id, 'payable-link');
    expect([over.status, over.meta.message]).toEqual([409, 'the invoice is PAID; nothing is due']);
  });
});

describe('pausing', () => {
  test('is shown, told once, and ends with resuming', async () => {
    // A customer who has promised to pay must not get reminders meanwhile.
    const id = await invoiceIn('ISSUED');
    const paused = await billing.act(id, 'pause');
    expect(paused.data).toMatchObject({ status: 'ISSUED', pausedAt: expect.any(String) });
    expect((await billing.act(id, 'pause')).payload).toEqual(paused.payload);
    expect((await billing.act(id, 'resume')).data['pausedAt']).toBeNull();
    expect((await billing.act(id, 'resume')).data['pausedAt']).toBeNull();
    expect([told, delivered]).toEqual([['paused', 'resumed'], []]);
  });
});

describe('due dates', () => {
  test('are replaced whole: by a day, by parts, by a plan, by nothing', async () => {
    // The new agreement replaces the old one completely.
    const id = await invoiceIn('ISSUED', { plan: { count: 2, every: 'MONTH', firstDueDate: day(40) } });
    const byDay = await reschedule(id, { dueDate: day(5) });
    expect(byDay.data).toMatchObject({ status: 'ISSUED', dueDate: day(5), nextDueDate: day(5), installments: [] });
    const parts = [
      { dueDate: day(-1), amountMinor: 30_000 },
      { dueDate: day(8), amountMinor: 70_000 },
    ];
    const byParts = await reschedule(id, { installments: parts });
    expect(byParts.data).toMatchObject({
      status: 'OVERDUE',
      dueDate: day(8),
      nextDueDate: day(-1),
      installments: parts,
    });
    const byPlan = await reschedule(id, { plan: { count: 4, every: 'WEEK', firstDueDate: day(2) } });
    expect(byPlan.data).toMatchObject({ status: 'ISSUED', dueDate: day(23), nextDueDate: day(2) });
    const none = await reschedule(id, {});
    expect(none.data).toMatchObject({ status: 'ISSUED', dueDate: null, nextDueDate: null, installments: [] });
    expect((await billing.read(id)).payload).toEqual(none.payload);
  });

  test('count what is paid already from the first part on', async () => {
    // Otherwise rescheduling would lose what the customer has already paid.
    const id = await invoiceIn('PARTIALLY_PAID');
    const { data } = await reschedule(id, { plan: { count: 2, every: 'MONTH', firstDueDate: day(3) } });
    expect(data).toMatchObject({
      status: 'PARTIALLY_PAID',
      amountPaidMinor: 40_000,
      nextDueDate: day(3),
      installments: [
        { amountMinor: 50_000, amountPaidMinor: 40_000, status: 'PARTIALLY_PAID' },
        { amountMinor: 50_000, amountPaidMinor: 0, status: 'OPEN' },
      ],
    });
  });

  test.each([
    ['parts of another sum', { installments: [{ dueDate: day(1), amountMinor: 99_999 }] }, 'installments'],
    ['two ways at once', { dueDate: day(1), plan: { count: 2, every: 'WEEK', firstDueDate: day(1) } }, 'plan'],
    ['a day that is none', { dueDate: '2027-13-01' }, 'dueDate'],
  ])('of %s are refused and nothing changes', async (_name, body, field) => {
    // A schedule must always add up to the total.
    const id = await invoiceIn('ISSUED', { dueDate: day(4) });
    const [status, code, fields] = refusal(await reschedule(id, body));
    expect([status, code, Object.keys(fields)]).toEqual([400, 'VALIDATION_ERROR', [field]]);
    expect((await billing.read(id)).data).toMatchObject({ dueDate: day(4), installments: [] });
  });

  test('are kept although the workflow cannot be told', async () => {
    // The row decides, and the sweeper notifies the workflow later.
    const id = await invoiceIn('ISSUED');
    const { dispatch } = billing.world;
    const usual = dispatch.rescheduleInvoice;
    Object.assign(dispatch, { rescheduleInvoice: () => Promise.reject(new Error('no Temporal')) });
    const answer = await reschedule(id, { dueDate: day(6) });
    Object.assign(dispatch, { rescheduleInvoice: usual });
    expect([answer.status, answer.data['dueDate']]).toEqual([200, day(6)]);
  });
});

describe('what an application is told to whom nobody listens', () => {
  test('issue and void answer although Temporal is away', async () => {
    // Rows and events are committed, and the sweeper starts what is missing.
    const { dispatch } = billing.world;
    const usual = { notifyInvoice: dispatch.notifyInvoice, startDelivery: dispatch.startDelivery };
    const away = (): Promise<never> => Promise.reject(new Error('no Temporal'));
    Object.assign(dispatch, { notifyInvoice: away, startDelivery: away });
    const made = await billing.create();
    const voided = await billing.act(made.data['id'], 'void');
    Object.assign(dispatch, usual);
    expect([made.status, made.data['status'], voided.status, voided.data['status']]).toEqual([
      201,
      'ISSUED',
      200,
      'VOID',
    ]);
  });
});
