import { hash, hashRaw, verify } from '@node-rs/argon2';
import { randomBytes } from 'node:crypto';
import { createBoundedWork } from '../../runtime/bounded-work.ts';

/**
 * OWASP's Password Storage Cheat Sheet, first choice for argon2id (the package's default algorithm): 19 MiB, two passes, one lane.
 * Each hash carries its own parameters, so raising them leaves old ones valid.
 */
const ARGON2ID = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** A hash of what nobody knows: checked where there is no operator, so that the time of an answer does not tell who exists. */
const NOBODYS_HASH = hash(randomBytes(32), ARGON2ID);

export function hashPassword(password: string): Promise<string> {
  return hash(password.normalize('NFKC'), ARGON2ID);
}

/** Each check takes a thread of the process's own pool and 19 MiB for a moment. */
const checking = createBoundedWork({ atOnce: 2, waiting: 50 });

/**
 * The same work whether or not there is a hash to compare with.
 * @throws TooMuchWaiting while too many passwords wait to be checked
 */
export async function passwordMatches(password: string, passwordHash: string | null): Promise<boolean> {
  const compared = passwordHash ?? (await NOBODYS_HASH);
  const matches = await checking.run(() => verify(compared, password.normalize('NFKC')));
  return matches && passwordHash !== null;
}

/** One salt for all codes of a set, so that one slow hash finds the code among them. */
export function recoveryCodeHash(recoveryCode: string, salt: Uint8Array): Promise<Buffer> {
  return hashRaw(recoveryCode, { ...ARGON2ID, salt });
}
