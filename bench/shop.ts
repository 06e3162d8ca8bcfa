import { registerApplication, type CredentialPair } from '../core/applications/store/applications.ts';
import { openDatabase } from '../database/connection.ts';
import { createSecretBox } from '../runtime/secrets.ts';
import { readOrMakeMasterKey } from '../scripts/development/development-secrets.ts';

export interface Shop extends CredentialPair {
  readonly applicationId: bigint;
}

/** Registers an application on a running stack, with rate limits too high to affect a measurement. Returns its TEST credentials. */
export async function registerShop(given: {
  databaseUrl: string;
  /** The stack's directory, which contains its master key. */
  directory: string;
  webhookUrl: string | null;
  name?: string;
  expiryMinutes?: number;
}): Promise<Shop> {
  const database = await openDatabase({ url: given.databaseUrl, poolSize: 2 });
  try {
    const { test, applicationId } = await registerApplication(
      { database, secrets: createSecretBox(readOrMakeMasterKey(given.directory)) },
      {
        name: given.name ?? 'Bench shop',
        webhookUrl: given.webhookUrl,
        rateLimitPerMinute: 1_000_000_000,
        ...(given.expiryMinutes === undefined ? {} : { expiryMinutes: given.expiryMinutes }),
      },
    );
    return { ...test, applicationId };
  } finally {
    await database.close();
  }
}
