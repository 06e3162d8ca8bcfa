import { verify } from '@node-rs/bcrypt';
import { randomBytes } from 'node:crypto';
import {
  findCredential,
  findCredentialAndRead,
  type KnownCredential,
  type PresentedKey,
} from '../../core/applications/store/callers.ts';
import type { Database } from '../../database/connection.ts';
import type { Statements } from '../../database/statements.ts';
import { DomainError } from '../../domain/errors.ts';
import { createBoundedWork, type BoundedWork } from '../../runtime/bounded-work.ts';
import { hmacSha256, sha256 } from '../../runtime/secrets.ts';
import { createUseNotes } from '../credential-use.ts';

/** The calling application and its mode. The credential alone decides both. */
export type NativeCaller = Pick<KnownCredential, 'scope' | 'credentialId' | 'application'>;

const KEY_FORMAT = /^oi_(test|live)_[0-9A-Za-z]{8,120}$/;
const SECRET_LENGTH_MAX = 72;
const VERDICTS_MAX = 10_000;
/** Each takes about 60 ms of a thread in the pool that file and DNS operations also use. */
const HASHES_AT_ONCE = 2;
/** About three seconds of work. Callers beyond that had better retry later. */
const HASHES_WAITING_MAX = 100;

export interface Authenticator {
  /**
   * @throws DomainError UNAUTHORIZED, with the same message for every cause; RATE_LIMITED from `guesses`
   * @throws TooMuchWaiting while too many secrets wait to be checked
   */
  authenticate(presented: Presented): Promise<NativeCaller>;
  /** Authenticates, and reads in the round trip that finds the credential. Throws what `authenticate` throws, and what the read throws. */
  authenticateAndRead<Read>(
    presented: Presented,
    read: (statements: Statements) => Promise<Read>,
  ): Promise<{ readonly caller: NativeCaller; readonly early: Read }>;
}

/** What a request presents to prove who sends it. */
export interface Presented {
  readonly apiKey: string;
  readonly apiSecret: string;
  readonly guesses: Guesses;
}

/** The limit on failed secret checks of one address. */
export interface Guesses {
  /** Counts a check that is about to be made. Throws RATE_LIMITED. */
  take(): void;
  /** Releases a counted check whose secret was right. */
  release(): void;
}

/**
 * Returns the authenticator of the native API. It reads the credential row for each request, so a revocation takes effect at once in every process.
 * Only the bcrypt verdict is cached, under an HMAC of the secret with a key of this process, bound to the row's hash. Secrets are hashed only for
 * usable keys, so the response time reveals whether such a key exists, which is not secret. A cached verdict is neither hashed nor counted again.
 */
export function createAuthenticator(database: Database): Authenticator {
  const verdicts = createVerdicts();
  const noteUse = createUseNotes(database);
  const admit = async (found: KnownCredential | null, { apiSecret, guesses }: Presented): Promise<KnownCredential> => {
    if (found === null || found.secretHash === null) {
      throw refused();
    }
    if (!(await verdicts.matches(apiSecret, found.secretHash, guesses))) {
      throw refused();
    }
    await noteUse(found);
    return found;
  };
  return {
    async authenticate(presented) {
      return admit(await findCredential(database, keyOf(presented)), presented);
    },
    async authenticateAndRead(presented, read) {
      const { found, read: early } = await findCredentialAndRead(database, keyOf(presented), read);
      return { caller: await admit(found, presented), early };
    },
  };
}

/** Throws UNAUTHORIZED for what cannot be a key and its secret. */
function keyOf({ apiKey, apiSecret }: Presented): PresentedKey {
  if (!KEY_FORMAT.test(apiKey) || apiSecret === '' || apiSecret.length > SECRET_LENGTH_MAX) {
    throw refused();
  }
  return { keyHash: sha256(apiKey), contract: 'native' };
}

function createVerdicts() {
  const processKey = randomBytes(32);
  const known = new Set<string>();
  const inProgress = new Map<string, Promise<boolean>>();
  const hashing = createBoundedWork({ atOnce: HASHES_AT_ONCE, waiting: HASHES_WAITING_MAX });
  // Concurrent requests with the same secret share one check. Otherwise a busy caller would cause hundreds after a restart.
  const check = (verdict: string, work: () => Promise<boolean>): Promise<boolean> => {
    const checking = inProgress.get(verdict) ?? work().finally(() => inProgress.delete(verdict));
    inProgress.set(verdict, checking);
    return checking;
  };
  return {
    async matches(secret: string, secretHash: string, guesses: Guesses): Promise<boolean> {
      const verdict = hmacSha256(processKey, `${secretHash}\0${secret}`).toString('base64');
      if (known.has(verdict)) {
        return true;
      }
      const matches = await check(verdict, () => hash(hashing, { secret, secretHash, guesses }));
      if (matches) {
        if (known.size >= VERDICTS_MAX) {
          known.clear();
        }
        known.add(verdict);
      }
      return matches;
    },
  };
}

/** Counts the check before it runs, so that concurrent guesses are limited like sequential ones. */
async function hash(
  hashing: BoundedWork,
  { secret, secretHash, guesses }: { readonly secret: string; readonly secretHash: string; readonly guesses: Guesses },
): Promise<boolean> {
  guesses.take();
  try {
    const matches = await hashing.run(() => verify(secret, secretHash));
    if (matches) {
      guesses.release();
    }
    return matches;
  } catch (error) {
    guesses.release();
    throw error;
  }
}

function refused(): DomainError {
  return new DomainError('UNAUTHORIZED', 'the API key or secret is not valid');
}
