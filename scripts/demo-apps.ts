import { join } from 'node:path';
import { registerApplication } from '../database/applications.ts';
import { openDatabase, type Database } from '../database/connection.ts';
import { Credential } from '../database/entities/application.ts';
import { createSecretBox, sha256 } from '../runtime/secrets.ts';
import { nativeApp, type DevFile, type NativeApp } from './dev-file.ts';
import { readPrivateJson, writePrivateJson } from './private-files.ts';

/** Which database to seed, under which master key, and where its secrets are remembered. */
export interface DemoSeed {
  readonly directory: string;
  readonly databaseUrl: string;
  readonly masterKey: string;
}

/**
 * Makes the demo's applications the first time and remembers their secrets, of which the database keeps only hashes.
 * A database that does not know the remembered application, because it is another one or was emptied, gets a new one.
 */
export async function seedDemoApps({ directory, databaseUrl, masterKey }: DemoSeed): Promise<DevFile['apps']> {
  const file = join(directory, 'demo-apps.json');
  const database = await openDatabase({ url: databaseUrl, poolSize: 2 });
  try {
    const remembered = readPrivateJson(file, nativeApp);
    if (remembered !== undefined && (await isRegistered(database, remembered))) {
      return { native: remembered };
    }
    const native = await registerNativeApp(database, masterKey);
    writePrivateJson(file, native);
    return { native };
  } finally {
    await database.close();
  }
}

/** Its key must still work: whoever rotated it away gets a new demo application instead of one that answers 401. */
async function isRegistered(database: Database, app: NativeApp): Promise<boolean> {
  const credential = await database.withSystem((em) =>
    em.findOne(Credential, { keyHash: sha256(app.test.apiKey), applicationId: BigInt(app.id), status: 'ACTIVE' }),
  );
  const expiresAt = credential?.expiresAt ?? null;
  return credential !== null && (expiresAt === null || expiresAt > new Date());
}

async function registerNativeApp(database: Database, masterKey: string): Promise<NativeApp> {
  const secrets = createSecretBox(masterKey);
  const registration = await registerApplication({ database, secrets }, { name: 'Lenden demo' });
  const { applicationId, test, live, signingSecret } = registration;
  return { id: Number(applicationId), test, live, signingSecret };
}
