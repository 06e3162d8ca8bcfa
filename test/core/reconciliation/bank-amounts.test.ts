import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { assignEntries } from '../../../core/payouts/store/matched-entries.ts';
import { insertOperator } from '../../../core/operators/store/operators.ts';
import { readRoleByName, replaceGrants } from '../../../core/operators/store/roles.ts';
import { actOnCase, secondInCase } from '../../../core/reconciliation/case-actions.ts';
import { carryOut } from '../../../core/reconciliation/carry-out.ts';
import { decidedActions } from '../../../core/reconciliation/store/case-actions.ts';
import type { ActingOperator } from '../../../core/operators/acting-operator.ts';
import { createLogger } from '../../../runtime/logger.ts';
import { createFakeDispatch } from '../../api/fake-dispatch.ts';
import { CALENDAR, openReconciliation, type ReconciliationWorld } from './reconciliation-world.ts';

let world: ReconciliationWorld;
let payoutId: bigint;
beforeEach(async () => {
  world = await openReconciliation();
  await world.addLines([{ kind: 'RESERVE', grossMinor: 10_000n, source: 'api' }]);
  const [row] = await query<{ id: string }>(`select id::text from payouts`);
  payoutId = BigInt(row?.id ?? 0);
});
afterEach(() => world.close());

const query = <Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> =>
  world.ledger.asOwner((em) => em.execute<Row[]>(text, [...values]));
const limit = (minor: bigint) => query(`update applications set refund_approval_threshold_minor = ?::bigint`, [minor]);
/** An entry of a bank statement that names the payout. */
async function receive(amountMinor: bigint): Promise<void> {
  const [entry] = await query<{ id: string }>(
    `with f as (insert into payout_files (reference, mode, kind, format, name, state) values (?, 'TEST', 'statement', 'mt940', 'bank.sta', 'IMPORTED') returning id)
     insert into bank_entries (mode, file_id, file_line, fingerprint, ordinal, account, currency, amount_minor, booked_on)
     select 'TEST', id, 1, ?, 1, 'A', 'BDT', ?::bigint, current_date from f returning id::text`,
    [`pof_${randomBytes(11).toString('hex')}`, randomBytes(16), amountMinor],
  );
  await world.ledger.database.withSystem((em) => assignEntries(em, [{ entryId: BigInt(entry?.id ?? 0), payoutId }]));
  await world.run();
}
const open = async () =>
  (await world.cases())
    .filter(({ kind, state }) => kind === 'residual' && state !== 'RESOLVED')
    .map(({ reason, amount }) => `${reason} ${amount}`);

describe('entries of a bank statement', () => {
  test('that move what had arrived by more than the threshold leave the case for two people, though they make it add up', async () => {
    // Four eyes: one person's second statement would otherwise close what the first one showed.
    await limit(1_000n);
    await receive(7_000n);
    expect(await open()).toEqual(['RESIDUAL 3000']);
    await receive(3_000n);
    expect(await open()).toEqual(['BANK_AMOUNT_MOVED 3000']);
    expect((await world.cases()).map(({ resolution }) => resolution)).toEqual([null]);
    await world.run();
    expect(await open()).toEqual(['BANK_AMOUNT_MOVED 3000']);
    const ann = await operator('ann');
    const ben = await operator('ben');
    const [found] = await query<{ reference: string }>(
      `select reference from reconciliation_cases where kind = 'residual' and state <> 'RESOLVED'`,
    );
    const reference = found?.reference ?? '';
    const accept = { action: 'accept', reason: 'seen at the bank' } as const;
    expect(await actOnCase(deps(), ann, { reference, wanted: accept })).toBe('awaiting-second');
    await secondInCase(deps(), ben, { reference, seen: { action: 'accept', movementKey: null, account: null } });
    for (const decided of await world.ledger.database.withSystem((em) => decidedActions(em, 10))) {
      await carryOut(deps(), decided);
    }
    await world.run();
    expect(await open()).toEqual([]);
    expect((await world.ledger.verify()).findings).toEqual([]);
  });

  test('that come one after the other are added up', async () => {
    await limit(1_000n);
    await receive(9_000n);
    await receive(600n);
    expect(await open()).toEqual(['RESIDUAL 400']);
    await receive(401n);
    expect(await open()).toEqual(['BANK_AMOUNT_MOVED 1001']);
  });

  test('that contradict the word of the gateway or of a person leave a case too', async () => {
    await limit(1_000n);
    await world.receive('P1', 7_000n);
    await receive(10_000n);
    expect(await open()).toEqual(['BANK_AMOUNT_MOVED 3000']);
  });

  test('close the case by evidence up to the threshold, at any amount without one, and if they are the first word', async () => {
    await receive(7_000n);
    await receive(3_000n);
    expect(await open()).toEqual([]);
    await limit(1n);
    await world.addLines([{ kind: 'RESERVE', grossMinor: 5_000n, payout: 'P2', source: 'api' }]);
    const [row] = await query<{ id: string }>(`select id::text from payouts where gateway_reference = 'P2'`);
    payoutId = BigInt(row?.id ?? 0);
    await receive(5_000n);
    expect(await open()).toEqual([]);
  });
});

async function operator(name: string): Promise<ActingOperator> {
  const id = await world.ledger.database.withOperator('every-app', async (em) => {
    const email = `${name}@example.com`;
    const operatorId = await insertOperator(em, { email, name, passwordHash: null, passwordTemporary: false });
    const { id: roleId } = await readRoleByName(em, 'Super Admin');
    await replaceGrants(em, { operatorId, grants: [{ roleId, applicationId: null }] });
    // The entity manager returns new ids as text.
    return BigInt(operatorId);
  });
  return { operator: { id }, grants: [], view: 'every-app', actor: { type: 'USER', id, name } };
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
