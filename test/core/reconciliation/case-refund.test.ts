import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { insertOperator } from '../../../core/operators/store/operators.ts';
import { readRoleByName, replaceGrants } from '../../../core/operators/store/roles.ts';
import type { ActingOperator } from '../../../core/operators/acting-operator.ts';
import { actOnCase, withdrawInCase } from '../../../core/reconciliation/case-actions.ts';
import { carryOutRefund, refundInCase } from '../../../core/reconciliation/case-refund.ts';
import { leftRefunds } from '../../../core/reconciliation/store/case-refunds.ts';
import { reserveRefund } from '../../../core/refunds/store/new-refunds.ts';
import { refundReference } from '../../../domain/references.ts';
import { WITHOUT_REFUND_BOUNDS } from '../../../domain/refund.ts';
import { createLogger } from '../../../runtime/logger.ts';
import { createFakeDispatch } from '../../api/fake-dispatch.ts';
import { payPayment } from '../ledger/ledger-fixture.ts';
import { openReconciliation, type ReconciliationWorld } from './reconciliation-world.ts';

let world: ReconciliationWorld;
let ann: ActingOperator;
beforeEach(async () => {
  world = await openReconciliation();
  await operator('root@shop.example');
  ann = await operator('ann@shop.example');
});
afterEach(() => world.close());

async function operator(email: string, roleName = 'Super Admin'): Promise<ActingOperator> {
  const id = await world.ledger.database.withOperator('every-app', async (em) => {
    const operatorId = await insertOperator(em, { email, name: email, passwordHash: null, passwordTemporary: false });
    const role = await readRoleByName(em, roleName);
    await replaceGrants(em, { operatorId, grants: [{ roleId: role.id, applicationId: null }] });
    return BigInt(operatorId);
  });
  const grants = [{ everything: true, permissions: [], applicationId: null }];
  return { operator: { id }, grants, view: 'every-app', actor: { type: 'USER', id, name: email } };
}

type Dependencies = Parameters<typeof refundInCase>[0];
function deps(): Dependencies {
  const { database } = world.ledger;
  const capabilities = () => ({ ...WITHOUT_REFUND_BOUNDS, feeKnown: 'with-the-charge' as const });
  return {
    database,
    dispatch: createFakeDispatch(database),
    gateways: { capabilities, names: ['sslcommerz'] } as never,
    log: createLogger({ service: 'test', level: 'silent' }),
  };
}
const rows = <Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> =>
  world.ledger.asOwner((em) => em.execute<Row[]>(text, [...values]));

/** A case of a charge that came twice. Returns its reference. */
async function chargedTwice(): Promise<string> {
  const { attemptReference } = await payPayment(world.ledger.database, { applicationId: world.applicationId });
  const line = { attemptReference, gatewayTxnId: `B${attemptReference}`, grossMinor: 9_750n };
  await world.addLines([line, { ...line, payout: 'P2' }]);
  await world.run();
  const [found] = await rows<{ reference: string }>(
    `select reference from reconciliation_cases order by id desc limit 1`,
  );
  return found?.reference ?? '';
}
const refund = (reference: string, among: Dependencies = deps()) =>
  refundInCase(among, ann, { reference, amountMinor: 4_000n, reason: 'charged twice' });
/** What the sweeper does a minute later. */
async function sweep(minutes = 2): Promise<void> {
  await rows(
    `update reconciliation_case_entries set created_at = now() - ?::integer * interval '1 minute' where consumed_at is null returning 1`,
    [minutes],
  );
  for (const left of await world.ledger.database.withSystem((em) => leftRefunds(em, 100))) {
    await carryOutRefund(deps(), left);
  }
}
const refunds = () => rows<{ reference: string }>(`select reference from refunds`);
const outcomes = async () =>
  (
    await rows<{ outcome: string | null; text: string | null }>(
      `select outcome, outcome_text as text from reconciliation_case_entries where action = 'create-refund' order by id`,
    )
  ).map(({ outcome }) => outcome);
const crash = () => Promise.reject(new Error('the process has died'));

/** A database that is lost at the named call. */
function lostAt(method: 'withScope' | 'withOperator', call: number): Dependencies {
  const all = deps();
  let calls = 0;
  const { database } = all;
  const lost = new Proxy(database, {
    get(target, name) {
      const found: unknown = Reflect.get(target, name);
      if (name !== method || typeof found !== 'function') {
        return typeof found === 'function' ? found.bind(target) : found;
      }
      return (...given: unknown[]) => {
        calls += 1;
        return calls >= call ? crash() : Reflect.apply(found, target, given);
      };
    },
  });
  return { ...all, database: lost };
}

test('a refund of a payment that the gateway has converted is in the currency of the payment', async () => {
  // The amount counts towards a threshold, and each currency has its own.
  const reference = await chargedTwice();
  await rows(`update reconciliation_cases set currency = 'USD' where reference = ? returning 1`, [reference]);
  await refund(reference);
  expect(
    await rows(
      `select y.currency, f.currency as refunded from reconciliation_case_entries y, refunds f where y.action = 'create-refund'`,
    ),
  ).toEqual([{ currency: 'BDT', refunded: 'BDT' }]);
});

describe('a refund that is created in a case', () => {
  test('is made once, and ends the action', async () => {
    await refund(await chargedTwice());
    expect(await outcomes()).toEqual(['DONE']);
    await sweep();
    expect(await refunds()).toHaveLength(1);
  });

  test('is made by the sweeper if the process died before it was stored', async () => {
    const reference = await chargedTwice();
    await expect(refund(reference, lostAt('withScope', 1))).rejects.toThrow('the process has died');
    expect([await outcomes(), await refunds()]).toEqual([[null], []]);
    await expect(withdrawInCase(deps(), ann, { reference })).rejects.toMatchObject({ code: 'INVALID_OPERATION_STATE' });
    await sweep();
    await sweep();
    expect(await outcomes()).toEqual(['DONE']);
    const made = await rows(
      `select amount_minor::text as amount, reason, created_by_operator_id::text as by from refunds`,
    );
    expect(made).toEqual([{ amount: '4000', reason: 'charged twice', by: String(ann.operator.id) }]);
    const audited = await rows(`select actor from audit_logs where action = 'refund.created'`);
    expect(audited).toEqual([{ actor: 'ann@shop.example' }]);
  });

  test('is not made again if the process died after it was stored', async () => {
    // The payer would get the money twice.
    const reference = await chargedTwice();
    await expect(refund(reference, lostAt('withOperator', 3))).rejects.toThrow('the process has died');
    expect(await outcomes()).toEqual([null]);
    const [made] = await refunds();
    await sweep();
    expect(await outcomes()).toEqual(['DONE']);
    expect(await refunds()).toEqual([made]);
    const [entry] = await rows<{ text: string }>(
      `select outcome_text as text from reconciliation_case_entries where action = 'create-refund'`,
    );
    expect(entry?.text).toBe(made?.reference);
  });

  test('is made once by two sweepers at once', async () => {
    await expect(refund(await chargedTwice(), lostAt('withScope', 1))).rejects.toThrow();
    await Promise.allSettled([sweep(), sweep(), sweep()]);
    await sweep();
    expect(await refunds()).toHaveLength(1);
    expect(await outcomes()).toEqual(['DONE']);
  });

  test('is left alone while its request may be at work', async () => {
    await expect(refund(await chargedTwice(), lostAt('withScope', 1))).rejects.toThrow();
    await sweep(0);
    expect(await outcomes()).toEqual([null]);
  });

  test.each([
    [
      'the case was closed',
      `update reconciliation_cases set state = 'RESOLVED', resolution = 'EVIDENCE', resolved_at = now()`,
    ],
    ['the difference is another one', `update reconciliation_results set revision = revision + 1`],
    [
      'its operator lost the permission',
      `delete from operator_grants where operator_id = (select id from operators where email = 'ann@shop.example')`,
    ],
  ])('lapses if meanwhile %s', async (_name, change) => {
    await expect(refund(await chargedTwice(), lostAt('withScope', 1))).rejects.toThrow();
    await rows(`${change} returning 1`);
    await sweep();
    expect(await outcomes()).toEqual(['LAPSED']);
    expect(await refunds()).toEqual([]);
  });

  test('fails as it would have failed at once if the money is gone', async () => {
    await expect(refund(await chargedTwice(), lostAt('withScope', 1))).rejects.toThrow();
    const [payment] = await rows<{ id: string }>(`select id::text from payments`);
    const scope = { applicationId: world.applicationId, mode: 'TEST' } as const;
    await world.ledger.database.withScope(scope, (statements) =>
      reserveRefund(statements, {
        scope,
        paymentId: BigInt(payment?.id ?? 0),
        reference: refundReference(),
        amountMinor: 10_000n,
        reason: null,
        creator: { type: 'APP' },
        boundsOf: () => WITHOUT_REFUND_BOUNDS,
      }),
    );
    await sweep();
    expect(await outcomes()).toEqual(['FAILED']);
    expect(await refunds()).toHaveLength(1);
  });
});

describe('the threshold', () => {
  const limit = (minor: bigint) =>
    world.ledger.asOwner((em) =>
      em.execute(`update applications set refund_approval_threshold_minor = ?::bigint`, [minor]),
    );
  const statusOfRefund = async () => (await rows<{ status: string }>(`select status from refunds`))[0]?.status;

  test('counts what the operator has accepted in cases when they refund', async () => {
    // Otherwise one person could give away the threshold twice, by two ways.
    const first = await chargedTwice();
    const second = await chargedTwice();
    await limit(13_000n);
    const accept = { action: 'accept', reason: 'the bank took it' } as const;
    expect(await actOnCase(deps(), ann, { reference: first, wanted: accept })).toBe('in-progress');
    await refund(second);
    expect(await statusOfRefund()).toBe('AWAITING_APPROVAL');
  });

  test('counts no case that was not accepted in the end', async () => {
    const first = await chargedTwice();
    const second = await chargedTwice();
    await limit(13_000n);
    await actOnCase(deps(), ann, { reference: first, wanted: { action: 'accept', reason: 'the bank took it' } });
    await rows(
      `update reconciliation_case_entries set consumed_at = now(), outcome = 'LAPSED' where action = 'accept' returning 1`,
    );
    await refund(second);
    expect(await statusOfRefund()).toBe('PENDING');
  });

  test('counts a refund when the operator accepts a case at the same time', async () => {
    const first = await chargedTwice();
    const second = await chargedTwice();
    await limit(13_000n);
    const accepted = actOnCase(deps(), ann, { reference: first, wanted: { action: 'accept', reason: 'a charge' } });
    const [state] = await Promise.all([accepted, refund(second)]);
    expect(state === 'awaiting-second' || (await statusOfRefund()) === 'AWAITING_APPROVAL').toBe(true);
  });
});
