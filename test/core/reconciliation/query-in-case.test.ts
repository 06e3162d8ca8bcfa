import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { detailView } from '../../../api/admin/reconciliation-case-view.ts';
import { insertOperator } from '../../../core/operators/store/operators.ts';
import { readRoleByName, replaceGrants } from '../../../core/operators/store/roles.ts';
import type { ActingOperator } from '../../../core/operators/acting-operator.ts';
import { actOnCase } from '../../../core/reconciliation/case-actions.ts';
import { carryOut } from '../../../core/reconciliation/carry-out.ts';
import { readWholeCase } from '../../../core/reconciliation/read-case.ts';
import { decidedActions } from '../../../core/reconciliation/store/case-actions.ts';
import { openDisputeCase } from '../../../core/reconciliation/store/dispute-cases.ts';
import { openWordCase } from '../../../core/reconciliation/store/word-cases.ts';
import { type AttemptAnswer, type AttemptHandle, GatewayFailure, type RefundAnswer } from '../../../gateways/port.ts';
import { createLogger } from '../../../runtime/logger.ts';
import { createFakeDispatch } from '../../api/fake-dispatch.ts';
import { payPayment } from '../ledger/ledger-fixture.ts';
import { CALENDAR, openReconciliation, type ReconciliationWorld } from './reconciliation-world.ts';

let world: ReconciliationWorld;
let ann: ActingOperator;
const asked: { attempts: AttemptHandle[]; refunds: string[]; workflows: string[] } = {
  attempts: [],
  refunds: [],
  workflows: [],
};
let attemptAnswer: () => AttemptAnswer;
let refundAnswer: () => RefundAnswer;

beforeEach(async () => {
  world = await openReconciliation();
  ann = await operator();
  Object.values(asked).forEach((list) => (list.length = 0));
});
afterEach(() => world.close());

async function operator(): Promise<ActingOperator> {
  const email = 'ann@shop.example';
  const id = await world.ledger.database.withOperator('every-app', async (em) => {
    const operatorId = await insertOperator(em, { email, name: email, passwordHash: null, passwordTemporary: false });
    const role = await readRoleByName(em, 'Super Admin');
    await replaceGrants(em, { operatorId, grants: [{ roleId: role.id, applicationId: null }] });
    return BigInt(operatorId);
  });
  return { operator: { id }, grants: [], view: 'every-app', actor: { type: 'USER', id, name: email } };
}

function deps() {
  const { database } = world.ledger;
  const dispatch = createFakeDispatch(database);
  dispatch.startUnappliedPayment = (_payment, { attemptReference }) => {
    asked.workflows.push(attemptReference);
    return Promise.resolve();
  };
  const opened = {
    queryAttempt: (handle: AttemptHandle) => {
      asked.attempts.push(handle);
      return Promise.resolve().then(attemptAnswer);
    },
    queryRefund: (gatewayRefundId: string) => {
      asked.refunds.push(gatewayRefundId);
      return Promise.resolve().then(refundAnswer);
    },
  };
  return {
    database,
    calendar: CALENDAR,
    dispatch,
    gateways: { capabilities: () => ({ feeKnown: 'with-the-charge' as const }), open: () => opened } as never,
    log: createLogger({ service: 'test', level: 'silent' }),
  };
}

const rows = <Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> =>
  world.ledger.asOwner((em) => em.execute<Row[]>(text, [...values]));
const scope = () => ({ applicationId: world.applicationId, mode: 'TEST' }) as const;

/** Asks in the newest case, and returns what the case then says of it. */
async function ask() {
  const [found] = await rows<{ reference: string }>(
    `select reference from reconciliation_cases order by id desc limit 1`,
  );
  const reference = found?.reference ?? '';
  await actOnCase(deps(), ann, { reference, wanted: { action: 'query-gateway' } });
  for (const decided of await world.ledger.database.withSystem((em) => decidedActions(em, 10))) {
    await carryOut(deps(), decided);
  }
  const entry = detailView(await readWholeCase(deps(), ann, reference)).entries.at(-1);
  return { outcome: entry?.outcome, text: entry?.outcomeText ?? '', answer: entry?.answer, endedAt: entry?.endedAt };
}

/** A case of a payment whose line pays less. Returns the reference of its attempt. */
async function shortPaid(): Promise<string> {
  const { attemptReference } = await payPayment(world.ledger.database, { applicationId: world.applicationId });
  await world.addLines([{ attemptReference, gatewayTxnId: `B${attemptReference}`, grossMinor: 9_000n }]);
  await world.run();
  return attemptReference;
}

describe('asking the gateway in a case', () => {
  test('writes what it says of the attempt to the case, and leaves the booking to the workflow', async () => {
    const reference = await shortPaid();
    attemptAnswer = () => ({ kind: 'charged', charge: CHARGE });
    const before = await world.balances();
    const { answer, ...ended } = await ask();
    expect(ended).toMatchObject({ outcome: 'DONE', endedAt: expect.any(String) });
    expect(answer).toEqual({
      about: 'attempt',
      reference,
      kind: 'charged',
      gatewayReference: 'another-transaction',
      amountMinor: 10_000,
      currency: 'BDT',
      note: null,
    });
    expect(asked.workflows).toEqual([reference]);
    expect(await world.balances()).toEqual(before);
  });

  test('never moves money', async () => {
    // bKash charges the payer on our call.
    await shortPaid();
    attemptAnswer = () => ({ kind: 'not-started' });
    expect((await ask()).answer).toMatchObject({ kind: 'not-started', amountMinor: null });
    expect(asked.attempts.map(({ mayExecute }) => mayExecute ?? false)).toEqual([false]);
  });

  test.each<[string, AttemptAnswer, string]>([
    ['why it does not know', { kind: 'unknown', note: 'NO_SESSION' }, 'NO_SESSION'],
    ['how the payer gave up', { kind: 'given-up', as: 'cancelled' }, 'cancelled'],
    ['since when an operator has it', { kind: 'with-operator', since: new Date(0) }, '1970-01-01T00:00:00.000Z'],
  ])('says %s', async (_name, answer, note) => {
    await shortPaid();
    attemptAnswer = () => answer;
    expect((await ask()).answer).toMatchObject({ kind: answer.kind, note });
  });

  test.each([
    ['does not answer', () => new GatewayFailure('unavailable', 'down'), 'unavailable'],
    ['refuses the store', () => new GatewayFailure('unauthorized', 'no'), 'unauthorized'],
    ['breaks', () => new Error('a bug'), 'unavailable'],
  ])('ends when the gateway %s, and may be repeated', async (_name, error, kind) => {
    // An action that stays open keeps every other one out of the case.
    const reference = await shortPaid();
    attemptAnswer = () => {
      throw error();
    };
    expect(await ask()).toMatchObject({ outcome: 'FAILED', text: expect.stringContaining(kind), answer: null });
    attemptAnswer = () => ({ kind: 'failed' });
    expect(await ask()).toMatchObject({ outcome: 'DONE', answer: { kind: 'failed' } });
    expect(asked.workflows).toEqual([reference, reference]);
  });

  test('of a line that names nothing of ours says so', async () => {
    await world.addLines([{ gatewayTxnId: 'B-foreign', grossMinor: 500n }]);
    await world.run();
    expect(await ask()).toMatchObject({ outcome: 'FAILED', answer: null });
    expect([...asked.attempts, ...asked.refunds]).toEqual([]);
  });

  test('of a refund that people ended by their word asks about that refund', async () => {
    const { paymentId } = await payPayment(world.ledger.database, { applicationId: world.applicationId });
    const [row] = await rows<{ id: string }>(
      `insert into refunds (application_id, mode, payment_id, reference, status, amount_minor, currency, gateway, store_id, gateway_txn_id, gateway_refund_id,
         created_by_type, ended_at)
       select application_id, mode, id, 'ref_' || repeat('1', 22), 'FAILED', 4000, 'BDT', 'sslcommerz', 'store', gateway_txn_id, 're_1', 'APP', now()
       from payments where id = ?::bigint returning id::text`,
      [paymentId],
    );
    await world.ledger.database.withScope(scope(), (statements) =>
      openWordCase(statements, { refundId: BigInt(row?.id ?? 0), status: 'FAILED' }),
    );
    refundAnswer = () => ({ kind: 'refunded', evidence: '{}' });
    expect(await ask()).toMatchObject({
      outcome: 'DONE',
      answer: { about: 'refund', reference: `ref_${'1'.repeat(22)}`, kind: 'refunded', gatewayReference: 're_1' },
    });
    expect(asked.refunds).toEqual(['re_1']);
  });

  test('of a dispute makes it due', async () => {
    const { attemptReference } = await payPayment(world.ledger.database, { applicationId: world.applicationId });
    const [row] = await rows<{ id: string }>(
      `insert into disputes (application_id, mode, payment_id, attempt_id, gateway, store_id, gateway_txn_id, gateway_dispute_id, status, gateway_status,
         amount_minor, currency, next_sweep_at)
       select application_id, mode, payment_id, id, gateway, 'store', gateway_txn_id, 'dp_1', 'OPEN', 'x', 1, 'BDT', now() + interval '1 day'
       from payment_attempts where reference = ? returning id::text`,
      [attemptReference],
    );
    await world.ledger.database.withScope(scope(), (statements) => openDisputeCase(statements, BigInt(row?.id ?? 0)));
    expect(await ask()).toMatchObject({ outcome: 'DONE', answer: null });
    expect(await rows(`select next_sweep_at <= now() as due from disputes`)).toEqual([{ due: true }]);
  });
});

const CHARGE = {
  validationId: 'v',
  gatewayTxnId: 'another-transaction',
  attemptReference: 'a',
  storeId: null,
  orderAmountMinor: 10_000n,
  orderCurrency: 'BDT',
  grossMinor: 10_000n,
  currency: 'BDT',
  feeMinor: 0n,
  netText: '',
  riskFlagged: false,
  evidence: '{}',
};
