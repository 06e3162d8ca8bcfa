import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WEB_URL } from '../api-world.ts';
import { day, openBilling, refusal, SAMPLE, type Billing } from './billing.ts';

let billing: Billing;
beforeAll(async () => {
  billing = await openBilling();
});
afterAll(() => billing.close());

const INSTANT = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

test('the documented sample makes an issued invoice with every documented member, and nothing unexpected', async () => {
  // An application that was written from the documentation must work unchanged.
  const made = await billing.create();
  expect([made.status, made.meta.message]).toEqual([201, 'Resource created']);
  expect(made.payload).toEqual({
    id: expect.any(Number),
    number: 'INV-000001',
    status: 'ISSUED',
    mode: 'TEST',
    customerReference: 'cust_123',
    totalMinor: 100_000,
    amountPaidMinor: 0,
    amountDueMinor: 100_000,
    currency: 'BDT',
    dueDate: null,
    issuedAt: INSTANT,
    lineItems: [
      line({ description: 'Setup fee', qty: 1, unitAmountMinor: 50_000, lineTotalMinor: 50_000 }),
      line({ description: 'Monthly plan', qty: 2, unitAmountMinor: 25_000, lineTotalMinor: 50_000 }),
    ],
    payments: [],
    payableUrl: expect.stringMatching(new RegExp(`^${WEB_URL}/pay/pay_[0-9A-Za-z]{22}$`)),
    createdAt: INSTANT,
    updatedAt: INSTANT,
    customerEmail: 'jane@example.com',
    customerName: null,
    customerAddress: null,
    language: 'en',
    notes: null,
    rounding: 'HALF_UP',
    subtotalMinor: 100_000,
    discountMinor: 0,
    taxMinor: 0,
    taxes: [],
    installments: [],
    nextDueDate: null,
    partialPayments: false,
    reminders: { beforeDays: [], overdueDays: [] },
    pausedAt: null,
    paidAt: null,
    voidedAt: null,
  });
});

function line(given: object) {
  return { id: expect.any(Number), discountMinor: 0, taxMinor: 0, ...given };
}

test('what is read again is what was answered, line ids included', async () => {
  // Otherwise the application would store an invoice that differs from the one in the database.
  const made = await billing.create({ dueDate: day(10), notes: 'Thank you.\nCome again.' });
  const read = await billing.read(made.data['id']);
  expect(read.payload).toEqual(made.payload);
});

test('two required fields are enough, and each missing one is named', async () => {
  // An application that sends only the required members must work.
  const { customerReference, lineItems } = SAMPLE;
  const least = await billing.send('/invoices', { method: 'POST', body: { customerReference, lineItems } });
  expect([least.status, least.data['currency'], least.data['status']]).toEqual([201, 'BDT', 'ISSUED']);
  const nothing = await billing.send('/invoices', { method: 'POST', body: {} });
  expect(refusal(nothing)).toEqual([
    400,
    'VALIDATION_ERROR',
    { customerReference: 'is required', lineItems: 'is required' },
  ]);
});

test('a draft has no number, no link, nothing due and no event; issued later it has all of them', async () => {
  // Otherwise a customer could be asked to pay an invoice that is not issued.
  const told = billing.world.dispatch.delivered.length;
  const draft = await billing.draft({ dueDate: day(-5) });
  expect(draft.data).toMatchObject({
    number: null,
    status: 'DRAFT',
    payableUrl: null,
    issuedAt: null,
    amountDueMinor: 0,
    totalMinor: 100_000,
    nextDueDate: null,
  });
  expect(billing.world.dispatch.delivered).toHaveLength(told);
  const issued = await billing.act(draft.data['id'], 'issue');
  expect(issued.data).toMatchObject({
    id: draft.data['id'],
    number: expect.stringMatching(/^INV-\d{6}$/),
    status: 'OVERDUE',
    issuedAt: INSTANT,
    amountDueMinor: 100_000,
    nextDueDate: day(-5),
  });
});

test('the event of an issued invoice is the invoice as it is read, sequence 1', async () => {
  // Otherwise a receiver would see a different invoice in the webhook than in the API.
  const made = await billing.create({ plan: { count: 3, every: 'MONTH', firstDueDate: day(3) } });
  const [event] = await billing.world.sql<{ type: string; sequence: number; payload: string }>(
    'select type, sequence, payload from webhook_events where invoice_id = ?',
    [made.data['id']],
  );
  expect([event?.type, event?.sequence]).toEqual(['invoice.issued', 1]);
  const { customerEmail, customerName, customerAddress, ...told } = (await billing.read(made.data['id']))
    .payload as Record<string, unknown>;
  // Without the customer's details: a receiver that needs them reads the invoice.
  expect([customerEmail, customerName, customerAddress]).toEqual(['jane@example.com', null, null]);
  const { data, ...envelope } = JSON.parse(event?.payload ?? '') as Record<string, unknown>;
  expect(data).toEqual(told);
  expect(envelope).toMatchObject({
    type: 'invoice.issued',
    mode: 'TEST',
    schemaVersion: 1,
    subject: `invoice:${String(made.data['id'])}`,
    sequence: 1,
  });
});

test('a text that looks like the place of the number stays a text', async () => {
  // The statement that assigns the number also writes it into the event, and text in an invoice must not be taken for its placeholder.
  const tricky = '"number":"\\u0000" "number":"INV-999999"';
  const made = await billing.create({ notes: tricky, lineItems: [{ ...SAMPLE.lineItems[0], description: tricky }] });
  const [event] = await billing.world.sql<{ payload: string }>(
    'select payload from webhook_events where invoice_id = ?',
    [made.data['id']],
  );
  expect(JSON.parse(event?.payload ?? '')).toMatchObject({ data: { number: made.data['number'], notes: tricky } });
});

test('TEST and LIVE and every other application count for themselves', async () => {
  // Otherwise a number would reveal how many invoices another application has.
  const other = await billing.world.register();
  const numbers = [];
  for (const credentials of [other.test, other.live, other.test, other.live]) {
    numbers.push((await billing.create({}, { credentials })).data['number']);
  }
  expect(numbers).toEqual(['INV-000001', 'INV-000001', 'INV-000002', 'INV-000002']);
});

describe('members that are not the client’s to set', () => {
  test('are ignored', async () => {
    // Otherwise a caller could mark an invoice as paid, or give it a number or another owner.
    const made = await billing.create({
      id: 1,
      number: 'INV-000777',
      status: 'PAID',
      mode: 'LIVE',
      amountPaidMinor: 100_000,
      totalMinor: 1,
      applicationId: 1,
      payableUrl: 'https://evil.example',
      paidAt: '2020-01-01T00:00:00Z',
      issuedAt: '2020-01-01T00:00:00Z',
    });
    expect(made.data).toMatchObject({
      status: 'ISSUED',
      mode: 'TEST',
      amountPaidMinor: 0,
      totalMinor: 100_000,
      paidAt: null,
    });
    expect(made.data['number']).not.toBe('INV-000777');
  });
});

describe('texts', () => {
  const line = (description: string) => ({ lineItems: [{ description, qty: 1, unitAmountMinor: 50_000 }] });

  test.each([
    ['markup of every kind', '<img src=x onerror=alert(1)> #let x = 1 $x^2$ \\evil{} *b* _i_ `c` @ref <lbl> // */'],
    ['right to left and overrides', '\u202Egnp.exe مرحبا \u2066x\u2069'],
    ['Bangla with conjuncts', 'ক্ষুদ্র ব্যবসায়ের বিল, ১২টি'],
    ['emoji and combining marks', '💳 e\u0301 👩‍👩‍👧'],
    ['quotes and SQL', `it's "quoted"; drop table invoices; -- ?`],
  ])('%s is stored, answered and told as it came', async (_name, words) => {
    // Text is stored unchanged and escaped only where it is shown.
    const made = await billing.create({
      ...line(words),
      customerName: words.slice(0, 100),
      notes: `${words}\n${words}`,
      taxes: [{ name: words.slice(0, 60), basisPoints: 1_500 }],
    });
    expect(made.status).toBe(201);
    expect(made.data).toMatchObject({
      notes: `${words}\n${words}`,
      lineItems: [{ description: words }],
      taxes: [{ name: words.slice(0, 60) }],
    });
  });

  test.each(['\u0000', '\u0007', '\u001b[31m', '\u0085', '\ud800'])(
    '%j is refused in every text',
    async (character) => {
      // Postgres rejects NUL with an error that would become a 500.
      for (const [field, change] of [
        ['customerReference', { customerReference: `a${character}b` }],
        ['customerName', { customerName: `a${character}b` }],
        ['customerAddress', { customerAddress: `a${character}b` }],
        ['notes', { notes: `a${character}b` }],
        ['lineItems.0.description', line(`a${character}b`)],
        ['taxes.0.name', { taxes: [{ name: `a${character}b`, basisPoints: 1 }] }],
      ] as const) {
        const answer = await billing.create(change);
        expect([answer.status, Object.keys(answer.data)]).toEqual([400, [field]]);
      }
    },
  );

  test.each([
    ['customerReference', 255, (customerReference: string) => ({ customerReference })],
    ['customerName', 100, (customerName: string) => ({ customerName })],
    ['customerAddress', 300, (customerAddress: string) => ({ customerAddress })],
    ['notes', 2_000, (notes: string) => ({ notes })],
    ['lineItems.0.description', 500, line],
    ['taxes.0.name', 60, (name: string) => ({ taxes: [{ name, basisPoints: 1 }] })],
  ])('%s takes %i characters and not one more', async (field, limit, change) => {
    // The limits in the contract must be the limits that the API enforces.
    expect((await billing.create(change('x'.repeat(limit)))).status).toBe(201);
    expect(refusal(await billing.create(change('x'.repeat(limit + 1))))).toEqual([
      400,
      'VALIDATION_ERROR',
      { [field]: `must be at most ${limit} characters` },
    ]);
  });
});

describe('lists', () => {
  const lines = (count: number) => ({
    lineItems: Array.from({ length: count }, (_, i) => ({ description: `l${i}`, qty: 1, unitAmountMinor: 100 })),
  });

  test('500 lines are taken and kept in their order; 501 and none are refused', async () => {
    // A longer invoice could no longer be printed.
    const made = await billing.create(lines(500));
    expect([made.status, made.data['totalMinor']]).toEqual([201, 50_000]);
    const { lineItems } = (await billing.read(made.data['id'])).data;
    expect(lineItems).toEqual(lines(500).lineItems.map((line) => expect.objectContaining(line)));
    expect(refusal(await billing.create(lines(501)))).toEqual([
      400,
      'VALIDATION_ERROR',
      { lineItems: 'must hold at most 500 lines' },
    ]);
    expect((await billing.create(lines(0))).data).toEqual({ lineItems: 'must hold at least one line' });
  });

  test('ten taxes, five reminders and 120 installments are taken; one more of each is refused', async () => {
    // Every list that a client sends is limited, so that no request can run for ever.
    const tax = (count: number) => Array.from({ length: count }, (_, i) => ({ name: `t${i}`, basisPoints: 1 }));
    const days = (count: number) => Array.from({ length: count }, (_, i) => i + 1);
    const installments = (count: number) =>
      Array.from({ length: count }, (_, i) => ({ dueDate: day(i), amountMinor: i === 0 ? 100_001 - count : 1 }));
    const full = {
      lineItems: SAMPLE.lineItems.map((line) => ({ ...line, taxes: [] })),
      installments: installments(120),
      reminders: { beforeDays: days(5), overdueDays: days(5) },
    };
    expect((await billing.create(full)).status).toBe(201);
    expect((await billing.create({ taxes: tax(10) })).status).toBe(201);
    for (const [field, change] of [
      ['taxes', { taxes: tax(11) }],
      ['lineItems.0.taxes', { lineItems: [{ ...SAMPLE.lineItems[0], taxes: tax(11) }] }],
      ['reminders.beforeDays', { reminders: { beforeDays: days(6) } }],
      ['reminders.overdueDays', { reminders: { overdueDays: days(6) } }],
      ['installments', { installments: installments(121) }],
      ['plan.count', { plan: { count: 121, every: 'WEEK', firstDueDate: day(1) } }],
    ] as const) {
      const answer = await billing.create(change);
      expect([answer.status, Object.keys(answer.data)]).toEqual([400, [field]]);
    }
  });

  test('a body over 64 KiB is 413, however few lines it has', async () => {
    // Otherwise large bodies would use up the memory before they are parsed.
    const answer = await billing.create({ notes: 'x'.repeat(70_000) });
    expect([answer.status, answer.meta.errorCode]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
  });
});

describe('values', () => {
  const first = SAMPLE.lineItems[0];

  test.each([
    ['a quantity of 0', { lineItems: [{ ...first, qty: 0 }] }, 'lineItems.0.qty'],
    ['a quantity of 1.5', { lineItems: [{ ...first, qty: 1.5 }] }, 'lineItems.0.qty'],
    ['a quantity above 1,000,000,000', { lineItems: [{ ...first, qty: 1_000_000_001 }] }, 'lineItems.0.qty'],
    ['a negative price', { lineItems: [{ ...first, unitAmountMinor: -1 }] }, 'lineItems.0.unitAmountMinor'],
    ['a price as text', { lineItems: [{ ...first, unitAmountMinor: '1' }] }, 'lineItems.0.unitAmountMinor'],
    ['a price above 2^53 - 1', { lineItems: [{ ...first, unitAmountMinor: 2 ** 53 }] }, 'lineItems.0.unitAmountMinor'],
    ['a currency of no gateway', { currency: 'USD' }, 'currency'],
    ['no currency at all', { currency: 'XXX' }, 'currency'],
    ['a 30th of February', { dueDate: '2027-02-30' }, 'dueDate'],
    ['an instant for a day', { dueDate: '2027-02-03T00:00:00Z' }, 'dueDate'],
    ['a day before 1970', { dueDate: '1969-12-31' }, 'dueDate'],
    ['an unknown rounding', { rounding: 'CEIL' }, 'rounding'],
    ['an unknown language', { language: 'fr' }, 'language'],
    ['issue as text', { issue: 'false' }, 'issue'],
    ['a tax of nothing', { taxes: [{ name: 'VAT', basisPoints: 0 }] }, 'taxes.0.basisPoints'],
    ['a tax of more than all', { taxes: [{ name: 'VAT', basisPoints: 10_001 }] }, 'taxes.0.basisPoints'],
    ['a discount of both kinds', { discount: { amountMinor: 1, basisPoints: 1 } }, 'discount'],
    ['a discount of neither kind', { discount: {} }, 'discount'],
    ['a reminder twice', { reminders: { beforeDays: [3, 3] } }, 'reminders.beforeDays'],
    ['an e-mail address that is none', { customerEmail: 'jane@' }, 'customerEmail'],
  ])('%s is refused by its name', async (_name, change, field) => {
    // An integrator has to learn which member to correct, and nothing may be stored.
    const before = await countInvoices();
    const answer = await billing.create(change);
    expect([answer.status, answer.meta.errorCode, Object.keys(answer.data)]).toEqual([
      400,
      'VALIDATION_ERROR',
      [field],
    ]);
    expect(await countInvoices()).toBe(before);
  });

  test('a price of 0 is a line like any other, as long as the invoice comes to something', async () => {
    // Invoices can list free items, but nobody can pay an invoice whose total is 0.
    const free = { description: 'Gift', qty: 3, unitAmountMinor: 0 };
    const made = await billing.create({ lineItems: [first, free] });
    expect([made.status, made.data['totalMinor']]).toEqual([201, 50_000]);
    expect(refusal(await billing.create({ lineItems: [free] }))).toEqual([
      400,
      'VALIDATION_ERROR',
      { lineItems: 'must add up to a total between 1 and 9007199254740991' },
    ]);
  });
});

async function countInvoices(): Promise<number> {
  const [row] = await billing.world.sql<{ count: number }>('select count(*)::int as count from invoices');
  return row?.count ?? -1;
}
