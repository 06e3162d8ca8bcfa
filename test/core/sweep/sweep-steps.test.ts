import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createSweepActivities } from '../../../activities/sweep.ts';
import type { SweepDependencies } from '../../../core/sweep/sweep.ts';
import type { Dispatch, EndedWorkflows } from '../../../core/dispatch.ts';
import { refundReference } from '../../../domain/references.ts';
import { createScriptedWorld, type Row, type ScriptedWorld } from '../payments/scripted-payments.ts';
import type { StoredPayment } from '../../support/stored.ts';

let world: ScriptedWorld;
beforeAll(async () => {
  world = await createScriptedWorld();
});
afterAll(() => world.close());

type Call = readonly [name: keyof Dispatch, ...values: unknown[]];

/** What was started or signalled, in order, and how the fake Temporal reacts. */
let calls: Call[] = [];
let temporal: Partial<Dispatch> = {};
/** The workflows that ended without a result, and what was asked about them. */
let ended: Partial<EndedWorkflows> = {};
let listed: Parameters<Dispatch['endedWorkflows']>[0][] = [];

beforeEach(async () => {
  calls = [];
  temporal = {};
  ended = {};
  listed = [];
  world.log.length = 0;
  world.gateway.configured = true;
  for (const table of ['payments', 'gateway_callbacks', 'webhook_events', 'refunds', 'decisions']) {
    await world.rows(`update ${table} set next_sweep_at = now() + interval '1 day' returning 1`);
  }
});

function dispatch(): Dispatch {
  const unused = (): never => {
    throw new Error('the sweeper opens no checkout');
  };
  return {
    outcomeWaitMs: 0,
    openCheckout: unused,
    chooseGateway: unused,
    signalChoice: async (reference) => {
      calls.push(['signalChoice', reference]);
      return (await temporal.signalChoice?.(reference)) ?? true;
    },
    startPayment: async (payment) => {
      calls.push(['startPayment', payment]);
      return (await temporal.startPayment?.(payment)) ?? 'running';
    },
    signalCallback: async (reference, callbackId) => {
      calls.push(['signalCallback', reference, callbackId]);
      return (await temporal.signalCallback?.(reference, callbackId)) ?? true;
    },
    signalCancel: async (reference) => {
      calls.push(['signalCancel', reference]);
      return (await temporal.signalCancel?.(reference)) ?? true;
    },
    startUnappliedPayment: async (payment, late) => {
      calls.push(['startUnappliedPayment', payment, late]);
      await temporal.startUnappliedPayment?.(payment, late);
    },
    startRefund: async (refund, decisionId) => {
      calls.push(['startRefund', refund, decisionId]);
      return (await temporal.startRefund?.(refund, decisionId)) ?? 'running';
    },
    notifyInvoice: async (invoice, change) => {
      calls.push(['notifyInvoice', invoice, change]);
      await temporal.notifyInvoice?.(invoice, change);
    },
    rescheduleInvoice: unused,
    signalReviewDecision: async (payment, decisionId) => {
      calls.push(['signalReviewDecision', payment, decisionId]);
      await temporal.signalReviewDecision?.(payment, decisionId);
    },
    decideUnappliedPayment: async (payment, late) => {
      calls.push(['decideUnappliedPayment', payment, late]);
      await temporal.decideUnappliedPayment?.(payment, late);
    },
    signalRefundEnded: unused,
    resendDelivery: unused,
    startDelivery: async (event) => {
      calls.push(['startDelivery', event]);
      await temporal.startDelivery?.(event);
    },
    endedWorkflows: (asked) => {
      listed.push(asked);
      return (
        temporal.endedWorkflows?.(asked) ??
        Promise.resolve({ payments: [], invoices: [], unappliedPayments: [], ...ended })
      );
    },
  };
}

function sweep(changes: Partial<SweepDependencies> = {}) {
  return createSweepActivities({ ...world.deps, dispatch: dispatch(), ...changes }).sweep();
}

const AT = '2026-01-01T00:00:00Z';
const QUIET = {
  paymentsStarted: 0,
  callbacksSignalled: 0,
  lateQueriesSent: 0,
  refundsStarted: 0,
  unappliedStarted: 0,
  decisionsSignalled: 0,
  invoicesNotified: 0,
  deliveriesStarted: 0,
  keysForgotten: 0,
  callbacksForgotten: 0,
  deliveriesForgotten: 0,
  sessionsForgotten: 0,
};
const AWAY = () => Promise.reject(new Error('Temporal is away'));
const due = (input: StoredPayment, ago = '1 second') =>
  world.rows(`update payments set next_sweep_at = now() - ?::interval where id = ?::bigint returning 1`, [
    ago,
    input.paymentId,
  ]);
const callbackDue = (id: bigint) =>
  world.rows(`update gateway_callbacks set next_sweep_at = now() - interval '1 second' where id = ? returning 1`, [id]);
const secondsUntilNext = async (table: string, column: string, id: unknown): Promise<number> => {
  const [row] = await world.rows(
    `select extract(epoch from next_sweep_at - now())::float8 as seconds from ${table} where ${column} = ?`,
    [id],
  );
  return Number(row?.['seconds']);
};
const handleOf = (input: StoredPayment) => ({
  reference: input.reference,
  applicationId: BigInt(input.applicationId),
  applicationName: 'Shop',
  mode: 'TEST',
  amount: { amountMinor: 10_000n, currency: 'BDT' },
  gateway: 'sslcommerz',
  invoiceId: null,
});
const ENDED = { status: 'EXPIRED', ended_at: '2026-01-01T00:00:00Z' };

describe('a step that fails', () => {
  test('is told by its name, counts as nothing, and keeps no other from running', async () => {
    // One broken table must not stop the other steps.
    const database = { ...world.deps.database, withSystem: () => Promise.reject(new Error('no database')) };
    expect(await sweep({ database })).toEqual(QUIET);
    expect(world.log).toMatchObject(
      [
        'payments',
        'ended workflows',
        'callbacks',
        'late queries',
        'refunds',
        'unapplied payments',
        'decisions',
        'invoices',
        'deliveries',
        'expired changes',
        'idempotency keys',
      ].map((step) => ({
        level: 'error',
        step,
        alert: 'sweep-step-failed',
        error: expect.objectContaining({ message: 'no database' }),
      })),
    );
  });

  test('leaves the counts of the others', async () => {
    // Temporal's list can fail while everything else works.
    const input = await world.payment();
    await due(input);
    temporal.endedWorkflows = () => Promise.reject(new Error('no list'));
    expect(await sweep()).toEqual({ ...QUIET, paymentsStarted: 1 });
  });
});

describe('a payment whose next look is due', () => {
  test('is started with what a start must know, and looked at again when it should have ended', async () => {
    // Only ids, codes and amounts may be sent, no payer data.
    const input = await world.payment({ customer_name: 'Jane', expires_at: '2031-01-02T03:04:05Z' });
    await due(input);
    expect(await sweep()).toEqual({ ...QUIET, paymentsStarted: 1 });
    expect(calls).toEqual([['startPayment', handleOf(input)]]);
    expect(world.log).toEqual([]);
    const [row] = await world.rows('select next_sweep_at from payments where id = ?::bigint', [input.paymentId]);
    expect(new Date(String(row?.['next_sweep_at']))).toEqual(new Date('2031-01-02T03:05:05Z'));
  });

  test('that should have ended already is looked at again in five minutes', async () => {
    // Otherwise a workflow that queries its gateway for days would be started twice a minute.
    const input = await world.payment({ expires_at: '2026-01-01T00:00:00Z' });
    await due(input);
    await sweep();
    expect(await secondsUntilNext('payments', 'id', input.paymentId)).toBeGreaterThan(270);
    expect(await secondsUntilNext('payments', 'id', input.paymentId)).toBeLessThanOrEqual(300);
  });

  test('that cannot be started is due again in a minute, and said so', async () => {
    // The failed row is retried after a minute, not only at its expiry.
    temporal.startPayment = AWAY;
    const input = await world.payment();
    await due(input);
    expect(await sweep()).toEqual({ ...QUIET, paymentsStarted: 1 });
    expect(await secondsUntilNext('payments', 'id', input.paymentId)).toBeGreaterThan(30);
    expect(await secondsUntilNext('payments', 'id', input.paymentId)).toBeLessThanOrEqual(60);
    expect(world.log).toMatchObject([
      { level: 'warn', payment: input.reference, error: expect.objectContaining({ message: 'Temporal is away' }) },
    ]);
  });

  test.each([ENDED, { status: 'SUCCEEDED', ended_at: '2026-01-01T00:00:00Z', paid_at: '2026-01-01T00:00:00Z' }])(
    'is not one that has ended: %p',
    async (columns) => {
      // A payment with a final status needs no workflow.
      await due(await world.payment(columns));
      expect(await sweep()).toEqual(QUIET);
      expect(calls).toEqual([]);
    },
  );

  test('whose payer wants to cancel is told so once it runs, and not when it has completed', async () => {
    // The request is in the row, but its signal can be lost when the process dies.
    const columns = { cancel_requested_at: '2026-01-01T00:00:00Z' };
    const running = await world.payment(columns);
    await due(running);
    await sweep();
    expect(calls.map(([name, what]) => [name, what])).toEqual([
      ['startPayment', handleOf(running)],
      ['signalCancel', running.reference],
    ]);
    calls = [];
    temporal.startPayment = () => Promise.resolve('completed');
    await due(await world.payment(columns));
    await sweep();
    expect(calls.map(([name]) => name)).toEqual(['startPayment']);
  });

  test('whose payer wants to cancel is not told so while it is under review', async () => {
    // Only a decision ends the review. Each signal would cause one more query for as long as there is no decision.
    const columns = {
      cancel_requested_at: '2026-01-01T00:00:00Z',
      review_reason: 'STORE_MISMATCH',
      review_since: '2026-01-01T00:01:00Z',
    };
    await due(await world.payment(columns));
    await sweep();
    expect(calls.map(([name]) => name)).toEqual(['startPayment']);
  });

  test('is only started where its payer wants nothing', async () => {
    // A cancellation that the payer did not request would cost the shop the sale.
    await due(await world.payment());
    await sweep();
    expect(calls.map(([name]) => name)).toEqual(['startPayment']);
  });

  test('calls a person where its workflow has completed and it is still open', async () => {
    // This happens only after the database was restored to an older state.
    temporal.startPayment = () => Promise.resolve('completed');
    const input = await world.payment();
    await due(input);
    await sweep();
    expect(world.log).toMatchObject([{ level: 'error', payment: input.reference, alert: 'payment-behind-workflow' }]);
  });

  test('calls nobody where it has ended between the look and the start', async () => {
    // The workflow ends only after its row has.
    const input = await world.payment();
    temporal.startPayment = async () => {
      await world.activities.finalizePayment({ ...input, status: 'EXPIRED' });
      await world.rows(`update webhook_events set next_sweep_at = now() + interval '1 day' returning 1`);
      return 'completed';
    };
    await due(input);
    await sweep();
    expect(world.log.filter(({ level }) => level !== 'info')).toEqual([]);
  });
});

describe('a backlog', () => {
  const backlog = (count: number, name: string): Promise<Row[]> =>
    world.rows(
      `insert into payments (application_id, mode, reference, amount_minor, currency, customer_reference, gateway, expires_at, next_sweep_at)
       select ?, 'TEST', ? || n, 10000, 'BDT', 'c', 'sslcommerz', now() + interval '20 minutes', now() - n * interval '1 minute'
       from generate_series(1, ?) n returning id`,
      [world.applicationId, name, count],
    );
  const started = (): string[] => calls.map(([, payment]) => (payment as { reference: string }).reference);

  test('is worked off batch by batch, each row once', async () => {
    // After an outage, payers must not wait for many passes.
    await backlog(230, 'pay_backlog');
    expect(await sweep()).toEqual({ ...QUIET, paymentsStarted: 230 });
    expect(new Set(started()).size).toBe(230);
  });

  test('of just one full batch is looked at once more, and found worked off', async () => {
    // A full batch means that there can be more rows.
    await backlog(100, 'pay_full');
    expect(await sweep()).toEqual({ ...QUIET, paymentsStarted: 100 });
  });

  test('is left to the next pass when its time is up', async () => {
    // All steps of a pass must fit into the activity's minute.
    await backlog(130, 'pay_slow');
    let nowMs = Date.now();
    const clock = jest.spyOn(Date, 'now').mockImplementation(() => nowMs);
    try {
      temporal.startPayment = () => {
        nowMs += 120;
        return Promise.resolve('running');
      };
      expect(await sweep()).toEqual({ ...QUIET, paymentsStarted: 100 });
    } finally {
      clock.mockRestore();
    }
    expect(await sweep()).toEqual({ ...QUIET, paymentsStarted: 30 });
  });

  test('is taken from its oldest end, and left to the next pass when one of it fails', async () => {
    // Each try would wait for its timeout.
    await backlog(130, 'pay_outage');
    temporal.startPayment = ({ reference }) => (reference === 'pay_outage130' ? AWAY() : Promise.resolve('running'));
    expect(await sweep()).toEqual({ ...QUIET, paymentsStarted: 100 });
    expect(new Set(started())).toEqual(new Set(Array.from({ length: 100 }, (_, n) => `pay_outage${130 - n}`)));
    temporal = {};
    expect(await sweep()).toMatchObject({ paymentsStarted: 30 });
  });
});

describe('workflows that ended without a result', () => {
  test('are asked for of the last ten minutes, a hundred at most', async () => {
    // A workflow that was terminated in the Temporal UI is resumed within half a minute, and Temporal is not queried for its whole past.
    await sweep();
    expect(listed).toEqual([{ since: expect.any(Date), max: 100 }]);
    const agoMs = Date.now() - (listed[0]?.since.getTime() ?? 0);
    expect(agoMs).toBeGreaterThanOrEqual(600_000);
    expect(agoMs).toBeLessThan(630_000);
  });

  test('are started again where they asked about unapplied money, of which no row knows yet', async () => {
    // If the workflow is terminated while the gateway does not answer, its query must not be forgotten.
    const input = await world.payment(ENDED);
    const attempt = await world.attempt(input, { status: 'UNKNOWN' });
    ended = { unappliedPayments: [attempt.reference] };
    expect(await sweep()).toEqual({ ...QUIET, paymentsStarted: 1 });
    expect(calls).toEqual([
      ['startUnappliedPayment', handleOf(input), { attemptReference: attempt.reference, callbackId: 0n }],
    ]);
  });

  test('are started again where their payment is open', async () => {
    // Nothing is started for a final or unknown payment.
    const open = await world.payment({ status: 'PENDING', cancel_requested_at: '2026-01-01T00:00:00Z' });
    const final = await world.payment(ENDED);
    ended = { payments: [open.reference, final.reference, 'pay_unknown'] };
    expect(await sweep()).toEqual({ ...QUIET, paymentsStarted: 1 });
    expect(calls).toEqual([
      ['startPayment', handleOf(open)],
      ['signalCancel', open.reference],
    ]);
  });

  test('are started again where the payment was rejected under review, and for no other failure', async () => {
    // The workflow still has to look for the money that was charged.
    const failed = { status: 'FAILED', ended_at: '2026-01-01T00:00:00Z' };
    const rejected = await world.payment({ ...failed, failure_code: 'REVIEW_REJECTED' });
    const refused = await world.payment({ ...failed, failure_code: 'GATEWAY_REFUSED_SESSION' });
    ended = { payments: [rejected.reference, refused.reference] };
    expect(await sweep()).toEqual({ ...QUIET, paymentsStarted: 1 });
    expect(calls).toEqual([['startPayment', handleOf(rejected)]]);
  });

  test('add to the payments that were due', async () => {
    const [first, second] = [await world.payment(), await world.payment()];
    await due(first);
    ended = { payments: [second.reference] };
    expect(await sweep()).toEqual({ ...QUIET, paymentsStarted: 2 });
  });
});

describe('a callback that nobody looked at', () => {
  const pending = async (columns = {}, fields = {}) => {
    const input = await world.payment({ status: 'PENDING', ...columns });
    return { input, attempt: await world.attempt(input, fields) };
  };

  /** Creates this many open payments, each with one callback that is due. */
  const waiting = (count: number): Promise<Row[]> =>
    world.rows(
      `with paying as (
         insert into payments (application_id, mode, reference, status, amount_minor, currency, customer_reference, gateway, expires_at,
           next_sweep_at)
         select ?, 'TEST', 'pay_' || gen_random_uuid(), 'PENDING', 10000, 'BDT', 'c', 'sslcommerz', '2031-01-02', '2030-01-01'
         from generate_series(1, ?) returning id, application_id, mode),
       tried as (
         insert into payment_attempts (application_id, mode, payment_id, number, reference, gateway, store_id, status)
         select application_id, mode, id, 1, left(translate(gen_random_uuid()::text, '-', ''), 20), 'sslcommerz', 'store', 'OPEN'
         from paying returning id, payment_id, application_id, mode, reference)
       insert into gateway_callbacks (application_id, mode, payment_id, attempt_id, gateway, kind, signature_valid, raw_payload, digest,
         next_sweep_at)
       select application_id, mode, payment_id, id, 'sslcommerz', 'ipn', true, '{"claims":"unknown","claimedValidationId":null}',
         sha256(reference::bytea), now() - interval '1 second' from tried returning id`,
      [world.applicationId, count],
    );

  test('is signalled in the same pass as a hundred before it', async () => {
    // After an outage, callbacks must not wait for many passes.
    await waiting(110);
    expect(await sweep()).toEqual({ ...QUIET, callbacksSignalled: 110 });
  });

  test('is signalled to its workflow', async () => {
    // Otherwise a callback would be lost when the process dies before it signals.
    const { input, attempt } = await pending();
    const id = await world.callback(input, attempt);
    await callbackDue(id);
    expect(await sweep()).toEqual({ ...QUIET, callbacksSignalled: 1 });
    expect(calls).toEqual([['signalCallback', input.reference, id]]);
    expect(await sweep()).toEqual(QUIET);
  });

  test('starts its workflow where none listens', async () => {
    // The callback can arrive before the workflow starts, or after it has died.
    const { input, attempt } = await pending();
    await callbackDue(await world.callback(input, attempt));
    temporal.signalCallback = () => Promise.resolve(false);
    await sweep();
    expect(calls.map(([name]) => name)).toEqual(['signalCallback', 'startPayment']);
    expect(calls[1]?.[1]).toEqual(handleOf(input));
  });

  test.each([
    ['signalled', { signalCallback: AWAY }],
    ['resumed', { signalCallback: () => Promise.resolve(false), startPayment: AWAY }],
  ])('that cannot be %s ends the step with this batch, and is said so', async (_what, away) => {
    // Each further try would wait for its timeout.
    await waiting(110);
    temporal = away;
    expect(await sweep()).toEqual({ ...QUIET, callbacksSignalled: 100 });
    expect(world.log).toHaveLength(100);
    expect(world.log[0]).toMatchObject({
      level: 'warn',
      payment: expect.stringMatching(/^pay_/),
      error: expect.objectContaining({ message: 'Temporal is away' }),
    });
    temporal = {};
    expect(await sweep()).toMatchObject({ callbacksSignalled: 10 });
  });

  test('of an ended payment goes to the unapplied payment of its attempt, once for many', async () => {
    // Fifty callbacks about one attempt need one query, by the newest of them.
    const { input, attempt } = await pending(ENDED);
    const other = await world.attempt(input, { number: 2 });
    const ids = [await world.callback(input, attempt), await world.callback(input, attempt)];
    const otherId = await world.callback(input, other);
    for (const id of [...ids, otherId]) {
      await callbackDue(id);
    }
    expect(await sweep()).toEqual({ ...QUIET, callbacksSignalled: 2 });
    expect(calls.map(([name]) => name)).toEqual(['startUnappliedPayment', 'startUnappliedPayment']);
    for (const [, payment, late] of calls) {
      expect(payment).toEqual(handleOf(input));
      const { attemptReference, callbackId } = late as { attemptReference: string; callbackId: bigint };
      expect(attemptReference === attempt.reference ? ids : [otherId]).toContain(callbackId);
    }
  });

  test('that tells nothing new is closed without a signal', async () => {
    // The browser's return often arrives while the IPN before it is being handled.
    const { input, attempt } = await pending(
      { status: 'SUCCEEDED', ended_at: '2026-01-01T00:00:00Z', paid_at: '2026-01-01T00:00:00Z' },
      { status: 'CONFIRMED', validationId: 'V-sweep-same' },
    );
    const same = await world.callback(input, attempt, { claims: 'paid', claimedValidationId: 'V-sweep-same' });
    const another = await world.callback(input, attempt, { claims: 'paid', claimedValidationId: 'V-sweep-new' });
    const failed = await world.callback(input, attempt, { claims: 'failed', claimedValidationId: 'V-sweep-tried' });
    for (const id of [same, another, failed]) {
      await callbackDue(id);
    }
    expect(await sweep()).toEqual({ ...QUIET, callbacksSignalled: 1 });
    expect(await world.outcomes(input)).toEqual(['DUPLICATE', null, 'IGNORED']);
    expect(calls.map(([name, , late]) => [name, late])).toEqual([
      ['startUnappliedPayment', { attemptReference: attempt.reference, callbackId: another }],
    ]);
  });

  test('of a gateway that is not configured is signalled all the same', async () => {
    // A callback that cannot be parsed can still lead to a query once the credentials are back.
    world.gateway.configured = false;
    const { input, attempt } = await pending(ENDED);
    const id = await world.callback(input, attempt, { claims: 'failed' });
    await callbackDue(id);
    expect(await sweep()).toEqual({ ...QUIET, callbacksSignalled: 1 });
    expect(await world.outcomes(input)).toEqual([null]);
  });

  test('waits for the decision while its payment is under review, and no longer', async () => {
    // A review can last for days, and each signal would only lengthen the history.
    const { input, attempt } = await pending();
    await world.activities.markForReview({ ...input, reason: 'AMOUNT_MISMATCH' });
    const id = await world.callback(input, attempt);
    await callbackDue(id);
    expect(await sweep()).toEqual(QUIET);
    expect(calls).toEqual([]);
    await world.rows(
      `update payments set status = 'EXPIRED', ended_at = now() where id = ?::bigint and review_reason is not null returning 1`,
      [input.paymentId],
    );
    await callbackDue(id);
    expect(await sweep()).toEqual({ ...QUIET, callbacksSignalled: 1 });
    expect(calls.map(([name]) => name)).toEqual(['startUnappliedPayment']);
  });

  test('is signalled ever more rarely, an hour apart at most', async () => {
    // Otherwise an unreachable gateway would fill the history.
    const { input, attempt } = await pending();
    const id = await world.callback(input, attempt);
    const waits: number[] = [];
    for (let pass = 0; pass < 9; pass += 1) {
      await callbackDue(id);
      await sweep();
      waits.push(Math.round((await secondsUntilNext('gateway_callbacks', 'id', id)) / 10) * 10);
    }
    expect(waits).toEqual([30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600]);
  });
});

describe('an event whose delivery is not under way', () => {
  const event = async (): Promise<{ input: StoredPayment; eventId: string }> => {
    const input = await world.payment({ status: 'PENDING' });
    await world.activities.finalizePayment({ ...input, status: 'EXPIRED' });
    world.log.length = 0;
    const [row] = await world.rows(
      `update webhook_events set next_sweep_at = now() - interval '1 second' where payment_id = ?::bigint returning event_id`,
      [input.paymentId],
    );
    return { input, eventId: String(row?.['event_id']) };
  };

  test('is delivered, and looked at again in ten minutes', async () => {
    // If the process dies after its commit, the event is in its row and is sent a little later.
    const { input, eventId } = await event();
    expect(await sweep()).toEqual({ ...QUIET, deliveriesStarted: 1 });
    expect(calls).toEqual([
      [
        'startDelivery',
        {
          eventId,
          applicationId: BigInt(world.applicationId),
          mode: 'TEST',
          type: 'payment.expired',
          reference: input.reference,
        },
      ],
    ]);
    const seconds = await secondsUntilNext('webhook_events', 'event_id', eventId);
    expect(seconds).toBeGreaterThan(570);
    expect(seconds).toBeLessThanOrEqual(600);
  });

  test('is left alone once it is delivered, or given up and not wanted again', async () => {
    // Otherwise an application would get an event twice.
    const set = (status: string, due: boolean, eventId: string): Promise<Row[]> =>
      world.rows(
        'update webhook_events set delivery_status = ?, next_sweep_at = case when ? then now() end where event_id = ? returning 1',
        [status, due, eventId],
      );
    await set('DELIVERED', true, (await event()).eventId);
    const { eventId } = await event();
    await set('PARKED', false, eventId);
    expect(await sweep()).toEqual(QUIET);
    // An operator requested a resend of a parked event.
    await set('PARKED', true, eventId);
    expect(await sweep()).toEqual({ ...QUIET, deliveriesStarted: 1 });
  });

  test('that cannot be started is said so, and ends the step with this batch', async () => {
    // Each further try would wait for its timeout.
    const { eventId } = await event();
    await world.rows(
      `insert into webhook_events (event_id, application_id, mode, payment_id, type, sequence, schema_version, payload, next_sweep_at)
       select 'evt_many' || n, application_id, mode, payment_id, type, n + 1, schema_version, payload, now() - interval '1 second'
       from webhook_events, generate_series(1, 105) n where event_id = ? returning 1`,
      [eventId],
    );
    temporal.startDelivery = AWAY;
    expect(await sweep()).toEqual({ ...QUIET, deliveriesStarted: 100 });
    expect(world.log).toHaveLength(100);
    expect(world.log[0]).toMatchObject({
      level: 'warn',
      event: expect.stringMatching(/^evt_/),
      error: expect.objectContaining({ message: 'Temporal is away' }),
    });
    temporal = {};
    expect(await sweep()).toEqual({ ...QUIET, deliveriesStarted: 6 });
    await world.rows(`update webhook_events set delivery_status = 'DELIVERED', next_sweep_at = null returning 1`);
  });
});

test('idempotency keys are forgotten when their time is over, more than a thousand of them', async () => {
  // Keys are kept for thirty days. One statement deletes a thousand at most.
  await world.rows(
    `insert into idempotency_keys (application_id, mode, operation, key, fingerprint, lease_until, expires_at)
     select ?, 'TEST', 'POST /payments', 'key' || n, '\\x00', now(), now() + (n - 1001) * interval '1 minute'
     from generate_series(1, 1003) n returning 1`,
    [world.applicationId],
  );
  expect(await sweep()).toEqual({ ...QUIET, keysForgotten: 1_001 });
  expect(await sweep()).toEqual(QUIET);
  expect(await world.rows('select key from idempotency_keys order by key')).toEqual([
    { key: 'key1002' },
    { key: 'key1003' },
  ]);
});

describe('a refund whose workflow is not under way', () => {
  async function refund(columns: { status?: string; due?: boolean } = {}): Promise<{ id: string; reference: string }> {
    const { status = 'PENDING', due: isDue = true } = columns;
    const input = await world.payment({ status: 'SUCCEEDED', paid_at: AT, ended_at: AT });
    await world.rows(`update payments set next_sweep_at = now() + interval '1 day' where id = ?::bigint returning 1`, [
      input.paymentId,
    ]);
    const reference = refundReference();
    const ended = status === 'PENDING' || status === 'AWAITING_APPROVAL' ? null : AT;
    const [row] = await world.rows(
      `insert into refunds (application_id, mode, payment_id, reference, status, amount_minor, currency, gateway, store_id, gateway_txn_id,
         created_by_type, ended_at, next_sweep_at)
       select application_id, mode, id, ?, ?, 2500, 'BDT', 'sslcommerz', 's', 't', 'APP', ?::timestamptz,
         now() + case when ? then interval '-1 second' else interval '1 minute' end
       from payments where id = ?::bigint returning id::text`,
      [reference, status, ended, isDue, input.paymentId],
    );
    return { id: String(row?.['id']), reference };
  }

  test('is started, and looked at again in ten minutes', async () => {
    // If the process dies before it starts the workflow, the refund's row is there.
    const { id, reference } = await refund();
    expect(await sweep()).toEqual({ ...QUIET, refundsStarted: 1 });
    expect(calls).toMatchObject([
      [
        'startRefund',
        { reference, amount: { amountMinor: 2_500n, currency: 'BDT' }, awaitsApproval: false },
        undefined,
      ],
    ]);
    expect(await secondsUntilNext('refunds', 'id', id)).toBeGreaterThan(570);
  });

  test('that waits for approval is started as one', async () => {
    // The Temporal UI must show from the start that the refund waits for approval.
    await refund({ status: 'AWAITING_APPROVAL' });
    await sweep();
    expect(calls).toMatchObject([['startRefund', { awaitsApproval: true }, undefined]]);
  });

  test.each(['SUCCEEDED', 'FAILED', 'REJECTED'])('is left alone once it is %s', async (status) => {
    // Otherwise a refund could be sent twice.
    await refund({ status });
    await refund({ due: false });
    expect(await sweep()).toEqual(QUIET);
  });

  test('whose workflow has ended while it is open gives the alarm', async () => {
    // The database was restored to an older state, so a person has to compare the refund with the gateway.
    const { reference } = await refund();
    temporal.startRefund = () => Promise.resolve('completed');
    await sweep();
    expect(world.log).toMatchObject([{ alert: 'refund-behind-workflow', refund: reference }]);
  });

  test('that cannot be started is said so', async () => {
    // The next pass tries again.
    const { reference } = await refund();
    temporal.startRefund = () => Promise.reject(new Error('Temporal is away'));
    await sweep();
    expect(world.log).toMatchObject([{ level: 'warn', refund: reference }]);
  });

  describe('a decision that no workflow has taken up', () => {
    async function decision(kind: string, columns: { refundId?: string; needsSecond?: boolean } = {}): Promise<string> {
      const [operator] = await world.rows(
        `insert into operators (email, name, password_hash) values (?, 'X', 'none') returning id::text`,
        [`${refundReference().toLowerCase()}@example.com`],
      );
      const input = await world.payment({ status: 'PENDING', review_reason: 'RISK_FLAGGED', review_since: AT });
      await world.rows(
        `update payments set next_sweep_at = now() + interval '1 day' where id = ?::bigint returning 1`,
        [input.paymentId],
      );
      const [row] = await world.rows(
        `insert into decisions (application_id, mode, kind, payment_id, refund_id, decision, operator_id, needs_second, next_sweep_at)
         select application_id, mode, ?, coalesce((select payment_id from refunds where id = ?::bigint), id), ?::bigint,
           case when ? = 'refund' then 'approve' else 'accept' end, ?::bigint, ?, now() - interval '1 second'
         from payments where id = ?::bigint returning id::text`,
        [
          kind,
          columns.refundId ?? null,
          columns.refundId ?? null,
          kind,
          operator?.['id'],
          columns.needsSecond ?? false,
          input.paymentId,
        ],
      );
      return String(row?.['id']);
    }

    test('is signalled to its refund', async () => {
      // The decision's row was written, but its signal was lost.
      const { id, reference } = await refund({ due: false });
      const decisionId = await decision('refund', { refundId: id });
      expect(await sweep()).toEqual({ ...QUIET, decisionsSignalled: 1 });
      expect(calls).toMatchObject([['startRefund', { reference }, BigInt(decisionId)]]);
    });

    test('is signalled to its payment under review', async () => {
      const decisionId = await decision('review');
      expect(await sweep()).toEqual({ ...QUIET, decisionsSignalled: 1 });
      expect(calls).toMatchObject([['signalReviewDecision', { applicationName: 'Shop' }, BigInt(decisionId)]]);
      expect(await secondsUntilNext('decisions', 'id', decisionId)).toBeGreaterThan(270);
    });

    test('waits for its second person', async () => {
      // One of two approvals must not decide anything.
      await decision('review', { needsSecond: true });
      expect(await sweep()).toEqual(QUIET);
    });
  });
});
