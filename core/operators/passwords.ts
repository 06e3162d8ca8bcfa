import { hash, hashRaw, verify } from '@node-rs/argon2';
import { randomBytes } from 'node:crypto';
import { createBoundedWork } from '../../runtime/bounded-work.ts';

/**
 * The first choice for argon2id (the package's default algorithm) in OWASP's Password Storage Cheat Sheet: 19 MiB, two passes, one lane. Each hash
 * contains its parameters, so old ones stay valid when these are raised.
 */
const ARGON2ID = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** A hash of an unknown password, checked if there is no such operator, so that the response time does not reveal who exists. */
const NOBODYS_HASH = hash(randomBytes(32), ARGON2ID);

export function hashPassword(password: string): Promise<string> {
  return hash(password.normalize('NFKC'), ARGON2ID);
}

/** Each check briefly takes a thread of the process's pool and 19 MiB. */
const checking = createBoundedWork({ atOnce: 2, waiting: 50 });

/**
 * Reports whether the password matches. Does the same work if there is no hash to compare with.
 * @throws TooMuchWaiting if too many passwords are waiting to be checked
 */
export async function passwordMatches(password: string, passwordHash: string | null): Promise<boolean> {
  const compared = passwordHash ?? (await NOBODYS_HASH);
  const matches = await checking.run(() => verify(compared, password.normalize('NFKC')));
  return matches && passwordHash !== null;
}

/** Hashes a recovery code. All codes of a set share a salt, so that one slow hash is enough to find a code among them. */
export function recoveryCodeHash(recoveryCode: string, salt: Uint8Array): Promise<Buffer> {
  return hashRaw(recoveryCode, { ...ARGON2ID, salt });
}
