import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { generateKeyPairSync } from 'node:crypto';
import { disagreement } from '../../../domain/verification.ts';
import { attemptNamedIn } from '../../../gateways/nagad/callback.ts';
import { NAGAD_CAPABILITIES, NAGAD_URLS } from '../../../gateways/nagad/gateway.ts';
import type { AttemptAnswer, Charge, GatewayFailure, SessionOrder } from '../../../gateways/port.ts';
import { attemptOf, MERCHANT, opened, orderOf, press, rawReturn, startNagadWorld, type NagadWorld } from './world.ts';
import { until } from '../../support/until.ts';

let world: NagadWorld;
beforeAll(async () => {
  world = await startNagadWorld();
});
afterAll(() => world.close());

const failing = (kind: GatewayFailure['kind']) => expect.objectContaining({ name: 'GatewayFailure', kind });
const script = (name: string) => world.control('POST', 'nagad/scripts', { script: name });

function chargeIn(answer: AttemptAnswer): Charge {
  if (answer.kind !== 'charged') {
    throw new Error(`not charged but ${answer.kind}`);
  }
  return answer.charge;
}

function reviewOf(order: SessionOrder, answer: AttemptAnswer) {
  const expected = { attemptReference: order.attemptReference, storeId: MERCHANT, amount: order.amount };
  return disagreement(expected, chargeIn(answer));
}

/** Creates a payment under a row of the simulator's script table, selected by the payer's wallet, and returns what the adapter says about it. */
async function paidUnder(row: string) {
  const order = orderOf();
  const session = await opened(world.gateway, order);
  const location = await press(session, 'pay', `017000000${row}`);
  const ask = () => world.gateway.queryAttempt(attemptOf(order, session.sessionKey));
  return { order, session, location, ask };
}

describe('a session', () => {
  test('is opened at a page of the gateway, under our reference and for the exact amount', async () => {
    // The payer must be asked for the exact amount, and Lenden must find the order by its own reference alone.
    const order = orderOf(1_234_505n);
    const session = await opened(world.gateway, order);
    expect(session.gatewayUrl.startsWith(`${world.url}/check-out/`)).toBe(true);
    expect(await world.control('GET', `nagad/orders/${order.attemptReference}`)).toMatchObject([
      { ref: session.sessionKey, merchantId: MERCHANT, purchase: { amount: '12345.05' } },
    ]);
    expect(await world.gateway.queryAttempt(attemptOf(order, session.sessionKey))).toEqual({ kind: 'not-started' });
  });

  test.each(['initialize-bad-signature', 'initialize-no-signature', 'initialize-garbled'])(
    'is not believed in after %s, and nothing is completed',
    async (name) => {
      // This answer is signed. Without Nagad's signature, an attacker could direct the payment.
      const order = orderOf();
      await script(name);
      const opening = world.expectSilence(() => world.gateway.openSession(order));
      await expect(opening).rejects.toEqual(failing('ambiguous'));
      const orders = (await world.control('GET', `nagad/orders/${order.attemptReference}`)) as object[];
      expect(orders).toHaveLength(1);
      expect(orders[0]).not.toHaveProperty('purchase');
    },
  );

  test('sealed for another gateway is refused by this one', async () => {
    // With the wrong public key, no payment must be started.
    const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
    const secret = JSON.stringify({
      ...(JSON.parse(world.secretOf(MERCHANT)) as object),
      gatewayPublicKey: stranger.export({ format: 'der', type: 'spki' }).toString('base64'),
    });
    expect(await world.adapter({ secret }).openSession(orderOf())).toMatchObject({
      kind: 'refused',
      gatewayText: expect.stringContaining('DecryptionError'),
    });
  });

  test.each([
    ['41', 'ambiguous'],
    ['43', 'ambiguous'],
    ['44', 'ambiguous'],
    ['45', 'ambiguous'],
    ['46', 'ambiguous'],
    ['47', 'ambiguous'],
    ['53', 'ambiguous'],
    ['54', 'ambiguous'],
  ] as const)('whose completion goes wrong by row %s is %s', async (row, kind) => {
    // Otherwise a payer could be sent to a page that is not the gateway's.
    const opening = world.expectSilence(() => world.gateway.openSession(orderOf(131_300n + BigInt(row))));
    await expect(opening).rejects.toEqual(failing(kind));
  });

  test('that was lost can be opened again under the same reference, where the gateway takes it', async () => {
    // A retry must use the same reference, and money must move only in the session that the payer can reach.
    const order = orderOf(131_353n);
    const opening = world.expectSilence(() => world.gateway.openSession(order));
    await expect(opening).rejects.toEqual(failing('ambiguous'));
    const session = await opened(world.gateway, order);
    await press(session);
    expect(chargeIn(await world.gateway.queryAttempt(attemptOf(order, session.sessionKey))).attemptReference).toBe(
      order.attemptReference,
    );
  });

  test('that was completed and lost is refused the second time: nobody can have paid it', async () => {
    // The page of this order is unknown, so nobody can have paid, and the attempt ends with Lenden's own code.
    const order = orderOf(131_341n);
    const opening = world.expectSilence(() => world.gateway.openSession(order));
    await expect(opening).rejects.toEqual(failing('ambiguous'));
    expect(await world.gateway.openSession(order)).toMatchObject({
      kind: 'refused',
      code: 'GATEWAY_REFUSED_SESSION',
      gatewayText: expect.stringContaining('DuplicateOrderId'),
    });
    expect(await world.gateway.queryAttempt(attemptOf(order, null))).toEqual({ kind: 'not-started' });
  });

  test('that the gateway refuses is refused, by either call', async () => {
    // A missing answer must not be taken for a refusal.
    expect(await world.gateway.openSession(orderOf(131_340n))).toMatchObject({ kind: 'refused' });
    await script('initialize-refused');
    expect(await world.gateway.openSession(orderOf())).toMatchObject({ kind: 'refused' });
    const secret = world.secretOf('683000000000002');
    expect(await world.adapter({ secret }).openSession(orderOf())).toMatchObject({
      kind: 'refused',
      gatewayText: expect.stringContaining('SignatureVerificationFailed'),
    });
  });

  test('is unavailable where nobody listens: nothing left us', async () => {
    // After this failure the request was never sent, so nothing has to be queried.
    const gateway = world.adapter({ baseUrl: 'http://127.0.0.1:9/api/dfs' });
    await expect(gateway.openSession(orderOf())).rejects.toEqual(failing('unavailable'));
    await expect(gateway.queryAttempt(attemptOf(orderOf(), 'cmVm'))).rejects.toEqual(failing('unavailable'));
  });
});

describe('an attempt', () => {
  test('that was paid is charged, with every fact and the gateway’s own words', async () => {
    // The ledger is posted from these values.
    const { order, session, ask } = await paidUnder('01');
    const [line] = (await world.charges()).filter(({ tranId }) => tranId === order.attemptReference);
    const answer = await ask();
    expect(answer).toEqual({
      kind: 'charged',
      charge: {
        validationId: session.sessionKey,
        gatewayTxnId: line?.['bankTranId'],
        attemptReference: order.attemptReference,
        storeId: MERCHANT,
        orderAmountMinor: 10_000n,
        orderCurrency: 'BDT',
        grossMinor: 10_000n,
        currency: 'BDT',
        feeMinor: 0n,
        netText: '',
        riskFlagged: false,
        evidence: expect.stringContaining(`"issuerPaymentRefNo":"${line?.['bankTranId']}"`),
      },
    });
    expect(reviewOf(order, answer)).toBeNull();
  });

  test.each([
    ['02', 'failed'],
    ['03', 'cancelled'],
    ['04', 'cancelled'],
    ['12', 'in-progress'],
    ['24', 'unknown'],
    ['25', 'unknown'],
    ['28', 'unknown'],
    ['26', 'failed'],
    ['27', 'charged'],
    ['10', 'charged'],
    ['50', 'charged'],
  ])('under row %s is %s, whatever the browser brought back', async (row, kind) => {
    // Only the verification may decide the attempt.
    const { ask } = await paidUnder(row);
    expect(await ask()).toMatchObject({ kind });
  });

  test.each([
    ['20', 'AMOUNT_MISMATCH'],
    ['22', 'STORE_MISMATCH'],
    ['23', 'REFERENCE_MISMATCH'],
  ])('under row %s is charged and held: %s', async (row, reason) => {
    // If a member were not compared with the order, a wrong charge would count as paid.
    const { order, ask } = await paidUnder(row);
    expect(reviewOf(order, await ask())).toBe(reason);
  });

  test.each(['18', '30', '32', '33', '34', '35', '37'])(
    'whose charge is not confirmed by row %s is asked about again, and found',
    async (row) => {
      // A payer whose charge is followed by unusable answers must never be told that the payment failed.
      const { order, ask } = await paidUnder(row);
      await expect(world.expectSilence(ask)).rejects.toEqual(failing('ambiguous'));
      await expect(world.expectSilence(ask)).rejects.toEqual(failing('ambiguous'));
      expect(reviewOf(order, await ask())).toBeNull();
    },
  );

  test('in progress becomes charged when the money moves', async () => {
    // The money can move some time after the payer's confirmation.
    const { ask } = await paidUnder('11');
    expect(await ask()).toEqual({ kind: 'in-progress' });
    const decided = await until(async () => {
      const answer = await ask();
      return answer.kind !== 'in-progress' && answer;
    });
    expect(decided.kind).toBe('charged');
  });

  test('whose verification is refused for the moment is unknown, not failed', async () => {
    // A refused query is not an answer about the payment.
    const faults = { verify: [{ kind: 'refused', times: 1, reason: 'InvalidReferenceId' }] };
    await world.control('POST', 'nagad/scripts', { script: { faults } });
    const order = orderOf();
    const session = await opened(world.gateway, order);
    await press(session);
    const attempt = attemptOf(order, session.sessionKey);
    expect(await world.gateway.queryAttempt(attempt)).toEqual({ kind: 'unknown', note: 'SESSION_NOT_FOUND' });
    expect(await world.gateway.queryAttempt(attempt)).toMatchObject({ kind: 'charged' });
  });

  test('is found by a claimed reference only where the gateway says that it is its own', async () => {
    // A callback's hint helps if Lenden's own session key was lost, but must not claim another order's money.
    const { order, session } = await paidUnder('01');
    const other = orderOf();
    const claim = { claimedValidationId: session.sessionKey };
    expect(chargeIn(await world.gateway.queryAttempt(attemptOf(order, null, claim))).validationId).toBe(
      session.sessionKey,
    );
    expect(await world.gateway.queryAttempt(attemptOf(other, null, claim))).toEqual({ kind: 'not-started' });
    const unknown = attemptOf(other, null, { claimedValidationId: 'bm9ib2R5' });
    expect(await world.gateway.queryAttempt(unknown)).toEqual({ kind: 'not-started' });
  });

  test('has no second charge behind the one that is known', async () => {
    // Each session has one charge, so a query for unapplied money must not find it again.
    const { order, session } = await paidUnder('01');
    const known = attemptOf(order, session.sessionKey, { knownValidationIds: [session.sessionKey] });
    expect(await world.gateway.queryAttempt(known)).toEqual({ kind: 'not-started' });
  });
});

describe('a return', () => {
  test.each([
    ['pay', 'paid'],
    ['fail', 'failed'],
    ['abort', 'cancelled'],
  ])('by %s names its attempt, bears our seal and claims %s', async (button, claims) => {
    // The return must identify the attempt and its session, and prove that Lenden issued the address.
    const order = orderOf();
    const session = await opened(world.gateway, order);
    const raw = rawReturn(await press(session, button));
    expect(attemptNamedIn(raw)).toBe(order.attemptReference);
    expect(world.gateway.parseCallback(raw)).toEqual({
      attemptReference: order.attemptReference,
      signatureValid: true,
      claims,
      claimedValidationId: session.sessionKey,
      note: null,
    });
  });

  test('with another seal, of another attempt or to another merchant is not signed', async () => {
    // Otherwise a return could be used for another attempt or merchant.
    const raw = rawReturn((await paidUnder('01')).location);
    const [reference = '', rest = ''] = raw.split('.');
    const moved = `${'A'.repeat(20)}.${rest.replaceAll(reference, 'A'.repeat(20))}`;
    const damaged = `${reference}.${rest.startsWith('x') ? 'y' : 'x'}${rest.slice(1)}`;
    for (const forged of [moved, damaged, raw.replace(MERCHANT, '683000000000002')]) {
      expect(world.gateway.parseCallback(forged).signatureValid).toBe(false);
    }
    const foreign = world.adapter({ storeId: '683000000000002', secret: world.secretOf('683000000000002') });
    expect(foreign.parseCallback(raw)).toMatchObject({ signatureValid: false, note: 'FOREIGN_MERCHANT' });
  });

  test.each([
    '',
    '?',
    'x',
    '?order_id=A',
    `${'A'.repeat(20)}.seal`,
    `${'A'.repeat(20)}.seal?order_id=${'B'.repeat(20)}`,
    `${'A'.repeat(20)}.seal?status=Success&status=Failed`,
    `${'A'.repeat(19)}.seal?status=Success`,
    '%00%ff?%zz=%',
  ])('like %j is read as nothing', (raw) => {
    // A stranger's input must not crash the parser.
    expect(world.gateway.parseCallback(raw)).toMatchObject({ signatureValid: false, note: 'UNREADABLE' });
    expect(attemptNamedIn(raw)).toBeNull();
  });

  test('claims no session where what it names is none', async () => {
    // Otherwise the hint could change the path of a request.
    const raw = rawReturn((await paidUnder('01')).location).replace(/payment_ref_id=[^&]+/, 'payment_ref_id=../x');
    expect(world.gateway.parseCallback(raw)).toMatchObject({ claims: 'paid', claimedValidationId: null });
  });
});

describe('what Nagad is not asked for', () => {
  test('a refund is refused without a call', async () => {
    // Nagad's API has no refunds, so the caller must not wait for one.
    const request = {
      gatewayTxnId: 'X',
      validationId: 'V',
      refundReference: 'ref_1',
      queriedBefore: false,
      queriedAgoMs: null,
      otherRefunds: 0,
      amount: { amountMinor: 100n, currency: 'BDT' },
      remarks: '',
    };
    const gateway = world.adapter({ baseUrl: 'http://127.0.0.1:9/api/dfs' });
    expect(NAGAD_CAPABILITIES.refunds).toBe(false);
    expect(await gateway.refund(request)).toMatchObject({ kind: 'refused' });
    expect(await gateway.queryRefund('X', request)).toMatchObject({ kind: 'unknown' });
  });

  test('only taka are taken, and LIVE is spoken to over TLS', () => {
    // The checkout offers Nagad according to this table.
    expect([...NAGAD_CAPABILITIES.limits.keys()]).toEqual(['BDT']);
    expect(NAGAD_URLS.LIVE.baseUrl.startsWith('https://')).toBe(true);
  });
});
