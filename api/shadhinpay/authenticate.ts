import { shadhinpayKeyHash } from '../../core/contracts/shadhinpay.ts';
import { findCredential, type KnownCredential } from '../../core/applications/store/callers.ts';
import type { Database } from '../../database/connection.ts';
import { DomainError } from '../../domain/errors.ts';
import { createUseNotes } from '../credential-use.ts';
import type { Context } from '../http/surface.ts';

/** The calling business, which is an application, in the mode of its key. */
export type ShadhinpayCaller = Pick<KnownCredential, 'scope' | 'credentialId' | 'application'> & {
  /** `HB_` and eight hexadecimal digits. */
  readonly businessId: string;
};

const KEY = /^sk_(?:live|test)_[0-9A-Za-z]{32}$/;

/**
 * Returns the function that authenticates `Client-Id`, `Business-Id` and `X-Api-Key`. It reads the row for each request, so a revocation takes effect
 * at once. A key has 190 random bits; only the SHA-256 of all three headers is stored.
 */
export function createShadhinpayAuthenticator(database: Database): (context: Context) => Promise<ShadhinpayCaller> {
  const noteUse = createUseNotes(database);
  return async (context) => {
    const [clientId, businessId, apiKey] = [
      context.get('client-id'),
      context.get('business-id'),
      context.get('x-api-key'),
    ];
    const keyHash = KEY.test(apiKey) ? shadhinpayKeyHash({ clientId, businessId, apiKey }) : null;
    const found = keyHash === null ? null : await findCredential(database, { keyHash, contract: 'shadhinpay' });
    if (found === null) {
      throw new DomainError('UNAUTHORIZED', 'Invalid or missing API credentials');
    }
    await noteUse(found);
    return { ...found, businessId };
  };
}
