import { z } from 'zod';
import type { Mode } from '../../domain/mode.ts';
import { readSecret } from '../json.ts';
import { GatewayFailure } from '../port.ts';

const Secret = z.object({
  /** `sk_…`, or a restricted key `rk_…` that may write checkout sessions and refunds and read the balance and payouts. */
  secretKey: z.string().min(1),
  /** `whsec_…` of the endpoint that receives events. */
  webhookSecret: z.string().min(1),
});
export type StripeCredentials = Readonly<z.infer<typeof Secret>>;

/**
 * Parses the secret of a store: JSON with `secretKey` and `webhookSecret`. A key of the other mode is rejected: with a test key in LIVE, Stripe's
 * published test cards would pay.
 * @throws GatewayFailure `unauthorized` for anything else
 */
export function readCredentials(mode: Mode, secret: string): StripeCredentials {
  const expected = 'the secret of a Stripe store must be JSON with secretKey and webhookSecret';
  const credentials = readSecret(Secret, secret, expected);
  if (!new RegExp(`^[rs]k_${mode.toLowerCase()}_`).test(credentials.secretKey)) {
    throw new GatewayFailure('unauthorized', `the key of this Stripe store is not for ${mode}`);
  }
  return credentials;
}
