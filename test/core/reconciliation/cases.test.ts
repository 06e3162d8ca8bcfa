import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { EntityManager } from '../../../database/connection.ts';
import {
  actOnCase,
  secondInCase,
  type WantedAction,
  withdrawInCase,
} from '../../../core/reconciliation/case-actions.ts';
import { assignCase, noteInCase, releaseOwnedCase } from '../../../core/reconciliation/cases.ts';
import { carryOut } from '../../../core/reconciliation/carry-out.ts';
import { proposalsOfLine } from '../../../core/reconciliation/proposals.ts';
import { decidedActions } from '../../../core/reconciliation/store/case-actions.ts';
import { openWordCase } from '../../../core/reconciliation/store/word-cases.ts';
import { listCases, readCase, readEntries } from '../../../core/reconciliation/store/case-list.ts';
import { insertOperator } from '../../../core/operators/store/operators.ts';
import { readRoleByName, replaceGrants } from '../../../core/operators/store/roles.ts';
import type { ActingOperator } from '../../../core/operators/acting-operator.ts';
import { createLogger } from '../../../runtime/logger.ts';
import { createFakeDispatch } from '../../api/fake-dispatch.ts';
import { createApplication, payPayment } from '../ledger/ledger-fixture.ts';
import { CALENDAR, GATEWAY, openReconciliation, type ReconciliationWorld } from './reconciliation-world.ts';

let world: ReconciliationWorld;
let ann: ActingOperator;
let ben: ActingOperator;
beforeEach(async () => {
  world = await openReconciliation();
  await operator('root@shop.example', null, 'Super Admin');
  ann = await operator('ann@shop.example');
  ben = await operator('ben@shop.example');
});
afterEach(() => world.close());

async function operator(
  email: string,
  applicationId: bigint | null = null,
  roleName = 'Finance',
): Promise<ActingOperator> {
  const id = await world.ledger.database.withOperator('every-app', async (em) => {
    const operatorId = await insertOperator(em, { email, name: email, passwordHash: null, passwordTemporary: false });
    const role = await readRoleByName(em, roleName);
    await replaceGrants(em, { operatorId, grants: [{ roleId: role.id, applicationId }] });
    // The entity manager returns new ids as text.
    return BigInt(operatorId);
  });
  return {
    operator: { id },
    grants: [],
    view: applicationId === null ? 'every-app' : [applicationId],
    actor: { type: 'USER', id, name: email },
  };
}

function deps() {
  const { database } = world.ledger;
  return {
    database,
    calendar: CALENDAR,
    dispatch: createFakeDispatch(database),
    gateways: { capabilities: () => ({ feeKnown: 'with-the-charge' as const }) } as never,
    log: createLogger({ service: 'test', level: 'silent' }),
  };
}
const act = (caller: ActingOperator, reference: string, wanted: WantedAction) =>
  actOnCase(deps(), caller, { reference, wanted });
/** What the sweeper does. */
async function sweep(): Promise<void> {
  for (const decided of await world.ledger.database.withSystem((em) => decidedActions(em, 100))) {
    await carryOut(deps(), decided);
  }
}
const inView = <T>({ view }: ActingOperator, work: (em: EntityManager) => Promise<T>): Promise<T> =>
  world.ledger.database.withOperator(view, work);
async function references(caller = ann): Promise<string[]> {
  const slice = { order: 'ASC', limit: 100, offset: 0, cursor: null } as const;
  return (await inView(caller, (em) => listCases(em, { filter: {}, slice }))).rows.map(({ reference }) => reference);
}
const stateOf = async (reference: string) => {
  const found = await inView(ann, (em) => readCase(em, reference));
  return `${found?.state} ${found?.resolution}`;
};
const outcomes = async (reference: string) => {
  const found = await inView(ann, (em) => readCase(em, reference));
  return (await inView(ann, (em) => readEntries(em, found?.id ?? 0n)))
    .filter(({ kind }) => kind === 'action')
    .map(({ action, outcome }) => `${action} ${outcome}`);
};
const pay = () =>
  payPayment(world.ledger.database, { applicationId: world.applicationId, grossMinor: 10_000n, feeMinor: 250n });
const findings = async () => (await world.ledger.verify()).findings;
const limit = (minor: bigint | null) =>
  world.ledger.asOwner((em) =>
    em.execute(`update applications set refund_approval_threshold_minor = ?::bigint`, [minor]),
  );
/** A payment whose line pays 9,000 of 9,750. Returns the reference of its case. */
async function shortPaid(): Promise<{ reference: string; attemptReference: string }> {
  const { attemptReference } = await pay();
  await world.addLines([{ attemptReference, gatewayTxnId: `B${attemptReference}`, grossMinor: 9_000n }]);
  await world.run();
  const known = await references();
  return { reference: known.at(-1) ?? '', attemptReference };
}
const ACCEPTING = { action: 'accept', movementKey: null, account: null } as const;
const correcting = (movementKey: string) => ({ action: 'post-correction', movementKey, account: null }) as const;
const ACCEPT = { action: 'accept', reason: 'the bank took a charge' } as const;

describe('accepting a difference', () => {
  test('books it at once, closes the case, and the next run leaves both as they are', async () => {
    // Finance closes a difference that nothing will explain, and the books stay proven.
    const { reference } = await shortPaid();
    expect(await act(ann, reference, ACCEPT)).toBe('in-progress');
    await sweep();
    expect(await stateOf(reference)).toBe('RESOLVED ACCEPTED');
    expect(await world.balances()).toEqual({
      'app:payable': '-10000',
      'gateway:fees': '250',
      'gateway:sslcommerz:differences': '750',
      'gateway:sslcommerz:transit': '9000',
    });
    await world.run();
    expect(await references()).toHaveLength(1);
    expect(await findings()).toEqual([]);
  });

  test('takes a second person above the threshold, who is never the first', async () => {
    const { reference } = await shortPaid();
    await limit(500n);
    expect(await act(ann, reference, ACCEPT)).toBe('awaiting-second');
    await sweep();
    expect(await stateOf(reference)).toBe('OPEN null');
    await expect(secondInCase(deps(), ann, { reference, seen: ACCEPTING })).rejects.toMatchObject({
      code: 'FORBIDDEN',
    });
    await expect(act(ben, reference, ACCEPT)).rejects.toMatchObject({ code: 'INVALID_OPERATION_STATE' });
    await secondInCase(deps(), ben, { reference, seen: ACCEPTING });
    await sweep();
    expect(await stateOf(reference)).toBe('RESOLVED ACCEPTED');
    expect(await findings()).toEqual([]);
  });

  test('counts what the same person has accepted within a day', async () => {
    const first = await shortPaid();
    const second = await shortPaid();
    await limit(1_000n);
    expect(await act(ann, first.reference, ACCEPT)).toBe('in-progress');
    expect(await act(ann, second.reference, ACCEPT)).toBe('awaiting-second');
    expect(await act(ben, (await shortPaid()).reference, ACCEPT)).toBe('in-progress');
  });

  test('takes a second person for a fee that hides behind a gross amount, and for a line in another currency', async () => {
    // A greedy operator's ways: the difference that the case shows is nothing or a cent, and accepting it books the whole payment away.
    await limit(1_000n);
    await world.addLines([{ gatewayTxnId: 'B-costs', grossMinor: 0n, feeMinor: 900_000n }]);
    const { attemptReference } = await pay();
    await world.addLines([{ attemptReference, gatewayTxnId: `B${attemptReference}`, grossMinor: 0n, currency: 'EUR' }]);
    await world.run();
    const known = await references();
    expect(known).toHaveLength(2);
    for (const reference of known) {
      expect(await act(ann, reference, ACCEPT)).toBe('awaiting-second');
    }
  });

  test('takes a second person for each line in another currency, however small its payment is', async () => {
    // Their sum would be of the line's currency, which is nothing.
    await limit(1_000_000n);
    const { attemptReference } = await pay();
    await world.addLines([{ attemptReference, gatewayTxnId: `B${attemptReference}`, grossMinor: 0n, currency: 'EUR' }]);
    await world.run();
    expect(await act(ann, (await references())[0] ?? '', ACCEPT)).toBe('awaiting-second');
  });

  test('uses the strictest threshold for a line of no application', async () => {
    await world.addLines([{ gatewayTxnId: 'B-foreign', grossMinor: 500n }]);
    await world.run();
    const other = await createApplication(world.ledger.database);
    await world.ledger.asOwner((em) =>
      em.execute(`update applications set refund_approval_threshold_minor = 499 where id = ?::bigint`, [other]),
    );
    expect(await act(ann, (await references())[0] ?? '', ACCEPT)).toBe('awaiting-second');
  });

  test('uses the strictest threshold of the applications that share a store, whichever of them the line is of', async () => {
    // A line of an application without a threshold could be anybody's.
    const other = await createApplication(world.ledger.database);
    await world.ledger.asOwner((em) =>
      em.execute(`update applications set refund_approval_threshold_minor = 499 where id = ?::bigint`, [other]),
    );
    const carl = await operator('carl@shop.example', world.applicationId);
    for (const caller of [ann, carl]) {
      const { reference } = await shortPaid();
      expect(await act(caller, reference, ACCEPT)).toBe('awaiting-second');
    }
    await world.ledger.asOwner((em) =>
      em.execute(
        `insert into gateway_configurations (application_id, mode, gateway, store_id, key, store_secret)
         values (?::bigint, 'TEST', ?, 'store', gen_random_uuid(), 's')`,
        [world.applicationId, GATEWAY],
      ),
    );
    expect(await act(ann, (await shortPaid()).reference, ACCEPT)).toBe('in-progress');
  });

  test('lapses when evidence explains the line while it waits for the second person', async () => {
    const { reference, attemptReference } = await shortPaid();
    await limit(0n);
    await act(ann, reference, ACCEPT);
    await world.addLines([{ attemptReference, gatewayTxnId: `B${attemptReference}`, grossMinor: 750n }]);
    await world.run();
    expect(await stateOf(reference)).toBe('RESOLVED EVIDENCE');
    expect(await outcomes(reference)).toEqual(['accept LAPSED']);
    await expect(secondInCase(deps(), ben, { reference, seen: ACCEPTING })).rejects.toMatchObject({
      code: 'INVALID_OPERATION_STATE',
    });
  });

  test('ends when the difference becomes another one: a new case asks again', async () => {
    // Nobody has accepted what came later.
    const { reference, attemptReference } = await shortPaid();
    await act(ann, reference, ACCEPT);
    await sweep();
    await world.addLines([{ attemptReference, gatewayTxnId: `B${attemptReference}`, grossMinor: -8_000n }]);
    await world.run();
    expect((await references()).length).toBeGreaterThan(1);
    expect((await world.balances())['gateway:sslcommerz:differences']).toBeUndefined();
    expect(await findings()).toEqual([]);
  });

  test('of a refund that people ended by their word closes the case, and posts nothing', async () => {
    const { applicationId } = world;
    const { paymentId } = await pay();
    const [row] = await world.ledger.asOwner((em) =>
      em.execute<{ id: string }[]>(
        `insert into refunds (application_id, mode, payment_id, reference, status, amount_minor, currency, gateway, store_id, gateway_txn_id, created_by_type, ended_at)
         values (?::bigint, 'TEST', ?::bigint, 'ref_' || repeat('1', 22), 'FAILED', 4000, 'BDT', 'sslcommerz', 'store', 't', 'APP', now()) returning id::text`,
        [applicationId, paymentId],
      ),
    );
    await world.ledger.database.withScope({ applicationId, mode: 'TEST' }, (statements) =>
      openWordCase(statements, { refundId: BigInt(row?.id ?? 0), status: 'FAILED' }),
    );
    const [reference = ''] = await references();
    const before = await world.balances();
    await act(ann, reference, ACCEPT);
    await sweep();
    await world.run();
    expect(await stateOf(reference)).toBe('RESOLVED ACCEPTED');
    expect(await references()).toHaveLength(1);
    expect(await world.balances()).toEqual(before);
  });

  test('two people at once: one decides', async () => {
    const { reference } = await shortPaid();
    const tried = await Promise.allSettled([act(ann, reference, ACCEPT), act(ben, reference, ACCEPT)]);
    expect(tried.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    await Promise.all([sweep(), sweep()]);
    expect(await outcomes(reference)).toEqual(['accept DONE']);
    expect(await findings()).toEqual([]);
  });

  test('of a residual moves it from unexplained to differences', async () => {
    const { attemptReference } = await pay();
    await world.addLines([{ attemptReference, gatewayTxnId: `B${attemptReference}`, grossMinor: 9_750n }]);
    await world.receive('P1', 9_700n);
    await world.run();
    const [reference = ''] = await references();
    await act(ann, reference, ACCEPT);
    await sweep();
    expect(await stateOf(reference)).toBe('RESOLVED ACCEPTED');
    const balances = await world.balances();
    expect(balances['gateway:sslcommerz:differences']).toBe('50');
    expect(balances['gateway:sslcommerz:unexplained']).toBeUndefined();
    await world.run();
    expect(await references()).toHaveLength(1);
    expect(await findings()).toEqual([]);
  });

  test('writes off a payment whose line never came, until one comes', async () => {
    const { attemptReference } = await pay();
    await world.ledger.asOwner((em) =>
      em.execute(`update payments set ended_at = now() - interval '40 days', paid_at = now() - interval '40 days'`),
    );
    await world.run(CALENDAR.today(new Date(Date.now() - 40 * 86_400_000)));
    const [reference = ''] = await references();
    await act(ann, reference, ACCEPT);
    await sweep();
    expect((await world.balances())['gateway:sslcommerz:differences']).toBe('9750');
    await world.addLines([{ attemptReference, gatewayTxnId: `B${attemptReference}`, grossMinor: 9_750n }]);
    await world.run();
    expect((await world.balances())['gateway:sslcommerz:differences']).toBeUndefined();
    expect(await findings()).toEqual([]);
  });
});

describe('a correction', () => {
  const toMovement = (movementKey: string): WantedAction => ({
    action: 'post-correction',
    reason: 'their reference is misspelt',
    to: { movementKey },
  });

  test('matches a line with the payment that two people chose, and later runs keep it', async () => {
    const paid = await pay();
    await world.addLines([{ gatewayTxnId: 'B-misspelt', grossMinor: 9_750n }]);
    await world.run();
    const key = (await world.results()).find(({ line }) => line === null)?.movement ?? '';
    expect(key).toContain(paid.attemptReference);
    const [reference = ''] = await references();
    expect(await act(ann, reference, toMovement(key))).toBe('awaiting-second');
    await expect(secondInCase(deps(), ann, { reference, seen: correcting(key) })).rejects.toMatchObject({
      code: 'FORBIDDEN',
    });
    await secondInCase(deps(), ben, { reference, seen: correcting(key) });
    await sweep();
    expect(await stateOf(reference)).toBe('RESOLVED CORRECTED');
    const balances = await world.balances();
    expect(balances['gateway:sslcommerz:unexplained']).toBeUndefined();
    await world.run();
    expect(await world.balances()).toEqual(balances);
    expect((await world.results()).map(({ status, movement }) => `${status} ${movement}`)).toEqual([`MATCHED ${key}`]);
    expect(await findings()).toEqual([]);
  });

  test('books a line to an account that two people chose', async () => {
    await world.addLines([{ kind: 'ADJUSTMENT', gatewayTxnId: 'B-monthly', grossMinor: -300n }]);
    await world.run();
    const [reference = ''] = await references();
    await act(ann, reference, { action: 'post-correction', reason: 'the monthly fee', to: { account: 'fees' } });
    await secondInCase(deps(), ben, {
      reference,
      seen: { action: 'post-correction', movementKey: null, account: 'fees' },
    });
    await sweep();
    expect(await stateOf(reference)).toBe('RESOLVED CORRECTED');
    expect((await world.balances())['gateway:fees']).toBe('300');
    await world.run();
    expect((await world.balances())['gateway:fees']).toBe('300');
    expect(await references()).toHaveLength(1);
    expect(await findings()).toEqual([]);
  });

  test('is refused for a payment that does not exist, and for what is not about a line', async () => {
    const { reference } = await shortPaid();
    await expect(act(ann, reference, toMovement('charge:nothing:'))).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
    });
  });

  test('leaves the case open if the line still differs', async () => {
    await pay();
    await world.addLines([{ gatewayTxnId: 'B-misspelt', grossMinor: 9_000n }]);
    await world.run();
    const key = (await world.results()).find(({ line }) => line === null)?.movement ?? '';
    const [reference = ''] = await references();
    await act(ann, reference, toMovement(key));
    await secondInCase(deps(), ben, { reference, seen: correcting(key) });
    await sweep();
    expect(await stateOf(reference)).toBe('OPEN null');
    expect((await inView(ann, (em) => readCase(em, reference)))?.reason).toBe('AMOUNT');
    expect(await findings()).toEqual([]);
  });
});

describe('a case', () => {
  test('has an owner, is released, and keeps its notes with names', async () => {
    const { reference } = await shortPaid();
    await assignCase(deps(), ann, { reference, operatorId: ben.operator.id });
    expect(await stateOf(reference)).toBe('ASSIGNED null');
    await noteInCase(deps(), ben, { reference, text: 'asked the gateway' });
    await releaseOwnedCase(deps(), ann, { reference });
    await expect(releaseOwnedCase(deps(), ann, { reference })).rejects.toMatchObject({
      code: 'INVALID_OPERATION_STATE',
    });
    const found = await inView(ann, (em) => readCase(em, reference));
    const entries = await inView(ann, (em) => readEntries(em, found?.id ?? 0n));
    expect(entries.map(({ kind, operatorName }) => `${kind} ${operatorName}`)).toEqual([
      'assigned ann@shop.example',
      'note ben@shop.example',
      'released ann@shop.example',
    ]);
  });

  test('is seen, and can be owned, only by operators of its application', async () => {
    const { reference } = await shortPaid();
    const other = await operator('cy@other.example', await createApplication(world.ledger.database));
    const own = await operator('di@shop.example', world.applicationId);
    expect(await references(other)).toEqual([]);
    expect(await references(own)).toEqual([reference]);
    await expect(act(other, reference, ACCEPT)).rejects.toMatchObject({ code: 'RESOURCE_NOT_FOUND' });
    await expect(assignCase(deps(), ann, { reference, operatorId: other.operator.id })).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
    });
    expect(await act(own, reference, ACCEPT)).toBe('in-progress');
  });

  test('takes another action once the waiting one is withdrawn', async () => {
    const { reference } = await shortPaid();
    await limit(0n);
    await act(ann, reference, ACCEPT);
    await withdrawInCase(deps(), ben, { reference });
    expect(await outcomes(reference)).toEqual(['accept WITHDRAWN']);
    expect(await act(ben, reference, ACCEPT)).toBe('awaiting-second');
  });

  test('proposes payments of the same amount from around its day, and only those that the operator sees', async () => {
    // A guess shows no payment of another application.
    const paid = await pay();
    await world.addLines([{ gatewayTxnId: 'B-misspelt', grossMinor: 9_750n }]);
    await world.run();
    const [line] = (await world.results()).flatMap((result) => (result.line === null ? [] : [BigInt(result.line)]));
    const reading = { calendar: CALENDAR, feeAtSettlement: false };
    const wanted = { mode: 'TEST', gateway: GATEWAY, lineId: line ?? 0n, period: world.today() } as const;
    const [proposal] = await inView(ann, (em) => proposalsOfLine(em, reading, wanted));
    expect(proposal?.movement.attemptReference).toBe(paid.attemptReference);
    expect(proposal?.reasons).toContain('SAME_NET_AMOUNT');
    const other = await operator('cy@other.example', await createApplication(world.ledger.database));
    expect(await inView(other, (em) => proposalsOfLine(em, reading, wanted))).toEqual([]);
  });
});

describe('the database', () => {
  test.each([
    ['one person decides twice', `second_operator_id = operator_id, seconded_at = now()`],
    ['a correction is decided alone', `action = 'post-correction', account = 'fees', needs_second = false`],
    ['what needs a second person is done without', `needs_second = true, consumed_at = now(), outcome = 'DONE'`],
    ['an action has no operator', `operator_id = null`],
  ])('refuses that %s', async (_name, set) => {
    // Not even a mistake in the code weakens four eyes.
    const { reference } = await shortPaid();
    await act(ann, reference, ACCEPT);
    await expect(
      world.ledger.asOwner((em) => em.execute(`update reconciliation_case_entries set ${set} where kind = 'action'`)),
    ).rejects.toMatchObject({ code: '23514' });
  });
});
