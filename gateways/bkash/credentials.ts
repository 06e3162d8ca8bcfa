import { z } from 'zod';
import { GatewayFailure } from '../port.ts';

/** What bKash gives a merchant besides the username, which is the id of the store. */
const Secret = z.object({
  password: z.string().min(1),
  appKey: z.string().min(1),
  appSecret: z.string().min(1),
  /** PEM of the certificate, or the public key, that signs its notices. Without it they are only a reason to ask. */
  noticeCertificate: z.string().optional(),
});

/** The account of one merchant. */
export interface BkashCredentials extends Readonly<z.infer<typeof Secret>> {
  readonly username: string;
}

/**
 * Reads the secret of a store: JSON with `password`, `appKey` and `appSecret`.
 * @throws GatewayFailure `unauthorized` for anything else, which no gateway would take either
 */
export function readCredentials(username: string, secret: string): BkashCredentials {
  const parsed = Secret.safeParse(parseJson(secret));
  if (!parsed.success) {
    throw new GatewayFailure('unauthorized', 'the secret of a bKash store is JSON with password, appKey and appSecret');
  }
  return { username, ...parsed.data };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
