import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { registerApplication } from '../../../core/applications/store/applications.ts';
import { chooseStore, retireStore } from '../../../core/gateways/store/stores.ts';
import { openManualWorld, SETTINGS, type Answer, type ManualWorld } from '../../core/manual-payments/manual-world.ts';
import { secrets, type NewPayment, type Row } from '../../core/payments/payment-world.ts';

/* Applications without their own account share the installation's. The money itself does not show to which application it belongs. */

let manual: ManualWorld;
let guarded: bigint;
let own: bigint;
beforeAll(async () => {
  manual = await openManualWorld();
  guarded = manual.world.app.applicationId;
  own = await newApplication('My own shop');
});
afterAll(() => manual.close());
beforeEach(async () => {
  await setThreshold(guarded, 5_000n);
  await manual.world.rows(`update decisions set created_at = created_at - interval '2 days' returning 1`);
});

async function newApplication(name: string): Promise<bigint> {
  const { database } = manual.world;
  return (await registerApplication({ database, secrets }, { name, webhookUrl: null })).applicationId;
}

function setThreshold(applicationId: bigint, minor: bigint | null): Promise<Row[]> {
  return manual.world.rows('update applications set refund_approval_threshold_minor = ? where id = ? returning 1', [
    minor,
    applicationId,
  ]);
}

const slotOf = (applicationId: bigint) => ({ applicationId, mode: 'LIVE', gateway: 'manual' }) as const;

function chooseOwnAccount(applicationId: bigint): Promise<unknown> {
  return manual.world.database.withOperator('every-app', (em) =>
    chooseStore(em, secrets, { ...slotOf(applicationId), storeId: 'own', password: JSON.stringify(SETTINGS) }),
  );
}

let transactions = 0;
async function claimed(fields: NewPayment, transaction?: string): Promise<Row | undefined> {
  transactions += 1;
  const { input } = await manual.opened({ mode: 'LIVE', ...fields });
  await manual.submits(input, { transaction: transaction ?? `CUST-TX-${transactions}` });
  return (await manual.waiting(input))[0];
}

const confirmedBy = async (as: string, fields: NewPayment): Promise<Answer> =>
  manual.decides(as, await claimed(fields), 'confirm');
const ALONE = { status: 200, data: { status: 'CONFIRMED' } };
const WAITS = { status: 200, data: { status: 'WAITING', decision: { awaitsSecondPerson: true } } };

describe('money in an account that applications share', () => {
  test('is confirmed by the strictest of their thresholds, whichever of them claims it', async () => {
    // Otherwise one person could claim a customer's transfer for a shop of their own.
    const theirs = await claimed({ applicationId: guarded, amountMinor: 800_000n }, 'CUST-TX-TAKEN');
    const mine = await claimed({ applicationId: own, amountMinor: 900_000_000n }, 'CUST-TX-TAKEN');
    expect(mine).toMatchObject({ claimedByOthers: 1 });
    expect(await manual.decides('asha', mine, 'confirm')).toMatchObject(WAITS);
    expect(await manual.decides('asha', theirs, 'confirm')).toMatchObject(WAITS);
    expect(await manual.decides('babul', theirs, 'confirm')).toMatchObject(ALONE);
    expect(await manual.decides('babul', mine, 'confirm')).toMatchObject({ status: 409 });
    // The first operator's sum is above the threshold by now. The other operator has only given second approvals, which do not count.
    expect(await confirmedBy('babul', { applicationId: own, amountMinor: 5_000n })).toMatchObject(ALONE);
  });

  test('is one sum for one person, through however many applications', async () => {
    // Otherwise an operator could avoid the threshold by registering another application.
    const another = await newApplication('Another one');
    expect(await confirmedBy('asha', { applicationId: own, amountMinor: 3_000n })).toMatchObject(ALONE);
    expect(await confirmedBy('asha', { applicationId: another, amountMinor: 3_000n })).toMatchObject(WAITS);
    expect(await confirmedBy('babul', { applicationId: another, amountMinor: 3_000n })).toMatchObject(ALONE);
  });

  test('counts for an application that had it until lately, and for none that has its own', async () => {
    // Payers still pay into the account that they were shown.
    const dear = { applicationId: own, amountMinor: 6_000n };
    const lately = await newApplication('With an account of its own since');
    await setThreshold(guarded, null);
    await setThreshold(lately, 5_000n);
    await chooseOwnAccount(lately);
    expect(await confirmedBy('asha', dear)).toMatchObject(ALONE);
    await manual.world.database.withOperator('every-app', (em) => retireStore(em, slotOf(lately)));
    expect(await confirmedBy('asha', dear)).toMatchObject(WAITS);
    await claimed({ applicationId: lately, amountMinor: 1_000n });
    await chooseOwnAccount(lately);
    expect(await confirmedBy('asha', dear)).toMatchObject(WAITS);
    await setThreshold(lately, null);
  });

  test('binds nobody who decides on an own account', async () => {
    // The money in an application's own account cannot belong to another application.
    const apart = await newApplication('Apart');
    await chooseOwnAccount(apart);
    expect(await confirmedBy('asha', { applicationId: apart, amountMinor: 900_000n })).toMatchObject(ALONE);
    expect(await confirmedBy('asha', { applicationId: own, amountMinor: 4_000n })).toMatchObject(ALONE);
  });
});
