import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { GatewayFailure, type AttemptAnswer, type Charge } from '../../../gateways/port.ts';
import { createScriptedWorld, type ScriptedWorld } from '../payments/scripted-payments.ts';
import type { StoredPayment } from '../../support/stored.ts';

let world: ScriptedWorld;
beforeAll(async () => {
  // As many connections as a test has workers, so that they really meet in the database.
  world = await createScriptedWorld({ poolSize: 20 });
});
afterAll(() => world.close());
beforeEach(() => {
  world.gateway.configured = true;
  world.gateway.asked.length = 0;
  world.log.length = 0;
});

interface Attempt {
  readonly id: string;
  readonly reference: string;
}

/** Makes the gateway know these charges and return the first that is not yet known to Lenden. */
function holds(...charges: readonly Charge[]): void {
  world.gateway.queryAttempt = ({ knownValidationIds: known }) => {
    const charge = charges.find(({ validationId }) => !known.includes(validationId));
    return Promise.resolve(charge === undefined ? { kind: 'not-started' } : { kind: 'charged', charge });
  };
}

function says(answer: AttemptAnswer): void {
  world.gateway.queryAttempt = () => Promise.resolve(answer);
}

const ended = async (columns = {}, fields = {}): Promise<{ input: StoredPayment; attempt: Attempt }> => {
  const input = await world.payment({ status: 'EXPIRED', ended_at: '2026-01-01T00:00:00Z', ...columns });
  return { input, attempt: await world.attempt(input, fields) };
};
const settled = () =>
  ended({ status: 'SUCCEEDED', paid_at: '2026-01-01T00:00:00Z' }, { status: 'CONFIRMED', validationId: finalizedBy() });
let settlements = 0;
const finalizedBy = (): string => `V-settled-${(settlements += 1)}`;
const book = (input: StoredPayment, { reference }: Attempt) =>
  world.activities.recordUnappliedPayment({ ...input, attemptReference: reference });
const heldRows = (input: StoredPayment) =>
  world.rows('select * from unapplied_payments where payment_id = ?::bigint order by id', [input.paymentId]);
const causeOf = ({ reference }: Attempt, validationId = `V-${reference}`): string => `${reference}:${validationId}`;

describe('unapplied money', () => {
  test('is held in suspense with all its facts, once, and an alarm calls a person', async () => {
    // Otherwise money for an ended payment would be lost, or posted twice.
    const { input, attempt } = await ended();
    await world.callback(input, attempt, { claims: 'paid', claimedValidationId: `V-${attempt.reference}` });
    await world.callback(input, attempt, { claims: 'paid', signatureValid: false });
    const charge = world.charge(attempt);
    holds(charge);
    const held = { kind: 'held', amountMinor: '10000', currency: 'BDT' };
    expect(await book(input, attempt)).toEqual(held);
    expect(await heldRows(input)).toMatchObject([
      {
        application_id: world.applicationId.toString(),
        mode: 'TEST',
        payment_id: input.paymentId,
        attempt_id: attempt.id,
        gateway: 'sslcommerz',
        validation_id: charge.validationId,
        gateway_txn_id: charge.gatewayTxnId,
        evidence: charge.evidence,
        gross_minor: '10000',
        fee_minor: '250',
        currency: 'BDT',
        status: 'HELD',
      },
    ]);
    expect(await world.postings(causeOf(attempt))).toEqual([
      'gateway:sslcommerz:clearing → suspense 10000',
      'gateway:fees → gateway:sslcommerz:clearing 250',
    ]);
    expect(await world.outcomes(input)).toEqual(['LATE', 'FORGED']);
    expect(await world.paymentRow(input)).toMatchObject({ status: 'EXPIRED' });
    const alarm = { level: 'error', payment: input.reference, attempt: attempt.reference, alert: 'unapplied-payment' };
    expect(world.log).toEqual([{ ...alarm, msg: expect.any(String) }]);
    expect(await book(input, attempt)).toEqual(held);
    expect(await heldRows(input)).toHaveLength(1);
    expect(world.log).toHaveLength(1);
  });

  test.each(['EXPIRED', 'CANCELLED'] as const)(
    'of a payment that ended as %s is posted and notified once by twenty workers at once',
    async (status) => {
      // Hostile case 44: the payment keeps its end, and the money is not lost.
      const input = await world.payment({ status: 'PENDING' });
      const attempt = await world.attempt(input);
      await world.activities.finalizePayment({ ...input, status });
      await world.callback(input, attempt, { claims: 'paid', claimedValidationId: `V-${attempt.reference}` });
      holds(world.charge(attempt));
      const results = await Promise.all(Array.from({ length: 20 }, () => book(input, attempt)));
      expect(new Set(results.map((result) => JSON.stringify(result)))).toEqual(
        new Set([JSON.stringify({ kind: 'held', amountMinor: '10000', currency: 'BDT' })]),
      );
      expect(await heldRows(input)).toMatchObject([{ status: 'HELD', gross_minor: '10000', fee_minor: '250' }]);
      expect(await world.postings(causeOf(attempt))).toHaveLength(2);
      expect(await world.paymentRow(input)).toMatchObject({ status });
      expect(await world.outcomes(input)).toEqual(['LATE']);
      const events = await world.rows(
        'select type from webhook_events where payment_id = ?::bigint order by sequence',
        [input.paymentId],
      );
      expect(events).toEqual([{ type: `payment.${status.toLowerCase()}` }, { type: 'unapplied_payment.received' }]);
    },
  );

  test('of several charges is added up', async () => {
    // A payer who paid in three tabs must get three amounts back.
    const { input, attempt } = await ended();
    const charges = [1n, 2n, 3n].map((n) =>
      world.charge(attempt, { validationId: `V-${n}-${attempt.reference}`, grossMinor: 10_000n * n }),
    );
    holds(...charges);
    expect(await book(input, attempt)).toEqual({ kind: 'held', amountMinor: '60000', currency: 'BDT' });
    expect(await heldRows(input)).toHaveLength(3);
    expect(world.gateway.asked).toHaveLength(4);
    expect(world.gateway.asked.map(({ knownValidationIds: known }) => known.length)).toEqual([0, 1, 2, 3]);
  });

  test('is asked for five times in one pass; the rest is found by the next', async () => {
    // A gateway that invents endless charges must not keep a worker busy.
    const { input, attempt } = await ended();
    holds(
      ...Array.from({ length: 7 }, (_, n) => world.charge(attempt, { validationId: `V-${n}-${attempt.reference}` })),
    );
    expect(await book(input, attempt)).toMatchObject({ amountMinor: '50000' });
    expect(world.gateway.asked).toHaveLength(5);
    expect(await book(input, attempt)).toMatchObject({ amountMinor: '70000' });
  });

  test('that a gateway repeats although it is known is booked once', async () => {
    // Lenden sends the known ids to the gateway, but checks its answer against them too.
    const { input, attempt } = await ended();
    says({ kind: 'charged', charge: world.charge(attempt) });
    expect(await book(input, attempt)).toMatchObject({ amountMinor: '10000' });
    expect(await heldRows(input)).toHaveLength(1);
    expect(world.log).toHaveLength(1);
  });

  test.each([
    ['KEPT', 'kept'],
    ['REFUNDING', 'refunding'],
    ['REFUNDED', 'refunded'],
  ])('which is %s is %s: neither held, nor as if there had been none', async (status, kind) => {
    // Money that was held and then refunded must not end as "nothing-unapplied".
    const { input, attempt } = await ended();
    holds(world.charge(attempt));
    await book(input, attempt);
    await world.rows('update unapplied_payments set status = ? where payment_id = ?::bigint returning 1', [
      status,
      input.paymentId,
    ]);
    const money = { kind, amountMinor: '10000', currency: 'BDT' };
    expect(await book(input, attempt)).toEqual(money);
    const { reference: attemptReference } = attempt;
    expect(await world.activities.readUnappliedPayment({ ...input, attemptReference })).toEqual(money);
    expect(await heldRows(input)).toHaveLength(1);
  });

  test.each(['not-started', 'failed', 'cancelled', 'expired'] as const)(
    'does not exist where the gateway says "%s", and the callbacks are closed',
    async (kind) => {
      // A callback for an ended payment starts a query. It does not prove that money moved.
      const { input, attempt } = await ended();
      await world.callback(input, attempt, { claims: 'paid' });
      says({ kind });
      expect(await book(input, attempt)).toEqual({ kind: 'nothing' });
      expect([await heldRows(input), await world.outcomes(input)]).toEqual([[], ['IGNORED']]);
      expect(world.gateway.asked).toHaveLength(1);
    },
  );

  test.each([{ kind: 'in-progress' }, { kind: 'unknown', note: 'a new word' }] as const)(
    'may exist where the gateway says %p: the question is put again',
    async (answer) => {
      // An unclear answer must not count as "no money".
      const { input, attempt } = await ended();
      await world.callback(input, attempt, { claims: 'paid' });
      says(answer);
      await expect(book(input, attempt)).rejects.toMatchObject({
        type: 'GATEWAY_AMBIGUOUS',
        message: 'the gateway does not report whether money moved',
      });
      expect(await world.outcomes(input)).toEqual([null]);
    },
  );

  test.each([
    ['of another reference', { attemptReference: 'AnotherReference0000' }],
    ['of another store', { storeId: 'another_store' }],
    ['without an amount', { grossMinor: null }],
    ['of nothing', { grossMinor: 0n }],
    ['in a currency that we do not know', { currency: 'XXX' }],
  ])('%s is not booked as it stands, and stays a question', async (_which, changes) => {
    // A charge that cannot be posted must not be forgotten.
    const { input, attempt } = await ended();
    await world.callback(input, attempt, { claims: 'paid' });
    says({ kind: 'charged', charge: world.charge(attempt, changes) });
    await expect(book(input, attempt)).rejects.toMatchObject({
      type: 'GATEWAY_AMBIGUOUS',
      message: 'the gateway confirms a charge that cannot be posted',
    });
    expect([await heldRows(input), await world.outcomes(input)]).toEqual([[], [null]]);
    expect(world.log).toEqual([expect.objectContaining({ level: 'warn', activity: 'recordUnappliedPayment' })]);
  });

  test('of a gateway that names no store is booked', async () => {
    // The credentials of the query then identify the store.
    const { input, attempt } = await ended();
    holds(world.charge(attempt, { storeId: null }));
    expect(await book(input, attempt)).toMatchObject({ kind: 'held' });
  });

  test('cannot be asked for without its gateway', async () => {
    // The credentials can be removed while money is on its way.
    world.gateway.configured = false;
    const { input, attempt } = await ended();
    await expect(book(input, attempt)).rejects.toMatchObject({
      type: 'GATEWAY_UNAUTHORIZED',
      message: 'the store of this payment is not configured',
    });
  });

  test('is not decided by a gateway that is away', async () => {
    // A missing answer means neither that money moved nor that it did not.
    const { input, attempt } = await ended();
    await world.callback(input, attempt, { claims: 'paid' });
    world.gateway.queryAttempt = () => Promise.reject(new GatewayFailure('unavailable', 'the gateway is away'));
    await expect(book(input, attempt)).rejects.toMatchObject({ type: 'GATEWAY_UNAVAILABLE' });
    expect(await world.outcomes(input)).toEqual([null]);
  });
});

describe('what is known to the gateway before it is asked', () => {
  test('is the charge that settled the payment, and what was booked', async () => {
    // A repeated notice after the success is about the same money.
    const { input, attempt } = await settled();
    const [row] = await world.attemptRows(input);
    const own = world.charge(attempt, { validationId: String(row?.['validation_id']) });
    holds(own);
    expect(await book(input, attempt)).toEqual({ kind: 'nothing' });
    holds(own, world.charge(attempt));
    expect(await book(input, attempt)).toMatchObject({ kind: 'held', amountMinor: '10000' });
    expect(world.gateway.asked.at(-1)?.knownValidationIds.toSorted()).toEqual(
      [own.validationId, `V-${attempt.reference}`].toSorted(),
    );
    expect(await world.postings(causeOf(attempt, own.validationId))).toEqual([]);
  });

  test('is not a charge that was confirmed but did not settle the payment', async () => {
    // The payment expired before the confirmation was read, so the money still has to be posted.
    const { input, attempt } = await ended({}, { status: 'CONFIRMED', validationId: finalizedBy() });
    const [row] = await world.attemptRows(input);
    holds(world.charge(attempt, { validationId: String(row?.['validation_id']) }));
    expect(await book(input, attempt)).toMatchObject({ kind: 'held' });
    expect(world.gateway.asked[0]?.knownValidationIds).toEqual([]);
  });

  test('is not the charge of an attempt that another attempt’s charge outran', async () => {
    // Another charge paid for the payment, so this attempt's money is unapplied.
    const { input, attempt } = await ended(
      { status: 'SUCCEEDED', paid_at: '2026-01-01T00:00:00Z' },
      { status: 'UNKNOWN', validationId: finalizedBy() },
    );
    says({ kind: 'not-started' });
    await book(input, attempt);
    expect(world.gateway.asked[0]?.knownValidationIds).toEqual([]);
  });

  test('is told with the newest new charge that a signed callback claims', async () => {
    // Forged hints and known charges must not be used.
    const { input, attempt } = await settled();
    const [row] = await world.attemptRows(input);
    const own = String(row?.['validation_id']);
    says({ kind: 'not-started' });
    await world.callback(input, attempt, { claims: 'paid', claimedValidationId: null });
    await world.callback(input, attempt, { claims: 'paid', claimedValidationId: own });
    await world.callback(input, attempt, { claims: 'paid', claimedValidationId: 'V-forged', signatureValid: false });
    await book(input, attempt);
    await world.callback(input, attempt, { claims: 'paid', claimedValidationId: 'V-new' });
    await world.callback(input, attempt, { claims: 'paid', claimedValidationId: own });
    await book(input, attempt);
    const handle = { attemptReference: attempt.reference, sessionKey: 'session', knownValidationIds: [own] };
    expect(world.gateway.asked).toEqual([
      { ...handle, claimedValidationId: null },
      { ...handle, claimedValidationId: 'V-new' },
    ]);
  });

  test('is told with the newest of several new charges, whatever says nothing after it', async () => {
    // Later queries find the older charges. A notice without a charge must not hide the others.
    const { input, attempt } = await ended();
    says({ kind: 'not-started' });
    await world.callback(input, attempt, { claims: 'paid', claimedValidationId: 'V-older' });
    await world.callback(input, attempt, { claims: 'paid', claimedValidationId: 'V-newer' });
    await world.callback(input, attempt, { claims: 'paid', claimedValidationId: null });
    await book(input, attempt);
    expect(world.gateway.asked).toMatchObject([{ claimedValidationId: 'V-newer' }]);
  });

  test('is nothing where the charge that settled the payment has no id', async () => {
    // Not every gateway gives its charges an id.
    const { input, attempt } = await ended(
      { status: 'SUCCEEDED', paid_at: '2026-01-01T00:00:00Z' },
      { status: 'CONFIRMED' },
    );
    says({ kind: 'not-started' });
    await book(input, attempt);
    expect(world.gateway.asked).toMatchObject([{ knownValidationIds: [] }]);
  });

  test('leaves callbacks that come while the gateway thinks to the next question', async () => {
    // The newest callback can be about newer money.
    const { input, attempt } = await ended();
    await world.callback(input, attempt);
    await world.callback(input, attempt);
    world.gateway.queryAttempt = async () => {
      await world.callback(input, attempt);
      return { kind: 'not-started' };
    };
    await book(input, attempt);
    expect(await world.outcomes(input)).toEqual(['IGNORED', 'IGNORED', null]);
  });
});

describe('a question that is left to people', () => {
  test('closes the waiting callbacks of its attempt, by their signatures, and gives the alarm', async () => {
    // A parked attempt is visible to operators and not queried again, and other attempts continue.
    const { input, attempt } = await ended();
    const other = await world.attempt(input, { number: 2 });
    await world.callback(input, attempt);
    await world.callback(input, attempt, { signatureValid: false });
    await world.callback(input, other);
    await world.activities.parkUnappliedPayment({ ...input, attemptReference: attempt.reference });
    expect(await world.outcomes(input)).toEqual(['MISMATCH', 'FORGED', null]);
    expect(world.log).toEqual([
      {
        level: 'error',
        payment: input.reference,
        attempt: attempt.reference,
        alert: 'unapplied-payment-unclear',
        msg: expect.any(String),
      },
    ]);
  });
});

test('a failure of either is logged by its name', async () => {
  // Operators look in the log first.
  const { input } = await ended();
  const nowhere = { ...input, attemptReference: 'NoSuchAttempt0000000' };
  await expect(world.activities.recordUnappliedPayment(nowhere)).rejects.toMatchObject({ type: 'ROW_MISSING' });
  await expect(world.activities.parkUnappliedPayment({ ...nowhere, attemptReference: '\u0000' })).rejects.toMatchObject(
    {
      type: 'INTERNAL_ERROR',
    },
  );
  expect(world.log.map(({ activity }) => activity)).toEqual(['recordUnappliedPayment', 'parkUnappliedPayment']);
});
