import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { readPrivateJson, writePrivateJson } from '../shared/private-files.ts';

/** On a developer's machine, webhook receivers listen on the loopback interface. */
export const DEVELOPMENT_ALLOW = 'localhost:*,127.0.0.1:*,[::1]:*';

const stackSecrets = z.object({ masterKey: z.string() });

/** Returns the data directory's master key and makes it the first time. It must not change, because secrets are encrypted with it. */
export function readOrMakeMasterKey(directory: string): string {
  const file = join(directory, 'secrets.json');
  const known = readPrivateJson(file, stackSecrets);
  if (known !== undefined) {
    return known.masterKey;
  }
  const masterKey = `dev1:${randomBytes(32).toString('base64')}`;
  writePrivateJson(file, { masterKey });
  return masterKey;
}

/**
 * Returns the master key of the environment, else that of the stack in this directory.
 * @throws when only `DATABASE_URL` is given: a new key could not decrypt anything in that database, and would be lost with everything it encrypts
 */
export function masterKeyOf(environment: NodeJS.ProcessEnv, directory: string): string {
  const given = environment['LENDEN_MASTER_KEY'];
  if (given) {
    return given;
  }
  if (environment['DATABASE_URL']) {
    throw new Error(
      'Set LENDEN_MASTER_KEY together with DATABASE_URL: the secrets in that database are encrypted with it.',
    );
  }
  return readOrMakeMasterKey(directory);
}
