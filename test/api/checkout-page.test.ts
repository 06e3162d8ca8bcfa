import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { checkoutState } from '../../api/pages/checkout-view.ts';
import { readPayment } from '../../core/payments/store/payments.ts';
import type { Registration } from '../../core/applications/store/applications.ts';
import { openDatabase, type Database } from '../../database/connection.ts';
import { Payment, PaymentAttempt } from '../../database/entities/payment.ts';
import type { AttemptStatus } from '../../domain/payment.ts';
import { openApiWorld, type ApiWorld } from './api-world.ts';
import { call } from './contract-client.ts';

let world: ApiWorld;
let database: Database;
let origin: string;
let shop: Registration;

beforeAll(async () => {
  world = await openApiWorld();
  origin = await world.listen();
  shop = await world.register();
  database = await openDatabase({ url: world.databaseUrl, poolSize: 2 });
});
afterAll(async () => {
  await database.close();
  await world.close();
});

/** Returns what the page shows for a PENDING payment whose only attempt has this status. */
async function shown(status: AttemptStatus): Promise<string> {
  const body = { amountMinor: 10_000, customerReference: 'cust_1' };
  const { data } = await call({ origin, method: 'POST', path: '/payments', credentials: shop.test, body });
  const scope = { applicationId: shop.applicationId, mode: 'TEST' } as const;
  const paymentId = await database.withSystem(async (em) => {
    const payment = await em.findOneOrFail(Payment, { reference: String(data['reference']) });
    const facts = status === 'CONFIRMED' ? confirmed(payment.reference) : {};
    await em.nativeUpdate(PaymentAttempt, { paymentId: payment.id }, { status, ...facts });
    return payment.id;
  });
  return database.withScope(scope, async (statements) => {
    const shown = await readPayment(statements, scope, paymentId);
    if (shown === null) {
      throw new Error('the payment was not read');
    }
    return (await checkoutState(statements, { payment: shown, receiptsEnabled: false })).kind;
  });
}

test.each(['CONFIRMED', 'FAILED', 'CANCELLED', 'CLOSED'] as const)(
  'a payer who returns between the answer of the gateway (%s) and its booking waits for the result',
  async (status) => {
    // Otherwise the page would offer to pay again and would not refresh by itself, and the payer could pay twice.
    expect(await shown(status)).toBe('confirming');
  },
);

test.each(['CREATED', 'OPEN', 'UNKNOWN'] as const)('while the attempt is %s the payer may pay', async (status) => {
  // Only an answer from the gateway may stop the payer from paying.
  expect(await shown(status)).toBe('open');
});

function confirmed(unique: string) {
  const facts = { gatewayTxnId: 'txn', netText: '97.50', evidence: '{}', confirmedAt: new Date() };
  return { ...facts, validationId: unique, grossMinor: 10_000n, feeMinor: 250n };
}
