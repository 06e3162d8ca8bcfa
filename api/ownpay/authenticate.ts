import { findCredential, type KnownCredential } from '../../core/applications/store/callers.ts';
import type { Database } from '../../database/connection.ts';
import { DomainError } from '../../domain/errors.ts';
import { sha256 } from '../../runtime/secrets.ts';
import { createUseNotes } from '../credential-use.ts';
import { OwnpayError } from './errors.ts';

/** The calling application and its mode. The key alone decides both. */
export type OwnpayCaller = Pick<KnownCredential, 'scope' | 'credentialId' | 'application' | 'scopes'>;

const BEARER = /^Bearer +(op_[0-9a-f]{8}\.[0-9a-f]{48})$/i;
const REFUSED = 'Invalid or missing API key.';

/**
 * Returns the function that authenticates `Authorization: Bearer op_…`. It reads the row for each request, so a revocation takes effect at once. A
 * key has 192 random bits; only its SHA-256 is stored.
 */
export function createOwnpayAuthenticator(database: Database): (authorization: string) => Promise<OwnpayCaller> {
  const noteUse = createUseNotes(database);
  return async (authorization) => {
    if (authorization === '') {
      throw new OwnpayError('MISSING_TOKEN', REFUSED);
    }
    const key = BEARER.exec(authorization)?.[1];
    const found =
      key === undefined ? null : await findCredential(database, { keyHash: sha256(key), contract: 'ownpay' });
    if (found === null) {
      throw new DomainError('UNAUTHORIZED', REFUSED);
    }
    await noteUse(found);
    return found;
  };
}

/** Throws FORBIDDEN unless the key has the scope: `read` for GET, `write` for everything else. */
export function requireScope({ scopes }: OwnpayCaller, method: string): void {
  const needed = method === 'GET' ? 'read' : 'write';
  if (scopes?.includes(needed) !== true) {
    throw new DomainError('FORBIDDEN', `This API key lacks the "${needed}" scope.`);
  }
}
