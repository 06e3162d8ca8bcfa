import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { deliveriesByWorkflow } from '../../../core/webhooks/deliveries.ts';
import { createPayment, type WantedPayment } from '../../../core/payments/create-payment.ts';
import { makeRefund } from '../../../core/refunds/make-refund.ts';
import { BUSINESS_TIME_ZONE, calendarIn } from '../../../domain/calendar.ts';
import { parseAllowList } from '../../../domain/outbound-url.ts';
import { createHttpClient } from '../../../runtime/http-client.ts';
import { createLogger } from '../../../runtime/logger.ts';
import { registryOf } from '../../support/gateways.ts';
import { anOrder } from './shadhinpay-client.ts';
import { openShadhinpayWorld, type ShadhinpayWorld } from './shadhinpay-world.ts';

let world: ShadhinpayWorld;

beforeAll(async () => {
  world = await openShadhinpayWorld();
});
afterAll(() => world.close());

function dependencies() {
  const allow = parseAllowList('');
  return {
    database: world.database,
    gateways: registryOf(),
    dispatch: world.dispatch,
    deliveries: deliveriesByWorkflow(world.dispatch),
    log: createLogger({ service: 'test', level: 'silent' }),
    apiUrl: '',
    webUrl: '',
    calendar: calendarIn(BUSINESS_TIME_ZONE),
    publicHttp: createHttpClient({ guard: 'public-only', allow }),
    allow,
  };
}

async function createAs(references: string[]): Promise<string> {
  const shop = await world.shop();
  const order = anOrder();
  const payment: WantedPayment['payment'] = {
    scope: { applicationId: shop.applicationId, mode: 'TEST' },
    contract: 'shadhinpay',
    amountMinor: 10_000n,
    currency: 'BDT',
    merchantReference: order,
    customerReference: order,
    customerEmail: null,
    customerPhone: null,
    customerName: null,
    productName: null,
    returnUrl: null,
    invoiceId: null,
    gateway: 'bkash',
  };
  const outcome = await createPayment(dependencies(), {
    payment,
    reference: () => references.shift() ?? 'PAY_20260517_TAKEN0',
    application: { name: 'Shop', expiryMinutes: 15 },
    key: null,
    lease: { fingerprint: Buffer.alloc(32) },
  });
  return outcome.kind === 'made' ? outcome.made.reference : outcome.kind;
}

async function refundAs(references: string[]): Promise<string> {
  const shop = await world.shop();
  const { id } = await world.paidPayment(shop);
  const outcome = await makeRefund(dependencies(), {
    scope: { applicationId: shop.applicationId, mode: 'TEST' },
    applicationName: 'Shop',
    paymentId: BigInt(id),
    amountMinor: null,
    reason: null,
    creator: { type: 'APP' },
    key: null,
    lease: { fingerprint: Buffer.alloc(32) },
    reference: () => references.shift() ?? 'REF_20260517_TAKEN0',
  });
  return outcome.kind === 'made' ? outcome.made.reference : outcome.kind;
}

test('a reference that another business’s payment has is drawn again, and what is drawn five times is an error', async () => {
  // The contract prescribes short references. A caller must not see or pay another payment because of a collision.
  expect(await createAs(['PAY_20260517_TAKEN0'])).toBe('PAY_20260517_TAKEN0');
  expect(await createAs(['PAY_20260517_TAKEN0', 'PAY_20260517_FREE00'])).toBe('PAY_20260517_FREE00');
  await expect(createAs([])).rejects.toThrow(/payments_reference_key/);
});

test('so is a refund’s, and nothing is reserved for one that failed', async () => {
  // The transaction that hit the collision must leave nothing behind.
  expect(await refundAs(['REF_20260517_TAKEN0'])).toBe('REF_20260517_TAKEN0');
  expect(await refundAs(['REF_20260517_TAKEN0', 'REF_20260517_FREE00'])).toBe('REF_20260517_FREE00');
  await expect(refundAs([])).rejects.toThrow(/refunds_reference_key/);
});
