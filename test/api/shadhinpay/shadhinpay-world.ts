import type { ApplicationSettings, Registration } from '../../../core/applications/store/applications.ts';
import { issueCredential } from '../../../core/applications/store/credentials.ts';
import type { Business } from '../../../core/contracts/port.ts';
import { openDatabase, type Database } from '../../../database/connection.ts';
import type { Mode } from '../../../domain/mode.ts';
import { BKASH_CAPABILITIES } from '../../../gateways/bkash/gateway.ts';
import { NAGAD_CAPABILITIES } from '../../../gateways/nagad/gateway.ts';
import { openApiWorld, type ApiWorld } from '../api-world.ts';

/** The API in this process, with businesses that have ShadhinPay keys. */
export interface ShadhinpayWorld extends ApiWorld {
  readonly database: Database;
  /** The address of an API with both vendors. */
  readonly origin: string;
  shop(settings?: Partial<ApplicationSettings>): Promise<Shop>;
}

/** The headers that authenticate a business. */
export interface Keys {
  readonly 'client-id': string;
  readonly 'business-id': string;
  readonly 'x-api-key': string;
}

export interface Shop extends Registration {
  readonly keys: Keys;
  readonly business: Business;
  anotherKey(mode?: Mode): Promise<Keys>;
}

export async function openShadhinpayWorld(): Promise<ShadhinpayWorld> {
  const world = await openApiWorld();
  const database = await openDatabase({ url: world.databaseUrl, poolSize: 2 });
  return {
    ...world,
    database,
    origin: await world.listen({ gateways: [BKASH_CAPABILITIES, NAGAD_CAPABILITIES] }),
    async shop(settings = {}) {
      const registration = await world.register(settings);
      const { applicationId } = registration;
      const issue = async (mode: Mode) => {
        const { apiKey, business } = await issueCredential(
          { database },
          { applicationId, mode, contract: 'shadhinpay' },
        );
        if (business === null) {
          throw new Error('a key of ShadhinPay’s contract belongs to a business');
        }
        return { apiKey, business };
      };
      const { apiKey, business } = await issue('TEST');
      return {
        ...registration,
        business,
        keys: keysOf(business, apiKey),
        anotherKey: async (mode = 'TEST') => keysOf(business, (await issue(mode)).apiKey),
      };
    },
    async close() {
      await database.close();
      await world.close();
    },
  };
}

function keysOf({ clientId, businessId }: Business, apiKey: string): Keys {
  return { 'client-id': clientId, 'business-id': businessId, 'x-api-key': apiKey };
}

/** The request from the documentation. */
export const PAYMENT = {
  amount: '1500.50',
  currency: 'BDT',
  merchantTxnId: 'order-7831',
  callbackUrl: 'https://shop.example.com/checkout/return',
  preferredVendor: 'BKASH',
  customerPhone: '8801712345678',
  description: 'Order #7831',
  valueA: 'campaign=summer',
  expiresInMinutes: 15,
} as const;

/** An invoice with the documented members. */
export const INVOICE = {
  customerName: 'Jane Doe',
  customerEmail: 'jane@example.com',
  customerPhone: '8801712345678',
  items: [
    { description: 'Cotton shirt', quantity: 2, unitPrice: '750.00' },
    { description: 'Gift wrap', quantity: 1, unitPrice: '0' },
  ],
  discount: '100.50',
  tax: '70.25',
  note: 'Thank you.',
  redirectUrl: 'https://shop.example.com/thanks',
} as const;
