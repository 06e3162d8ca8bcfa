import { registerApplication, type CredentialPair } from '../../core/applications/store/applications.ts';
import { issueCredential } from '../../core/applications/store/credentials.ts';
import { chooseStore } from '../../core/gateways/store/stores.ts';
import { openDatabase } from '../../database/connection.ts';
import { createSecretBox } from '../../runtime/secrets.ts';
import { readOrMakeMasterKey } from '../../scripts/development/development-secrets.ts';

/** The TEST credentials of one application for each contract. */
export interface ShopKeys {
  readonly native: CredentialPair;
  readonly ownpay: string;
  /** The headers that authenticate a business. */
  readonly shadhinpay: Readonly<Record<'client-id' | 'business-id' | 'x-api-key', string>>;
}

/** A bank that does not exist, where payers of manual payments send their money. */
const BANK = {
  storeId: 'bench-bank',
  password: JSON.stringify({
    label: { en: 'Bank', bn: 'ব্যাংক' },
    instructions: { en: 'Account 0123 456', bn: 'হিসাব ০১২৩' },
  }),
} as const;

/** Registers an application for each contract on a running stack, with rate limits too high to affect a count. */
export async function registerShops(given: {
  readonly databaseUrl: string;
  /** The stack's directory, which contains its master key. */
  readonly directory: string;
  readonly webhookUrl: string;
}): Promise<ShopKeys> {
  const database = await openDatabase({ url: given.databaseUrl, poolSize: 2 });
  try {
    const secrets = createSecretBox(readOrMakeMasterKey(given.directory));
    const register = (name: string) =>
      registerApplication(
        { database, secrets },
        { name, webhookUrl: given.webhookUrl, rateLimitPerMinute: 1_000_000_000 },
      );
    const [native, ownpay, shadhinpay] = [
      await register('Bench shop'),
      await register('Bench shop (OwnPay)'),
      await register('Bench shop (ShadhinPay)'),
    ];
    const bank = { applicationId: native.applicationId, mode: 'TEST', gateway: 'manual', ...BANK } as const;
    await database.withOperator('every-app', (em) => chooseStore(em, secrets, bank));
    const { applicationId } = shadhinpay;
    const intents = { applicationId: ownpay.applicationId, mode: 'TEST', contract: 'ownpay' } as const;
    const { apiKey: ownpayKey } = await issueCredential({ database }, intents);
    const { apiKey, business } = await issueCredential(
      { database },
      { applicationId, mode: 'TEST', contract: 'shadhinpay' },
    );
    if (business === null) {
      throw new Error('a key of ShadhinPay’s contract belongs to a business');
    }
    return {
      native: native.test,
      ownpay: ownpayKey,
      shadhinpay: { 'client-id': business.clientId, 'business-id': business.businessId, 'x-api-key': apiKey },
    };
  } finally {
    await database.close();
  }
}
