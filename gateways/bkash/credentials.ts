import { z } from 'zod';
import { readSecret } from '../json.ts';

/** The credentials that bKash issues to a merchant, apart from the username, which is the id of the store. */
const Secret = z.object({
  password: z.string().min(1),
  appKey: z.string().min(1),
  appSecret: z.string().min(1),
  /** PEM of the certificate or public key that signs bKash's notifications. Without it they only trigger a query. */
  noticeCertificate: z.string().optional(),
});

/** The account of one merchant. */
export interface BkashCredentials extends Readonly<z.infer<typeof Secret>> {
  readonly username: string;
}

/**
 * Parses the secret of a store: JSON with `password`, `appKey` and `appSecret`.
 * @throws GatewayFailure `unauthorized` for anything else
 */
export function readCredentials(username: string, secret: string): BkashCredentials {
  const expected = 'the secret of a bKash store must be JSON with password, appKey and appSecret';
  return { username, ...readSecret(Secret, secret, expected) };
}
