import { hash, verify } from '@node-rs/argon2';
import { randomBytes } from 'node:crypto';

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

/** The same work whether or not there is a hash to compare with. */
export async function passwordMatches(password: string, passwordHash: string | null): Promise<boolean> {
  const matches = await verify(passwordHash ?? (await NOBODYS_HASH), password.normalize('NFKC'));
  return matches && passwordHash !== null;
}
