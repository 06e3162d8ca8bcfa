import { join } from 'node:path';
import type { z } from 'zod';
import { registerApplication } from '../../core/applications/store/applications.ts';
import { issueCredential } from '../../core/applications/store/credentials.ts';
import { shadhinpayKeyHash } from '../../core/contracts/shadhinpay.ts';
import { openDatabase, type Database } from '../../database/connection.ts';
import { Credential } from '../../database/entities/application.ts';
import { chooseStore, hasHadStore } from '../../core/gateways/store/stores.ts';
import { MODES, type Mode } from '../../domain/mode.ts';
import { MANUAL_CAPABILITIES } from '../../gateways/manual/gateway.ts';
import { createSecretBox, sha256, type SecretBox } from '../../runtime/secrets.ts';
import {
  nativeApp,
  ownpayApp,
  shadhinpayApp,
  type DevFile,
  type NativeApp,
  type OwnpayApp,
  type ShadhinpayApp,
} from './dev-file.ts';
import { readPrivateJson, writePrivateJson } from '../shared/private-files.ts';

/** The database to seed, its master key, and the directory where the secrets are stored. */
export interface DemoSeed {
  readonly directory: string;
  readonly databaseUrl: string;
  readonly masterKey: string;
}

/**
 * Creates the demo's applications the first time and stores their secrets, because the database keeps only hashes. If the database does not know the
 * stored application (it is a different database, or was emptied), a new one is created.
 */
export async function seedDemoApps({ directory, databaseUrl, masterKey }: DemoSeed): Promise<DevFile['apps']> {
  const database = await openDatabase({ url: databaseUrl, poolSize: 2 });
  const store = { database, secrets: createSecretBox(masterKey) };
  try {
    const apps = {
      native: await remembered(database, {
        file: join(directory, 'demo-apps.json'),
        schema: nativeApp,
        hashOf: ({ test }) => sha256(test.apiKey),
        register: () => registerNativeApp(store),
      }),
      ownpay: await remembered(database, {
        file: join(directory, 'demo-ownpay-app.json'),
        schema: ownpayApp,
        hashOf: ({ apiKey }) => sha256(apiKey),
        register: () => registerOwnpayApp(store),
      }),
      shadhinpay: await remembered(database, {
        file: join(directory, 'demo-shadhinpay-app.json'),
        schema: shadhinpayApp,
        hashOf: ({ testKey, ...business }) => shadhinpayKeyHash({ ...business, apiKey: testKey }),
        register: () => registerShadhinpayApp(store),
      }),
    };
    for (const { id } of Object.values(apps)) {
      await giveManualStores(store, BigInt(id));
    }
    return apps;
  } finally {
    await database.close();
  }
}

/** The store of a bank that does not exist. Every other gateway gets its store from the simulators' settings. */
const MANUAL_STORE = {
  storeId: 'demo-bank',
  password: JSON.stringify({
    label: { en: 'Bank transfer (demo)', bn: 'ব্যাংক ট্রান্সফার (ডেমো)' },
    instructions: {
      en: 'Transfer the exact amount to account 0123 456 789 of Demo Bank, then write the transaction number below.',
      bn: 'ডেমো ব্যাংকের ০১২৩ ৪৫৬ ৭৮৯ হিসাবে ঠিক এই পরিমাণ টাকা পাঠান, তারপর নিচে লেনদেন নম্বরটি লিখুন।',
    },
  }),
} as const;

/** Creates the stores only once: a store that an operator has created, changed or retired stays as it is. */
async function giveManualStores({ database, secrets }: Store, applicationId: bigint): Promise<void> {
  await database.withOperator('every-app', async (em) => {
    for (const mode of MODES) {
      const slot = { applicationId, mode, gateway: MANUAL_CAPABILITIES.name };
      if (!(await hasHadStore(em, slot))) {
        await chooseStore(em, secrets, { ...slot, ...MANUAL_STORE });
      }
    }
  });
}

interface DemoApp<App> {
  readonly file: string;
  readonly schema: z.ZodType<App>;
  /** Returns the hash of the key that identifies the application in the database. */
  readonly hashOf: (app: App) => Buffer;
  readonly register: () => Promise<App>;
}

async function remembered<App extends { readonly id: number }>(
  database: Database,
  { file, schema, hashOf, register }: DemoApp<App>,
): Promise<App> {
  const known = readPrivateJson(file, schema);
  if (known !== undefined && (await isRegistered(database, { id: known.id, keyHash: hashOf(known) }))) {
    return known;
  }
  const app = await register();
  writePrivateJson(file, app);
  return app;
}

/** Returns whether the stored key still works. After a rotation the demo gets a new application instead of a key that answers 401. */
async function isRegistered(database: Database, { id, keyHash }: { id: number; keyHash: Buffer }): Promise<boolean> {
  const credential = await database.withSystem((em) =>
    em.findOne(Credential, { keyHash, applicationId: BigInt(id), status: 'ACTIVE' }),
  );
  const expiresAt = credential?.expiresAt ?? null;
  return credential !== null && (expiresAt === null || expiresAt > new Date());
}

interface Store {
  readonly database: Database;
  readonly secrets: SecretBox;
}

async function registerNativeApp(store: Store): Promise<NativeApp> {
  const registration = await registerApplication(store, { name: 'Lenden demo' });
  const { applicationId, test, live, signingSecret, testSigningSecret } = registration;
  return { id: Number(applicationId), test, live, signingSecret, testSigningSecret };
}

/** Registers a separate application, because webhook secrets belong to an application. */
async function registerOwnpayApp(store: Store): Promise<OwnpayApp> {
  const registration = await registerApplication(store, { name: 'Lenden demo (OwnPay)' });
  const { applicationId, signingSecret: liveWebhookSecret, testSigningSecret: webhookSecret } = registration;
  const { apiKey } = await issueCredential(store, { applicationId, mode: 'TEST', contract: 'ownpay', label: 'Demo' });
  return { id: Number(applicationId), apiKey, webhookSecret, liveWebhookSecret };
}

async function registerShadhinpayApp(store: Store): Promise<ShadhinpayApp> {
  const registration = await registerApplication(store, { name: 'Lenden demo (ShadhinPay)' });
  const { applicationId, signingSecret: liveWebhookSecret, testSigningSecret: webhookSecret } = registration;
  const key = (mode: Mode) => issueCredential(store, { applicationId, mode, contract: 'shadhinpay', label: 'Demo' });
  const test = await key('TEST');
  const live = await key('LIVE');
  if (test.business === null) {
    throw new Error('a ShadhinPay key was created without a business');
  }
  return {
    id: Number(applicationId),
    ...test.business,
    testKey: test.apiKey,
    liveKey: live.apiKey,
    webhookSecret,
    liveWebhookSecret,
  };
}
