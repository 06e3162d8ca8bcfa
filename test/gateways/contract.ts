import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { attemptReference, refundReference } from '../../domain/references.ts';
import { disagreement } from '../../domain/verification.ts';
import {
  GatewayFailure,
  type AttemptAnswer,
  type AttemptHandle,
  type Charge,
  type Gateway,
  type GatewayCapabilities,
  type RefundAnswer,
  type RefundRequest,
  type SessionOrder,
} from '../../gateways/port.ts';

/** The payer's action on the gateway's page. `fail`: it ends without a payment before the payer has agreed to one. */
export type PayerDoes = 'pay' | 'decline' | 'cancel' | 'fail';

/** A line of the simulator's charge log, which records what happened to the payer's money, whatever any answer said. */
export interface MoneyMoved {
  readonly kind: string;
  readonly tranId: string;
  readonly amount: string;
}

/** A running adapter with its simulator. */
export interface GatewayWorld {
  readonly gateway: Gateway;
  /** The same store with a wrong password. */
  readonly stranger: Gateway;
  /** The same adapter at a port on which nothing listens. */
  readonly unreachable: Gateway;
  /** Scripts the next session. */
  script(name: string): Promise<void>;
  payer(reference: string, does: PayerDoes): Promise<void>;
  /** Returns the newest callback of a session as the adapter receives it. */
  callback(reference: string): Promise<string>;
  /** Returns the same callback with another attempt's name. */
  forged(callback: string, reference: string): string;
  attemptNamedIn(raw: string): string | null;
  money(): Promise<readonly MoneyMoved[]>;
  /** Runs calls whose answer is lost, with a short timeout. */
  expectSilence<T>(work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** One gateway in the suite: its names for the tested behaviour, and where it differs. */
export interface ContractRow {
  readonly name: string;
  open(): Promise<GatewayWorld>;
  readonly capabilities: GatewayCapabilities;
  /** Names of the simulator's scripts. */
  readonly scripts: Readonly<
    Record<
      'openLost' | 'openNotDone' | 'openRefused' | 'chargeLost' | 'wrongAmount' | 'wrongReference' | 'unknownStatus',
      string
    >
  > & {
    /** Null if the protocol has a single currency and does not send it. */
    readonly wrongCurrency: string | null;
    /** Null if the gateway offers no refunds. */
    readonly refunds: Readonly<Record<'lost' | 'garbage' | 'notDone' | 'refused', string>> | null;
  };
  /** Scripts under which the first queries after the payer's action get no answer. */
  readonly unanswered: readonly string[];
  /** The answer for a payer who gave up. */
  readonly cancelled: AttemptAnswer['kind'];
  /** The answer after a payer came back without paying, once their signed callback is known. */
  readonly cameBack: Readonly<Record<'cancel' | 'fail', AttemptAnswer>>;
  /** `execution`: no money moves until Lenden executes the payment. */
  readonly moneyMovesBy: 'payer' | 'execution';
}

const QUESTIONS_MAX = 40;
const PAUSE_MS = 50;
const AMOUNT = { amountMinor: 10_000n, currency: 'BDT' };

/** Runs every case that an adapter must pass. A new gateway needs one more row. */
export function gatewayContract(row: ContractRow): void {
  describe(row.name, () => {
    let world: GatewayWorld;
    beforeAll(async () => {
      world = await row.open();
    });
    afterAll(() => world.close());
    const use = (): GatewayWorld => world;
    sessionCases(row, use);
    answerCases(row, use);
    executionCases(row, use);
    refundCases(row, use);
    callbackCases(use);
  });
}

/** An adapter without an external service: people act as the gateway and record their decisions. */
export interface HandRow {
  readonly name: string;
  open(): Promise<HandWorld>;
}

export type HandWorld = Pick<
  GatewayWorld,
  'gateway' | 'payer' | 'callback' | 'forged' | 'attemptNamedIn' | 'money' | 'close'
> & {
  /** The payer says that they have paid, and no operator has decided yet. */
  claims(reference: string): void;
};

/** Runs the cases that apply without an external service. */
export function handContract(row: HandRow): void {
  describe(row.name, () => {
    let hand: HandWorld;
    let world: GatewayWorld;
    beforeAll(async () => {
      hand = await row.open();
      world = {
        ...hand,
        stranger: hand.gateway,
        unreachable: hand.gateway,
        script: () => Promise.resolve(),
        expectSilence: (work) => work(),
      };
    });
    afterAll(() => hand.close());

    test('a session is opened without a page, for days, with what the payer reads in two languages', async () => {
      // The payer stays on Lenden's page.
      const outcome = await hand.gateway.openSession(orderOf());
      expect(outcome).toMatchObject({ kind: 'opened', gatewayUrl: null, payWithinMinutes: 72 * 60 });
      expect(hand.gateway.instructions).toMatchObject({ label: { en: 'Bank', bn: 'ব্যাংক' } });
      expect(hand.gateway.capabilities).toMatchObject({ takesCallbacks: false });
    });

    test('an attempt is untouched until the payer says something, and then with an operator', async () => {
      // A payer's claim is not a charge, and the expiry does not end it.
      const { reference, sessionKey } = await opened(world);
      expect(await ask(world, reference, { sessionKey })).toEqual({ kind: 'not-started' });
      expect(await ask(world, attemptReference(), { sessionKey: null })).toEqual({ kind: 'not-started' });
      hand.claims(reference);
      expect(await ask(world, reference, { sessionKey })).toEqual({ kind: 'with-operator', since: expect.any(Date) });
      expect(await moved(world, reference)).toEqual([]);
    });

    test('one that was confirmed is charged, with every fact, and found once, however often and at once it is asked', async () => {
      // The operators' confirmation is the charge.
      const { reference, sessionKey } = await opened(world);
      await hand.payer(reference, 'pay');
      const answers = await Promise.all(
        Array.from({ length: 5 }, () => queryUntilCharged(world, reference, sessionKey)),
      );
      for (const charge of answers) {
        expect(agrees(world, reference, charge)).toBeNull();
        expect(charge.evidence).toContain(charge.gatewayTxnId);
        expect([charge.feeMinor, charge.netText, charge.riskFlagged]).toEqual([0n, '', false]);
      }
      const knownValidationIds = answers.map(({ validationId }) => validationId);
      expect(await ask(world, reference, { sessionKey, knownValidationIds })).toEqual({ kind: 'not-started' });
      expect(await moved(world, reference)).toEqual(['charge 100.00']);
    });

    test('one that was rejected is untouched: the payer may say something else', async () => {
      // A rejection ends the claim, not the payment.
      const { reference, sessionKey } = await opened(world);
      await hand.payer(reference, 'decline');
      expect(await ask(world, reference, { sessionKey })).toEqual({ kind: 'not-started' });
    });

    test('a refund is paid back by people, and nothing is said of it without them', async () => {
      // There is no gateway to query.
      const { reference, request } = await refundable(world, 4_000n);
      expect(await hand.gateway.refund(request)).toMatchObject({ kind: 'by-hand' });
      expect(await hand.gateway.queryRefund('any', request)).toMatchObject({ kind: 'unknown' });
      expect(await moved(world, reference)).toEqual(['charge 100.00']);
    });

    test('the notice of a decision names its attempt and its charge; anything else claims nothing', async () => {
      // The notice is only a reason to read the recorded decision.
      const { reference } = await opened(world);
      await hand.payer(reference, 'pay');
      const notice = await hand.callback(reference);
      expect(hand.gateway.parseCallback(notice)).toMatchObject({
        attemptReference: reference,
        signatureValid: true,
        claims: 'paid',
      });
      for (const text of ['', '{', '[]', '{"decided":"confirmed"}', hand.forged(notice, 'nobody')]) {
        expect(hand.gateway.parseCallback(text)).toMatchObject({ signatureValid: false, claims: 'unknown' });
      }
    });
  });
}

function sessionCases({ scripts }: ContractRow, world: () => GatewayWorld): void {
  describe('a session', () => {
    test('is opened with a key and a page, and untouched until the payer does something', async () => {
      // Opening a page must not decide anything.
      const { reference, sessionKey, gatewayUrl } = await opened(world());
      expect(URL.canParse(gatewayUrl ?? '')).toBe(true);
      expect(await ask(world(), reference, { sessionKey })).toEqual({ kind: 'not-started' });
    });

    test.each([
      ['was made', scripts.openLost],
      ['was not made', scripts.openNotDone],
    ])(
      'whose answer was lost, and which %s, is opened again under the same reference and charged once',
      async (_name, script) => {
        // Opening is repeated until it is answered, and must never charge the payer twice.
        const order = orderOf();
        await world().script(script);
        const opening = world().expectSilence(() => world().gateway.openSession(order));
        await expect(opening).rejects.toMatchObject({ kind: 'ambiguous' });
        const { sessionKey } = await opened(world(), order);
        await world().payer(order.attemptReference, 'pay');
        expect(await queryUntilCharged(world(), order.attemptReference, sessionKey)).toMatchObject({
          grossMinor: 10_000n,
        });
        expect(await moved(world(), order.attemptReference)).toEqual(['charge 100.00']);
      },
    );

    test('that the gateway will never make is refused in a word of ours', async () => {
      // A permanent refusal ends the payment at once. The gateway's text is stored next to Lenden's code.
      await world().script(scripts.openRefused);
      expect(await world().gateway.openSession(orderOf())).toMatchObject({
        kind: 'refused',
        code: 'GATEWAY_REFUSED_SESSION',
      });
    });

    test('that could not be asked for is unavailable: nothing left us', async () => {
      // A request that never arrived can be repeated safely.
      await expect(world().unreachable.openSession(orderOf())).rejects.toMatchObject({ kind: 'unavailable' });
    });
  });
}

function answerCases(row: ContractRow, world: () => GatewayWorld): void {
  const { scripts } = row;

  describe('an attempt', () => {
    test('that was paid is charged, with every fact and the gateway’s words, and found once', async () => {
      // This must work without a callback, which may never arrive.
      const { reference, sessionKey } = await opened(world());
      await world().payer(reference, 'pay');
      const charge = await queryUntilCharged(world(), reference, sessionKey);
      expect(agrees(world(), reference, charge)).toBeNull();
      expect(charge.evidence).toContain(charge.gatewayTxnId);
      expect(charge.feeMinor >= 0n && charge.feeMinor < 10_000n).toBe(true);
      expect(await ask(world(), reference, { sessionKey })).toEqual({ kind: 'charged', charge: expect.anything() });
      const knownValidationIds = [charge.validationId];
      expect(await ask(world(), reference, { sessionKey, knownValidationIds })).toEqual({ kind: 'not-started' });
      expect(await moved(world(), reference)).toEqual(['charge 100.00']);
    });

    test('that was declined has failed, and no money moved', async () => {
      // A clear refusal ends the payment.
      const { reference, sessionKey } = await opened(world());
      await world().payer(reference, 'decline');
      expect(await ask(world(), reference, { sessionKey })).toEqual({ kind: 'failed' });
      expect(await moved(world(), reference)).toEqual([]);
    });

    test('that the payer gave up is what the gateway says of it', async () => {
      // Only the gateway's answer counts, not the browser.
      const { reference, sessionKey } = await opened(world());
      await world().payer(reference, 'cancel');
      expect(await ask(world(), reference, { sessionKey })).toEqual({ kind: row.cancelled });
      expect(await moved(world(), reference)).toEqual([]);
    });

    test.each(['cancel', 'fail'] as const)(
      'whose payer came back without paying (%s) is over or goes on, and the next try is paid',
      async (does) => {
        // The payer must not be stuck on a finished page, and the first try must not charge them in addition to the second.
        const { reference, sessionKey } = await opened(world());
        await world().payer(reference, does);
        const parsed = world().gateway.parseCallback(await world().callback(reference));
        expect(parsed.signatureValid).toBe(true);
        const { claims, claimedValidationId: validationId } = parsed;
        const claimed =
          claims === 'cancelled' || claims === 'failed' ? { claimedEnd: { kind: claims, validationId } } : {};
        const answer = await ask(world(), reference, { sessionKey, ...claimed });
        expect(answer).toEqual(row.cameBack[does]);
        if (answer.kind === 'not-started') {
          // The page is still open, so the payer goes back to it.
          await world().payer(reference, 'pay');
          expect(await queryUntilCharged(world(), reference, sessionKey)).toMatchObject({ grossMinor: 10_000n });
          expect(await moved(world(), reference)).toEqual(['charge 100.00']);
          return;
        }
        const second = await opened(world());
        await world().payer(second.reference, 'pay');
        await queryUntilCharged(world(), second.reference, second.sessionKey);
        expect(await moved(world(), second.reference)).toEqual(['charge 100.00']);
        expect(await ask(world(), reference, { sessionKey, ...claimed })).toEqual(answer);
        expect(await moved(world(), reference)).toEqual([]);
      },
    );

    test('that was never opened is untouched', async () => {
      // The row is written before the gateway is called.
      expect(await ask(world(), attemptReference(), { sessionKey: null })).toEqual({ kind: 'not-started' });
    });

    test('whose charge was made and its answer lost is found, and not charged again', async () => {
      // The most dangerous moment: the money has moved, but the answer was lost.
      await world().script(scripts.chargeLost);
      const { reference, sessionKey } = await opened(world());
      await world().payer(reference, 'pay');
      const charge = await world().expectSilence(() => queryUntilCharged(world(), reference, sessionKey));
      expect(agrees(world(), reference, charge)).toBeNull();
      expect(await moved(world(), reference)).toEqual(['charge 100.00']);
    });

    test.each(row.unanswered)('is not decided by %s', async (script) => {
      // An answer that cannot be understood must decide nothing.
      await world().script(script);
      const { reference, sessionKey } = await opened(world());
      await world().payer(reference, 'pay');
      await expect(ask(world(), reference, { sessionKey })).rejects.toBeInstanceOf(GatewayFailure);
      await queryUntilCharged(world(), reference, sessionKey);
      expect(await moved(world(), reference)).toEqual(['charge 100.00']);
    });

    test('with a word that nobody knows is unknown', async () => {
      // An unknown status must count neither as success nor as failure.
      await world().script(scripts.unknownStatus);
      const { reference, sessionKey } = await opened(world());
      await world().payer(reference, 'pay');
      expect((await ask(world(), reference, { sessionKey })).kind).toBe('unknown');
    });

    const currency = scripts.wrongCurrency;
    test.each([
      ['another amount', scripts.wrongAmount, 'AMOUNT_MISMATCH'],
      ...(currency === null ? [] : [['another currency', currency, 'CURRENCY_MISMATCH'] as const]),
      ['another reference', scripts.wrongReference, 'REFERENCE_MISMATCH'],
    ])('that was charged by %s shows it', async (_name, script, reason) => {
      // A person has to look at a charge that does not agree with its order.
      await world().script(script);
      const { reference, sessionKey } = await opened(world());
      await world().payer(reference, 'pay');
      expect(agrees(world(), reference, await queryUntilCharged(world(), reference, sessionKey))).toBe(reason);
    });

    if (row.capabilities.questionsProveStore) {
      test('is not asked about with credentials that the gateway does not take', async () => {
        // A wrong password does not mean that the payer did not pay.
        const handle = { ...HANDLE, attemptReference: attemptReference() };
        await expect(world().stranger.queryAttempt(handle)).rejects.toMatchObject({ kind: 'unauthorized' });
      });
    } else {
      test('is answered whoever asks, and a session is opened by nobody but the store', async () => {
        // With such a protocol, a query cannot show an operator that the credentials are right.
        const { reference, sessionKey } = await opened(world());
        const handle = { ...HANDLE, attemptReference: reference, sessionKey };
        expect(await world().stranger.queryAttempt(handle)).toEqual({ kind: 'not-started' });
        const outcome = await world()
          .stranger.openSession(orderOf())
          .catch(() => null);
        expect(outcome?.kind).not.toBe('opened');
      });
    }

    test('is not asked about where nobody listens', async () => {
      // An unreachable gateway does not mean that the payer did not pay.
      const handle = { ...HANDLE, attemptReference: attemptReference(), sessionKey: 'SESSION1' };
      await expect(world().unreachable.queryAttempt(handle)).rejects.toMatchObject({ kind: 'unavailable' });
    });
  });
}

function executionCases({ moneyMovesBy }: ContractRow, world: () => GatewayWorld): void {
  test('a question about an ended payment moves no money', async () => {
    // If the payer agrees after the end, no money moves where Lenden has to execute the payment. Elsewhere it becomes an unapplied payment.
    const { reference, sessionKey } = await opened(world());
    await world().payer(reference, 'pay');
    const answer = await ask(world(), reference, { sessionKey, mayExecute: false });
    expect(answer.kind).toBe(moneyMovesBy === 'execution' ? 'not-started' : 'charged');
    expect(await moved(world(), reference)).toHaveLength(moneyMovesBy === 'execution' ? 0 : 1);
  });

  test('questions at the same time charge once', async () => {
    // A callback, a timer and an operator can query at the same moment.
    const { reference, sessionKey } = await opened(world());
    await world().payer(reference, 'pay');
    const settled = await Promise.allSettled(Array.from({ length: 5 }, () => ask(world(), reference, { sessionKey })));
    expect(settled.some(({ status }) => status === 'fulfilled')).toBe(true);
    await queryUntilCharged(world(), reference, sessionKey);
    expect(await moved(world(), reference)).toEqual(['charge 100.00']);
  });
}

function refundCases({ scripts: { refunds }, capabilities }: ContractRow, world: () => GatewayWorld): void {
  if (refunds === null || !capabilities.refunds) {
    test('a refund is refused without a word to the gateway', async () => {
      // The caller has to learn at once that this gateway makes no refunds.
      expect([refunds, capabilities.refunds]).toEqual([null, false]);
      const request = { ...REFUND, refundReference: refundReference(), validationId: 'V', gatewayTxnId: 'T' };
      expect(await world().unreachable.refund(request)).toMatchObject({ kind: 'refused' });
      expect((await world().unreachable.queryRefund('nosuchrefund1', request)).kind).toBe('unknown');
    });
    return;
  }
  describe('a refund', () => {
    test.each([
      ['whole', 10_000n, '100.00'],
      ['in part', 4_000n, '40.00'],
    ])('is given %s, and the gateway says how it ended', async (_name, amountMinor, text) => {
      const { reference, request } = await refundable(world(), amountMinor);
      expect(await refundUntilEnded(world(), request)).toBe('refunded');
      expect(await moved(world(), reference)).toEqual(['charge 100.00', `refund ${text}`]);
    });

    test.each([
      ['its answer was lost', refunds.lost],
      ['its answer was spoilt', refunds.garbage],
      ['it was not carried out', refunds.notDone],
    ])('that is repeated since %s gives the money back once', async (_name, script) => {
      // Every retry uses the same key, or the gateway is queried first.
      await world().script(script);
      const { reference, request } = await refundable(world(), 4_000n);
      const refund = world().expectSilence(() => world().gateway.refund(request));
      await expect(refund).rejects.toMatchObject({ kind: 'ambiguous' });
      expect(await refundUntilEnded(world(), { ...request, queriedBefore: true })).toBe('refunded');
      expect(await moved(world(), reference)).toEqual(['charge 100.00', 'refund 40.00']);
    });

    test('that is asked for twice gives the money back once', async () => {
      // A worker can die after the answer and before it writes the row.
      const { reference, request } = await refundable(world(), 4_000n);
      await refundUntilEnded(world(), request);
      expect(await refundUntilEnded(world(), { ...request, queriedBefore: true })).toBe('refunded');
      expect(await moved(world(), reference)).toEqual(['charge 100.00', 'refund 40.00']);
    });

    test('that the gateway refuses is refused, and no money moves', async () => {
      // A clear refusal ends the refund.
      await world().script(refunds.refused);
      const { reference, request } = await refundable(world(), 4_000n);
      expect(await world().gateway.refund(request)).toMatchObject({ kind: 'refused' });
      expect(await moved(world(), reference)).toEqual(['charge 100.00']);
    });

    test('of more than was charged is refused', async () => {
      // The gateway's own limit, in addition to Lenden's.
      const { reference, request } = await refundable(world(), 10_001n);
      expect(await world().gateway.refund(request)).toMatchObject({ kind: 'refused' });
      expect(await moved(world(), reference)).toEqual(['charge 100.00']);
    });

    test('beyond the number that the gateway takes is refused, one within it is not mistaken for another', async () => {
      // Two refunds of the same amount must refund twice that amount, or one of them must fail.
      const { reference, request } = await refundable(world(), 4_000n);
      await refundUntilEnded(world(), request);
      const second = { ...request, refundReference: refundReference(), otherRefunds: 1 };
      const { refundsPerPaymentMax: max } = world().gateway.capabilities;
      const outcome = await refundUntilEnded(world(), second);
      expect(outcome).toBe(max === 1 ? 'refused' : 'refunded');
      expect(await moved(world(), reference)).toHaveLength(max === 1 ? 2 : 3);
    });

    test('that nobody asked for is unknown, not failed', async () => {
      // A refund that is not found has not necessarily failed.
      const { request } = await refundable(world(), 4_000n);
      expect((await world().gateway.queryRefund('nosuchrefund1', request)).kind).toBe('unknown');
    });

    test('is not asked for where nobody listens', async () => {
      // The request was never sent, so no doubt remains.
      const request = { ...REFUND, refundReference: refundReference(), validationId: 'V', gatewayTxnId: 'T' };
      await expect(world().unreachable.refund(request)).rejects.toMatchObject({ kind: 'unavailable' });
    });
  });
}

function callbackCases(world: () => GatewayWorld): void {
  describe('a callback', () => {
    test('names its attempt, bears its signature and claims what the payer did', async () => {
      // The callback causes a query at once.
      const { reference } = await opened(world());
      await world().payer(reference, 'pay');
      const raw = await world().callback(reference);
      expect(world().attemptNamedIn(raw)).toBe(reference);
      expect(world().gateway.parseCallback(raw)).toMatchObject({
        attemptReference: reference,
        signatureValid: true,
        claims: 'paid',
      });
      const given = await opened(world());
      await world().payer(given.reference, 'cancel');
      const parsed = world().gateway.parseCallback(await world().callback(given.reference));
      expect(parsed).toMatchObject({ attemptReference: given.reference, signatureValid: true, claims: 'cancelled' });
    });

    test('of one attempt is none of another, nor of another store', async () => {
      // A payer must not be able to pay one order and present the callback for another.
      const [first, second] = [await opened(world()), await opened(world())];
      await world().payer(first.reference, 'pay');
      const raw = await world().callback(first.reference);
      const forged = world().forged(raw, second.reference);
      expect(world().attemptNamedIn(forged)).toBe(second.reference);
      expect(world().gateway.parseCallback(forged).signatureValid).toBe(false);
      expect(world().stranger.parseCallback(raw).signatureValid).toBe(false);
    });

    test.each(['', '?', '{', '{"Type":"Notification"}', 'a=1&a=2', 'x'.repeat(60_000), '\u0000', '%E0%A4%A', '[]'])(
      'of nonsense is read as nothing (%#)',
      (raw) => {
        // A stranger's input must not crash the parser.
        expect(world().attemptNamedIn(raw)).toBeNull();
        expect(world().gateway.parseCallback(raw)).toMatchObject({ attemptReference: null, signatureValid: false });
      },
    );
  });
}

const HANDLE: Omit<AttemptHandle, 'attemptReference'> = {
  sessionKey: null,
  claimedValidationId: null,
  knownValidationIds: [],
};
export const REFUND: Omit<RefundRequest, 'refundReference' | 'validationId' | 'gatewayTxnId'> = {
  amount: { amountMinor: 4_000n, currency: 'BDT' },
  remarks: 'Refund',
  queriedBefore: false,
  queriedAgoMs: null,
  otherRefunds: 0,
};

export function orderOf(): SessionOrder {
  return {
    attemptReference: attemptReference(),
    amount: AMOUNT,
    productName: 'A book',
    customer: {
      name: 'Jane',
      email: 'jane@example.com',
      phone: '01711111111',
      address: 'House 1',
      city: 'Dhaka',
      postcode: '1205',
      country: 'Bangladesh',
    },
    callbacks: {
      success: 'http://127.0.0.1:9/success',
      fail: 'http://127.0.0.1:9/fail',
      cancel: 'http://127.0.0.1:9/cancel',
      ipn: 'http://127.0.0.1:9/ipn',
      back: 'http://127.0.0.1:9/return',
    },
    expiresAt: new Date(Date.now() + 30 * 60_000),
    readAt: new Date(),
  };
}

interface Opened {
  readonly reference: string;
  readonly sessionKey: string;
  readonly gatewayUrl: string | null;
}

export async function opened(world: GatewayWorld, order: SessionOrder = orderOf()): Promise<Opened> {
  const outcome = await world.gateway.openSession(order);
  if (outcome.kind !== 'opened') {
    throw new Error(`the session was ${outcome.kind}`);
  }
  return { reference: order.attemptReference, ...outcome };
}

function ask(world: GatewayWorld, reference: string, changes: Partial<AttemptHandle>): Promise<AttemptAnswer> {
  return world.gateway.queryAttempt({ ...HANDLE, attemptReference: reference, mayExecute: true, ...changes });
}

/** Queries repeatedly until there is a clear answer, like the workflow. */
export async function queryUntilCharged(world: GatewayWorld, reference: string, sessionKey: string): Promise<Charge> {
  let last: unknown;
  for (let asked = 0; asked < QUESTIONS_MAX; asked += 1) {
    try {
      const answer = await ask(world, reference, { sessionKey });
      if (answer.kind === 'charged') {
        return answer.charge;
      }
      last = answer;
    } catch (error) {
      if (!(error instanceof GatewayFailure)) {
        throw error;
      }
      last = error;
    }
    await pause();
  }
  throw new Error('the gateway never confirmed the charge', { cause: last });
}

function agrees({ gateway }: GatewayWorld, reference: string, charge: Charge): string | null {
  return disagreement({ attemptReference: reference, storeId: gateway.storeId, amount: AMOUNT }, charge);
}

async function moved(world: GatewayWorld, reference: string): Promise<string[]> {
  const lines = (await world.money()).filter(({ tranId, kind }) => tranId === reference && kind !== 'refund_outcome');
  return lines.map(({ kind, amount }) => `${kind} ${amount}`);
}

/** Creates a charge and a request to refund a part of it. */
async function refundable(
  world: GatewayWorld,
  amountMinor: bigint,
): Promise<{ reference: string; request: RefundRequest }> {
  const { reference, sessionKey } = await opened(world);
  await world.payer(reference, 'pay');
  const { gatewayTxnId, validationId } = await queryUntilCharged(world, reference, sessionKey);
  const amount = { amountMinor, currency: 'BDT' };
  return { reference, request: { ...REFUND, refundReference: refundReference(), gatewayTxnId, validationId, amount } };
}

/** Requests the refund and then queries it until it ends, like the refund's workflow. */
export async function refundUntilEnded(world: GatewayWorld, request: RefundRequest): Promise<RefundAnswer['kind']> {
  const { gateway } = world;
  let id: string | null = null;
  for (let asked = 0; asked < QUESTIONS_MAX; asked += 1) {
    try {
      const answer: RefundAnswer =
        id === null
          ? await gateway.refund({ ...request, queriedBefore: request.queriedBefore || asked > 0 })
          : await gateway.queryRefund(id, request);
      if (answer.kind === 'accepted' || answer.kind === 'processing') {
        id ??= answer.gatewayRefundId;
      } else if (answer.kind !== 'unknown') {
        return answer.kind;
      }
    } catch (error) {
      if (!(error instanceof GatewayFailure)) {
        throw error;
      }
    }
    await pause();
  }
  throw new Error('the refund never ended');
}

function pause(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, PAUSE_MS);
  });
}
