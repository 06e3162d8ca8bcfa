import { findCredential, type KnownCredential } from '../../database/callers.ts';
import type { Database } from '../../database/connection.ts';
import { DomainError } from '../../domain/errors.ts';
import { sha256 } from '../../runtime/secrets.ts';
import { createUseNotes } from '../credential-use.ts';
import { OwnpayError } from './errors.ts';

/** Who calls: an application in one mode, both decided by its key alone. */
export type OwnpayCaller = Pick<KnownCredential, 'scope' | 'credentialId' | 'application' | 'scopes'>;

const BEARER = /^Bearer +(op_[0-9a-f]{8}\.[0-9a-f]{48})$/i;
const REFUSED = 'Invalid or missing API key.';

/**
 * Reads `Authorization: Bearer op_…`. The row is read on every request, so a revocation acts at once; a key carries 192 random bits, of
 * which only the SHA-256 is stored.
 */
export function createOwnpayAuthenticator(database: Database): (authorization: string) => Promise<OwnpayCaller> {
  const noteUse = createUseNotes(database);
  return async (authorization) => {
    if (authorization === '') {
      throw new OwnpayError('MISSING_TOKEN', REFUSED);
    }
    const key = BEARER.exec(authorization)?.[1];
    const found = key === undefined ? null : await findCredential(database, sha256(key));
    if (found === null || !found.usable || found.contract !== 'ownpay') {
      throw new DomainError('UNAUTHORIZED', REFUSED);
    }
    await noteUse(found);
    return found;
  };
}

/** Throws FORBIDDEN: `read` asks, `write` does all else. */
export function requireScope({ scopes }: OwnpayCaller, method: string): void {
  const needed = method === 'GET' ? 'read' : 'write';
  if (scopes?.includes(needed) !== true) {
    throw new DomainError('FORBIDDEN', `This API key lacks the "${needed}" scope.`);
  }
}
