import type { ApplicationSettings, Registration } from '../../../core/applications/store/applications.ts';
import { issueCredential, type KeyScope } from '../../../core/applications/store/credentials.ts';
import { openDatabase, type Database } from '../../../database/connection.ts';
import type { Mode } from '../../../domain/mode.ts';
import { openApiWorld, type ApiWorld } from '../api-world.ts';

/** The API in this process, with applications that have OwnPay keys. */
export interface OwnpayWorld extends ApiWorld {
  readonly database: Database;
  readonly origin: string;
  shop(settings?: Partial<ApplicationSettings>): Promise<OwnpayShop>;
}

export interface OwnpayShop extends Registration {
  readonly key: string;
  anotherKey(wanted: { mode?: Mode; scopes?: readonly KeyScope[] }): Promise<string>;
}

export async function openOwnpayWorld(): Promise<OwnpayWorld> {
  const world = await openApiWorld();
  const database = await openDatabase({ url: world.databaseUrl, poolSize: 2 });
  return {
    ...world,
    database,
    origin: await world.listen(),
    async shop(settings = {}) {
      const registration = await world.register(settings);
      const { applicationId } = registration;
      const anotherKey: OwnpayShop['anotherKey'] = async ({ mode = 'TEST', ...wanted }) =>
        (await issueCredential({ database }, { applicationId, mode, contract: 'ownpay', ...wanted })).apiKey;
      return { ...registration, key: await anotherKey({}), anotherKey };
    },
    async close() {
      await database.close();
      await world.close();
    },
  };
}

/** The request from the documentation, with a gateway that is configured. */
export const INTENT = {
  gateway: 'sslcommerz',
  amount: 99.99,
  currency: 'BDT',
  order_id: 'ORDER-20240615-001',
  customer_name: 'Jane Smith',
  customer_email: 'jane@example.com',
  customer_phone: '+1-555-0100',
  description: 'Annual subscription — Professional Plan',
  return_url: 'https://yoursite.com/order/success',
  cancel_url: 'https://yoursite.com/order/cancel',
  metadata: { user_id: '42', plan: 'professional' },
} as const;
