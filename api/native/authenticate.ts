import { verify } from '@node-rs/bcrypt';
import { randomBytes } from 'node:crypto';
import { findCredential, type KnownCredential } from '../../database/callers.ts';
import type { Database } from '../../database/connection.ts';
import { DomainError } from '../../domain/errors.ts';
import { hmacSha256, sha256 } from '../../runtime/secrets.ts';
import { createUseNotes } from '../credential-use.ts';

/** Who calls: an application in one mode, both decided by its credential alone. */
export type NativeCaller = Pick<KnownCredential, 'scope' | 'credentialId' | 'application'>;

const KEY_FORMAT = /^oi_(test|live)_[0-9A-Za-z]{8,120}$/;
const SECRET_LENGTH_MAX = 72;
const VERDICTS_MAX = 10_000;
/** Hash of a random secret: checked when the key is unknown, so that knowing a key cannot be told from the time of the answer. */
const NOBODYS_HASH = '$2b$10$CwTycUXWue0Thq9StjUM0uJ8T9x1kJH3qYxE9vX7lRj5G5V8ZsJ8K';

export interface Authenticator {
  /** Throws UNAUTHORIZED, with the same words whatever is wrong. */
  authenticate(apiKey: string, apiSecret: string): Promise<NativeCaller>;
}

/**
 * The credential row is read on every request, so a revocation acts at once in every process. Only the bcrypt verdict is remembered,
 * under an HMAC of the secret with a key of this process, bound to the row's hash.
 */
export function createAuthenticator(database: Database): Authenticator {
  const verdicts = createVerdicts();
  const noteUse = createUseNotes(database);
  return {
    async authenticate(apiKey, apiSecret) {
      if (!KEY_FORMAT.test(apiKey) || apiSecret === '' || apiSecret.length > SECRET_LENGTH_MAX) {
        throw refused();
      }
      const found = await findCredential(database, sha256(apiKey));
      const matches = await verdicts.matches(apiSecret, found?.secretHash ?? NOBODYS_HASH);
      if (found === null || !matches || !found.usable || found.dialect !== 'native') {
        throw refused();
      }
      await noteUse(found);
      return found;
    },
  };
}

function createVerdicts() {
  const processKey = randomBytes(32);
  const known = new Set<string>();
  const underWay = new Map<string, Promise<boolean>>();
  // Requests that come at once with one secret share one check: after a restart a busy caller would otherwise pay for hundreds.
  const check = (verdict: string, work: () => Promise<boolean>): Promise<boolean> => {
    const checking = underWay.get(verdict) ?? work().finally(() => underWay.delete(verdict));
    underWay.set(verdict, checking);
    return checking;
  };
  return {
    async matches(secret: string, secretHash: string): Promise<boolean> {
      const verdict = hmacSha256(processKey, `${secretHash}\0${secret}`).toString('base64');
      if (known.has(verdict)) {
        return true;
      }
      const matches = await check(verdict, () => verify(secret, secretHash));
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

function refused(): DomainError {
  return new DomainError('UNAUTHORIZED', 'the API key or secret is not valid');
}
