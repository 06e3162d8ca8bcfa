import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { deliveriesByWorkflow } from '../../../core/webhooks/deliveries.ts';
import { createPayment, type WantedPayment } from '../../../core/payments/create-payment.ts';
import { parseAllowList } from '../../../domain/outbound-url.ts';
import { BUSINESS_TIME_ZONE, calendarIn } from '../../../domain/calendar.ts';
import { createHttpClient } from '../../../runtime/http-client.ts';
import { createLogger } from '../../../runtime/logger.ts';
import { registryOf } from '../../support/gateways.ts';
import { INTENT, openOwnpayWorld, type OwnpayWorld } from './ownpay-world.ts';

let world: OwnpayWorld;

beforeAll(async () => {
  world = await openOwnpayWorld();
});
afterAll(() => world.close());

const TAKEN = 'txn_00000000000000aa';
const FREE = 'txn_00000000000000bb';

async function create(references: string[]): Promise<string> {
  const shop = await world.shop();
  const allow = parseAllowList('');
  const deps = {
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
  const payment: WantedPayment['payment'] = {
    scope: { applicationId: shop.applicationId, mode: 'TEST' },
    contract: 'ownpay',
    amountMinor: 10_000n,
    currency: 'BDT',
    customerReference: INTENT.order_id,
    customerEmail: null,
    customerPhone: null,
    customerName: null,
    productName: null,
    returnUrl: null,
    invoiceId: null,
    gateway: 'sslcommerz',
  };
  const key = { scope: payment.scope, operation: 'POST /payment-intents', key: 'k' };
  const outcome = await createPayment(deps, {
    payment,
    reference: () => references.shift() ?? TAKEN,
    application: { name: 'Shop', expiryMinutes: 30 },
    key,
    lease: { fingerprint: Buffer.alloc(32) },
  });
  return outcome.kind === 'made' ? outcome.made.reference : outcome.kind;
}

test("a reference that another application's payment has is drawn again, and what is drawn five times is an error", async () => {
  // The contract prescribes short references. A caller must not see or pay another payment because of a collision.
  expect(await create([TAKEN])).toBe(TAKEN);
  expect(await create([TAKEN, TAKEN, FREE])).toBe(FREE);
  await expect(create([])).rejects.toThrow(/payments_reference_key/);
});
