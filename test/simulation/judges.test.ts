import { describe, expect, test } from '@jest/globals';
import type { Evidence } from '../../proofs/simulation/evidence.ts';
import type { RecordedRefund } from '../../proofs/simulation/gateway-refunds.ts';
import { NO_INVOICES, type InvoiceEvidence, type InvoiceState } from '../../proofs/simulation/invoice-evidence.ts';
import { judge, JUDGES, type JudgeName } from '../../proofs/simulation/judges.ts';
import type { Values } from '../../proofs/simulation/postgres/values.ts';

const AT = new Date('2026-01-15T06:00:00Z');
const HOUR_MS = 3_600_000;
const later = (ms: number): Date => new Date(AT.getTime() + ms);

/**
 * Returns evidence without violations. One payment of 100.00 was paid, posted and notified; the app refunded 40.00 of it, and an operator
 * 30.00 with a second person's approval. Another payment expired, and its money came late.
 */
function goodEvidence(): Evidence & { rows: Record<string, Values[]> } {
  const payment = {
    amount_minor: 10_000n,
    review_reason: null,
    review_since: null,
    expires_at: later(HOUR_MS),
    event_sequence: 1,
    failure_code: null,
    application_id: 1n,
  };
  const refund = {
    application_id: 1n,
    payment_id: 1n,
    unapplied_payment_id: null,
    status: 'SUCCEEDED',
    gateway_txn_id: 'bankpaid',
    reason: null,
    review_reason: null,
    review_since: null,
    failure_code: null,
    created_at: later(10_000),
    queried_at: later(20_000),
    ended_at: later(30_000),
  };
  const attempt = { validation_id: null };
  const callback = { kind: 'ipn', raw_payload: 'val_id=valpaid', consumed_at: AT };
  const lateCallback = { ...callback, raw_payload: 'val_id=vallate' };
  const event = { application_id: 1n, mode: 'TEST', sequence: 1, delivery_status: 'DELIVERED', payload: '{}' };
  return {
    rows: {
      payments: [
        {
          ...payment,
          id: 1n,
          reference: 'pay_paid',
          status: 'PARTIALLY_REFUNDED',
          event_sequence: 5,
          customer_reference: 'key-0',
          paid_at: later(5_000),
        },
        {
          ...payment,
          id: 2n,
          reference: 'pay_late',
          status: 'EXPIRED',
          event_sequence: 2,
          customer_reference: 'key-1',
          paid_at: null,
        },
      ],
      payment_attempts: [
        { id: 1n, payment_id: 1n, reference: 'tranpaid', status: 'CONFIRMED', validation_id: 'valpaid' },
        { ...attempt, id: 2n, payment_id: 2n, reference: 'tranlate', status: 'CLOSED' },
      ],
      gateway_callbacks: [
        { ...callback, id: 1n, payment_id: 1n, attempt_id: 1n, outcome: 'ACCEPTED', created_at: later(4_000) },
        { ...lateCallback, id: 2n, payment_id: 2n, attempt_id: 2n, outcome: 'LATE', created_at: later(2 * HOUR_MS) },
      ],
      unapplied_payments: [
        {
          id: 1n,
          application_id: 1n,
          payment_id: 2n,
          attempt_id: 2n,
          validation_id: 'vallate',
          status: 'HELD',
          gross_minor: 10_000n,
          created_at: later(2 * HOUR_MS + 1_000),
        },
      ],
      applications: [{ id: 1n, refund_approval_threshold_minor: 2_000n, unapplied_payment_policy: 'REVIEW' }],
      refunds: [
        {
          ...refund,
          id: 1n,
          reference: 'ref_app',
          amount_minor: 4_000n,
          reason: 'refund-0-0',
          created_by_type: 'APP',
          created_by_operator_id: null,
        },
        {
          ...refund,
          id: 2n,
          reference: 'ref_user',
          amount_minor: 3_000n,
          created_by_type: 'USER',
          created_by_operator_id: 1n,
        },
      ],
      decisions: [
        {
          id: 1n,
          kind: 'refund',
          refund_id: 2n,
          payment_id: 1n,
          decision: 'approve',
          needs_second: false,
          second_operator_id: null,
          consumed_at: later(15_000),
          outcome: 'PENDING',
        },
      ],
      ledger_accounts: [
        { id: 1n, name: 'gateway:sslcommerz:clearing' },
        { id: 2n, name: 'app:payable' },
        { id: 3n, name: 'gateway:fees' },
        { id: 4n, name: 'suspense' },
      ],
      ledger_transactions: [
        { id: 1n, kind: 'charge', cause_id: 'pay_paid' },
        { id: 2n, kind: 'unapplied', cause_id: 'tranlate:vallate' },
        { id: 3n, kind: 'refund', cause_id: 'ref_app' },
        { id: 4n, kind: 'refund', cause_id: 'ref_user' },
      ],
      ledger_postings: [
        { transaction_id: 1n, debit_account_id: 1n, credit_account_id: 2n, amount_minor: 10_000n },
        { transaction_id: 1n, debit_account_id: 3n, credit_account_id: 1n, amount_minor: 250n },
        { transaction_id: 2n, debit_account_id: 1n, credit_account_id: 4n, amount_minor: 10_000n },
        { transaction_id: 2n, debit_account_id: 3n, credit_account_id: 1n, amount_minor: 250n },
        { transaction_id: 3n, debit_account_id: 2n, credit_account_id: 1n, amount_minor: 4_000n },
        { transaction_id: 4n, debit_account_id: 2n, credit_account_id: 1n, amount_minor: 3_000n },
      ],
      webhook_events: [
        { ...event, id: 1n, event_id: 'evt_1', payment_id: 1n, type: 'payment.succeeded' },
        { ...event, id: 2n, event_id: 'evt_2', payment_id: 2n, type: 'payment.expired' },
        { ...event, id: 3n, event_id: 'evt_3', payment_id: 1n, sequence: 2, ...toldOf(1) },
        { ...event, id: 4n, event_id: 'evt_4', payment_id: 1n, sequence: 3, type: 'payment.refunded' },
        { ...event, id: 5n, event_id: 'evt_5', payment_id: 1n, sequence: 4, ...toldOf(2) },
        { ...event, id: 6n, event_id: 'evt_6', payment_id: 1n, sequence: 5, type: 'payment.refunded' },
        { ...event, id: 8n, event_id: 'evt_8', payment_id: 2n, sequence: 2, ...RECEIVED },
      ],
      webhook_attempts: [
        { webhook_event_id: 1n, number: 1, created_at: later(6_000) },
        { webhook_event_id: 2n, number: 1, created_at: later(HOUR_MS) },
      ],
      webhook_endpoints: [{ application_id: 1n, mode: 'TEST', url: 'https://shop.example', disabled_at: null }],
    },
    transitions: [
      { paymentId: 1n, from: 'CREATED', to: 'PENDING' },
      { paymentId: 1n, from: 'PENDING', to: 'SUCCEEDED' },
      { paymentId: 1n, from: 'SUCCEEDED', to: 'PARTIALLY_REFUNDED' },
    ],
    refundTransitions: [
      { refundId: 1n, from: null, to: 'PENDING' },
      { refundId: 1n, from: 'PENDING', to: 'SUCCEEDED' },
    ],
    invoices: NO_INVOICES,
    overReserved: [],
    wronglyRefused: [],
    refunds: [bookedOf('app', 4_000n), bookedOf('user', 3_000n)],
    refusedRefunds: new Set(),
    refundAnswers: [{ key: 'refund-0-0', amountMinor: 4_000, paymentId: 1n, refundId: 1n }],
    acts: [{ operatorId: 2, path: '/admin/refunds/2/approve', atMs: later(15_000).getTime() }],
    endedMs: later(24 * HOUR_MS).getTime(),
    sessions: ['tranpaid', 'tranlate'],
    charges: [chargeOf('paid', 3_000), chargeOf('late', 2 * HOUR_MS)],
    received: ['evt_1', 'evt_2', 'evt_3', 'evt_4', 'evt_5', 'evt_6', 'evt_8'].map((eventId) => ({
      host: 'shop.example',
      eventId,
      process: 'worker-a',
      signature: 'v1,',
      body: { evt_3: toldOf(1).payload, evt_5: toldOf(2).payload, evt_8: RECEIVED.payload }[eventId] ?? '{}',
      atMs: 0,
      status: 200,
    })),
    deliveries: { troubles: [], recorded: [], needless: [] },
    answers: [
      { app: 0, key: 'key-0', amountMinor: 10_000, status: 201, code: null, reference: 'pay_paid', text: '', atMs: 0 },
    ],
    alerts: ['unapplied-payment'],
    leftToPeople: [],
    unfounded: [],
    acknowledged: [{ kind: 'ipn', body: 'val_id=vallate' }],
    wrong: [],
    atRest: true,
    running: ['unapplied:tranlate'],
    histories: [{ workflowId: 'payment:pay_paid', events: 22 }],
    faultsEndedMs: AT.getTime(),
    clockToleranceMs: 0,
    terminationsMs: [],
  };
}

/** The event of an unapplied payment. */
const RECEIVED = { type: 'unapplied_payment.received', payload: JSON.stringify({ data: { id: 1 } }) };

function toldOf(id: number) {
  return { type: 'refund.succeeded', payload: JSON.stringify({ data: { id, status: 'SUCCEEDED' } }) };
}

function bookedOf(name: string, amountMinor: bigint): RecordedRefund {
  const [acceptedAtMs, endsAtMs] = [later(20_000).getTime(), later(25_000).getTime()];
  return {
    key: `ref_${name}`,
    refId: `bankref${name}`,
    bankTranId: 'bankpaid',
    amountMinor,
    acceptedAtMs,
    endsAtMs,
    ends: 'refunded',
  };
}

function chargeOf(name: string, afterMs: number) {
  const atMs = AT.getTime() + afterMs;
  return {
    tranId: `tran${name}`,
    valId: `val${name}`,
    bankTranId: `bank${name}`,
    grossMinor: 10_000n,
    feeMinor: 250n,
    atMs,
    visibleFromMs: atMs,
    agrees: true,
    risky: false,
  };
}

/** Returns the good evidence with changed rows in a table. */
function withRows(table: string, change: (rows: Values[]) => Values[]): Evidence {
  const evidence = goodEvidence();
  return { ...evidence, rows: { ...evidence.rows, [table]: change(evidence.rows[table] ?? []) } };
}

function withFirst(table: string, fields: Values): Evidence {
  return withRows(table, ([first = {}, ...rest]) => [{ ...first, ...fields }, ...rest]);
}

const DAY = '2026-01-10';
const STAND: InvoiceState = {
  fromMs: later(1_000).getTime(),
  status: 'ISSUED',
  totalMinor: 9_000n,
  paidMinor: 0n,
  paused: false,
  dueDate: '2026-02-10',
  parts: [
    { dueDate: DAY, amountMinor: 4_000n },
    { dueDate: '2026-02-10', amountMinor: 5_000n },
  ],
  reminderDays: [],
};

/**
 * Returns evidence of an invoice of 90.00 in two installments. The first one was overdue when the invoice was issued, and its notice was
 * sent.
 */
function billed(
  change: { invoice?: Values; notices?: Values[]; events?: Values[]; seen?: Partial<InvoiceEvidence> } = {},
): Evidence {
  const evidence = goodEvidence();
  const view = {
    id: 1,
    number: 'INV-000001',
    status: 'OVERDUE',
    totalMinor: 9_000,
    amountPaidMinor: 0,
    amountDueMinor: 9_000,
  };
  const event = {
    application_id: 1n,
    invoice_id: 1n,
    payment_id: null,
    delivery_status: 'PENDING',
    event_id: 'evt_i',
  };
  const notice = { dueDate: DAY, offsetDays: 1 };
  const look = { invoiceId: 1n, totalMinor: 9_000, amountPaidMinor: 0 };
  return {
    ...evidence,
    running: [...evidence.running, 'invoice:pay_billed'],
    rows: {
      ...evidence.rows,
      webhook_events: [
        ...(evidence.rows['webhook_events'] ?? []),
        ...(change.events ?? [
          {
            ...event,
            event_id: 'evt_i1',
            type: 'invoice.issued',
            sequence: 1,
            payload: JSON.stringify({ data: view }),
          },
          {
            ...event,
            event_id: 'evt_i2',
            type: 'invoice.overdue',
            sequence: 2,
            payload: JSON.stringify({ data: { ...view, notice } }),
          },
        ]),
      ],
      invoices: [
        {
          id: 1n,
          application_id: 1n,
          reference: 'pay_billed',
          customer_reference: 'invoice-0',
          status: 'ISSUED',
          number: 1n,
          total_minor: 9_000n,
          paid_minor: 0n,
          event_sequence: 2,
          ...change.invoice,
        },
      ],
      invoice_notices: change.notices ?? [
        {
          id: 1n,
          invoice_id: 1n,
          kind: 'overdue',
          due_date: DAY,
          offset_days: 1,
          skipped: false,
          email_status: 'NONE',
          created_at: later(2_000),
        },
      ],
    },
    invoices: {
      ...NO_INVOICES,
      stands: new Map([[1n, [STAND]]]),
      answers: [{ app: 0, key: 'invoice-0', what: 'created', view }],
      looks: [
        {
          ...look,
          queriedAtMs: later(3_000).getTime(),
          answeredAtMs: later(4_000).getTime(),
          requestedMinor: 4_000,
          amountDueMinor: 9_000,
        },
      ],
      ...change.seen,
    },
  };
}

/** For each judge, evidence with the violation that it must find. */
const PLANTED: Readonly<Record<JudgeName, Evidence>> = {
  'paid-by-an-agreeing-charge': {
    ...goodEvidence(),
    charges: [{ ...chargeOf('paid', 3_000), agrees: false }, chargeOf('late', 2 * HOUR_MS)],
  },
  'no-charge-lost': { ...goodEvidence(), charges: [...goodEvidence().charges, chargeOf('second', 4_000)] },
  'no-charge-booked-twice': withRows('ledger_transactions', (rows) => [
    ...rows,
    { id: 3n, kind: 'unapplied', cause_id: 'tranpaid:valpaid' },
  ]),
  'books-agree': withFirst('ledger_postings', { amount_minor: 9_999n }),
  'one-event-per-ending': withRows('webhook_events', (rows) => rows.slice(1)),
  'unapplied-money-told': withRows('webhook_events', (rows) =>
    rows.filter(({ type }) => type !== 'unapplied_payment.received'),
  ),
  'endings-are-final': { ...goodEvidence(), transitions: [{ paymentId: 1n, from: 'EXPIRED', to: 'SUCCEEDED' }] },
  'one-order-per-payment': { ...goodEvidence(), sessions: ['tranpaid', 'tranlate', 'tranagain'] },
  'promises-to-clients-kept': withFirst('payments', { reference: 'pay_other' }),
  'one-payment-per-key': withRows('payments', (rows) => rows.map((row) => ({ ...row, customer_reference: 'key-0' }))),
  'events-delivered': { ...goodEvidence(), received: goodEvidence().received.slice(1) },
  'events-end': withFirst('webhook_events', { delivery_status: 'RETRYING' }),
  'event-arrives-once': { ...goodEvidence(), received: goodEvidence().received.flatMap((one) => [one, one]) },
  'first-attempt-alone': {
    ...goodEvidence(),
    deliveries: { troubles: [], recorded: [], needless: ['a workflow began for evt_1, which was delivered'] },
  },
  'first-attempt-in-time': {
    ...goodEvidence(),
    deliveries: {
      troubles: [],
      recorded: [{ eventId: 'evt_1', process: 'worker-a', atMs: -60_000, wellReceived: true }],
      needless: [],
    },
  },
  'second-attempt-in-time': {
    ...goodEvidence(),
    received: goodEvidence().received.flatMap((one) =>
      one.eventId === 'evt_1'
        ? [
            { ...one, status: 503 },
            { ...one, atMs: 60_000 },
          ]
        : [one],
    ),
    deliveries: {
      troubles: [],
      recorded: [{ eventId: 'evt_1', process: 'worker-a', atMs: 0, wellReceived: false }],
      needless: [],
    },
  },
  'webhook-schedule-kept': withRows('webhook_attempts', (rows) => [
    ...rows,
    { webhook_event_id: 1n, number: 2, created_at: later(7_000) },
  ]),
  'callbacks-taken-up': withFirst('gateway_callbacks', { outcome: 'RECEIVED', consumed_at: null }),
  'acknowledged-callbacks-kept': withRows('gateway_callbacks', (rows) => rows.slice(0, 1)),
  'evidence-before-signal': { ...goodEvidence(), unfounded: ['7'] },
  'payer-has-his-way': (() => {
    const evidence = goodEvidence();
    Object.assign(evidence.rows['payments']?.[1] ?? {}, {
      cancel_requested_at: later(1_000),
      ended_at: later(HOUR_MS / 2),
    });
    return evidence;
  })(),
  'never-more-back-than-taken': {
    ...goodEvidence(),
    refunds: [...goodEvidence().refunds, { ...bookedOf('third', 3_001n), endsAtMs: Infinity, ends: 'failed' }],
  },
  'reservation-kept': { ...goodEvidence(), overReserved: ['10001 of payment 1 was reserved, 10000 was captured'] },
  'refused-only-what-is-too-much': { ...goodEvidence(), wronglyRefused: ['1 of payment 1 was refused as too much'] },
  'refund-asked-as-stored': withFirst('refunds', { reference: 'ref_first_key' }),
  'refund-ends-as-the-gateway-says': withFirst('refunds', { status: 'FAILED' }),
  'refund-ends-are-final': {
    ...goodEvidence(),
    refundTransitions: [{ refundId: 1n, from: 'FAILED', to: 'SUCCEEDED' }],
  },
  'refund-comes-to-an-end': withFirst('refunds', {
    status: 'PENDING',
    review_reason: 'GATEWAY_CANCELLED',
    review_since: later(HOUR_MS),
  }),
  'refund-known-in-time': withFirst('refunds', { ended_at: later(9 * HOUR_MS) }),
  'payment-shows-what-went-back': withFirst('payments', { status: 'REFUNDED' }),
  'refund-posted-once': withRows('ledger_transactions', (rows) => [
    ...rows,
    { id: 5n, kind: 'refund', cause_id: 'ref_app' },
    { id: 6n, kind: 'refund', cause_id: 'ref_nobody' },
  ]),
  'one-event-per-refund': withRows('webhook_events', (rows) => [...rows, { ...rows[2], id: 7n, event_id: 'evt_7' }]),
  'decided-by-people': {
    ...goodEvidence(),
    acts: [{ operatorId: 1, path: '/admin/refunds/2/approve', atMs: later(15_000).getTime() }],
  },
  'decisions-taken-up': withFirst('decisions', { consumed_at: null }),
  'unapplied-money-in-one-place': withFirst('unapplied_payments', { status: 'REFUNDING' }),
  'promises-about-refunds-kept': withFirst('refunds', { amount_minor: 4_001n }),
  'one-refund-per-key': withRows('refunds', ([first = {}, ...rest]) => [
    first,
    ...rest,
    { ...first, id: 3n, reference: 'ref_again' },
  ]),
  'comes-to-rest': { ...goodEvidence(), atRest: false },
  'no-workflow-left-behind': { ...goodEvidence(), running: ['payment:pay_paid'] },
  'money-known-in-time': withFirst('payments', { paid_at: later(5 * HOUR_MS) }),
  'no-false-alarm': { ...goodEvidence(), alerts: ['payment-behind-workflow'] },
  'no-storm': { ...goodEvidence(), histories: [{ workflowId: 'late:tranlate', events: 5_000 }] },
  'invoice-counts-its-money': billed({ seen: { miscounted: ['invoice 1 has 1 paid'] } }),
  'invoice-numbers-without-gaps': billed({ seen: { misnumbered: ['the invoices of app 1 have the numbers 1, 3'] } }),
  'invoice-steps-are-legal': billed({ seen: { missteps: ['invoice 1 went from VOID to PAID'] } }),
  'overpayment-never-silent': billed({ invoice: { paid_minor: 9_001n } }),
  'nobody-pays-for-void': billed({ seen: { payingForVoid: ['payment 1 is under way for invoice 1'] } }),
  'invoice-adds-up': billed({
    seen: {
      answers: [
        {
          app: 0,
          key: 'invoice-0',
          what: 'created',
          view: {
            id: 1,
            number: 'INV-000001',
            status: 'ISSUED',
            totalMinor: 9_000,
            amountPaidMinor: 1,
            amountDueMinor: 9_000,
          },
        },
      ],
    },
  }),
  'link-asks-what-is-due': billed({
    seen: {
      looks: billed().invoices.looks.map((look) => ({ ...look, requestedMinor: 9_000 })),
    },
  }),
  'told-only-what-is-due': billed({ seen: { toldAmiss: ['overdue 2026-01-10 1 of invoice 1'] } }),
  'every-due-notice-told': billed({ notices: [] }),
  'one-event-per-invoice-change': billed({ events: [] }),
  'open-invoice-has-a-workflow': { ...billed(), running: [] },
  'promises-about-invoices-kept': billed({ invoice: { number: 2n } }),
  'emails-come-to-an-end': billed({
    notices: (billed().rows['invoice_notices'] ?? []).map((notice) => ({ ...notice, email_status: 'SENT' })),
  }),
  'instruments-agree': { ...goodEvidence(), wrong: ['replay: another command'] },
};

describe('the judges of the simulation', () => {
  test('have nothing against a story in which everything was kept', () => {
    // Developers would soon disable a judge that reports correct behaviour.
    expect(judge(goodEvidence())).toEqual([]);
    expect(judge(billed())).toEqual([]);
  });

  test.each(Object.keys(JUDGES) as JudgeName[])('%s sees what it is there for', (name) => {
    // A judge that cannot fail proves nothing, so each one must find its own violation.
    expect(judge(PLANTED[name]).map((violation) => violation.judge)).toContain(name);
  });

  test('people take only what cannot be booked: a charge that agrees is lost, whoever was told', () => {
    // Money that the product could have posted must not be excused because operators were notified.
    const second = chargeOf('second', 4_000);
    const told = (agrees: boolean): Evidence => ({
      ...goodEvidence(),
      leftToPeople: [second.tranId],
      charges: [...goodEvidence().charges, { ...second, agrees }],
      rows: withRows('payment_attempts', (rows) => [
        ...rows,
        { id: 3n, payment_id: 2n, reference: second.tranId, status: 'CLOSED', validation_id: null },
      ]).rows,
    });
    const lost = (evidence: Evidence): boolean => judge(evidence).some(({ judge: name }) => name === 'no-charge-lost');
    expect(lost(told(true))).toBe(true);
    expect(lost(told(false))).toBe(false);
  });

  test('what an invoice did not ask for must be held, whatever else is held', () => {
    // Nobody would learn of money that was collected beyond an invoice.
    const paid = { ...billed().rows['payments']?.[0], invoice_id: 1n, overpayment_minor: 1_000n };
    const silent = (held: Values[]): boolean =>
      judge({
        ...billed(),
        rows: { ...billed().rows, payments: [paid], unapplied_payments: held },
      }).some(({ judge: name }) => name === 'overpayment-never-silent');
    const held = { payment_id: 1n, kind: 'overpayment', gross_minor: 1_000n };
    expect([[], [{ ...held, kind: 'late' }], [{ ...held, gross_minor: 999n }], [held]].map(silent)).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });

  test('each way around a second person is seen', () => {
    // Amounts above the threshold, an outcome found by operators, and a decision on unapplied money must come from the operators themselves.
    const complains = (evidence: Evidence): boolean =>
      judge(evidence).some(({ judge: name }) => name === 'decided-by-people');
    const failed = { status: 'FAILED', failure_code: 'OPERATOR_FOUND_NOT_REFUNDED' };
    const oneFound = { operatorId: 2, path: '/admin/refunds/1/review', body: { decision: 'not-refunded' }, atMs: 0 };
    const found = { ...withFirst('refunds', failed), acts: [...goodEvidence().acts, oneFound] };
    const twoFound = { ...found, acts: [...found.acts, { ...oneFound, operatorId: 3 }] };
    expect([complains(found), complains(twoFound)]).toEqual([true, false]);
    const said = { id: 1n, refund_id: 1n, decision: 'accept', outcome: 'SUCCEEDED' };
    const oneSaw = { ...oneFound, body: { decision: 'refunded' } };
    const seen = { ...withRows('decisions', () => [said]), acts: [...goodEvidence().acts, oneSaw] };
    const twoSaw = { ...seen, acts: [...seen.acts, { ...oneSaw, operatorId: 3 }] };
    expect([complains(seen), complains(twoSaw)]).toEqual([true, false]);
    const late = { operatorId: 2, path: '/admin/unapplied-payments/1', body: { decision: 'keep' }, atMs: 0 };
    const kept = { ...withFirst('unapplied_payments', { status: 'KEPT' }), acts: [...goodEvidence().acts, late] };
    const keptByTwo = { ...kept, acts: [...kept.acts, { ...late, operatorId: 3 }] };
    expect([complains(kept), complains(keptByTwo)]).toEqual([true, false]);
    const rejected = { status: 'FAILED', failure_code: 'REVIEW_REJECTED', ended_at: later(HOUR_MS) };
    expect(complains(withFirst('payments', rejected))).toBe(true);
    expect(complains(withFirst('refunds', { failure_code: 'APPROVER_REJECTED', status: 'REJECTED' }))).toBe(true);
  });

  test.each([
    {
      ms: 62_000,
      durationMs: 78_000,
      isKept: true,
      why: 'beside an attempt whose process stood still beyond its lease',
    },
    { ms: 2_000, durationMs: 78_000, isKept: false, why: 'beside an attempt that still has its lease' },
    { ms: 2_000, durationMs: 100, isKept: false, why: 'before its time, after an attempt that has ended' },
    { ms: 62_000, durationMs: 100, isKept: true, why: 'in its time' },
  ])('a second attempt $why: the schedule is kept, $isKept', ({ ms, durationMs, isKept }) => {
    // An attempt belongs to its process for a minute. Attempts are numbered as they are recorded, so the later one may have begun first.
    const evidence = withRows('webhook_attempts', (rows) => [
      ...rows.filter(({ webhook_event_id: id }) => id !== 1n),
      { webhook_event_id: 1n, number: 1, created_at: later(6_000 + ms), duration_ms: 100 },
      { webhook_event_id: 1n, number: 2, created_at: later(6_000), duration_ms: durationMs },
    ]);
    expect(judge(evidence).some((violation) => violation.judge === 'webhook-schedule-kept')).toBe(!isKept);
  });

  test.each([
    { terminatedMs: 6_000, isKept: true, why: 'as it began' },
    { terminatedMs: 6_300, isKept: false, why: 'after the other had begun' },
    { terminatedMs: -6_000, isKept: false, why: 'long before' },
  ])('an attempt beside another whose workflow was terminated $why: the schedule is kept, $isKept', (given) => {
    // Whoever loses Temporal's state gets a new workflow for each open delivery, while the old attempt may still be in flight.
    const evidence = withRows('webhook_attempts', (rows) => [
      ...rows.filter(({ webhook_event_id: id }) => id !== 1n),
      { webhook_event_id: 1n, number: 1, created_at: later(6_000), duration_ms: 400 },
      { webhook_event_id: 1n, number: 2, created_at: later(6_200), duration_ms: 400 },
    ]);
    const terminationsMs = [later(given.terminatedMs).getTime()];
    const broken = judge({ ...evidence, terminationsMs }).some(({ judge: name }) => name === 'webhook-schedule-kept');
    expect(broken).toBe(!given.isKept);
  });

  test.each([
    { durationMs: 78_000, why: 'still ran' },
    { durationMs: 59_733, why: 'had ended late and was still being recorded' },
  ])('an attempt that was made while another $why takes no place in the schedule', ({ durationMs }) => {
    // The third attempt by count is the second of the schedule, which is due after five seconds, not after five minutes.
    const attempts = (thirdMs: number) =>
      withRows('webhook_attempts', (rows) => [
        ...rows.filter(({ webhook_event_id: id }) => id !== 1n),
        { webhook_event_id: 1n, number: 1, created_at: later(68_000), duration_ms: 100 },
        { webhook_event_id: 1n, number: 2, created_at: later(6_000), duration_ms: durationMs },
        { webhook_event_id: 1n, number: 3, created_at: later(68_000 + thirdMs), duration_ms: 100 },
      ]);
    const isBroken = (thirdMs: number) =>
      judge(attempts(thirdMs)).some((violation) => violation.judge === 'webhook-schedule-kept');
    expect([isBroken(6_000), isBroken(1_000)]).toEqual([false, true]);
  });

  test('a delivery that is given up before ten attempts over 72 hours breaks the schedule', () => {
    // The published schedule has two limits: no attempt too early, and no end too soon.
    const parked = withFirst('webhook_events', { delivery_status: 'PARKED' });
    expect(judge(parked).map((violation) => violation.judge)).toContain('webhook-schedule-kept');
  });
});
