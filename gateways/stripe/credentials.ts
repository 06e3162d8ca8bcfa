import { z } from 'zod';
import type { Mode } from '../../domain/mode.ts';
import { GatewayFailure } from '../port.ts';

const Secret = z.object({
  /** `sk_…`, or a restricted key `rk_…` that may write checkout sessions and refunds. */
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
  const parsed = Secret.safeParse(parseJson(secret));
  if (!parsed.success) {
    throw new GatewayFailure(
      'unauthorized',
      'the secret of a Stripe store must be JSON with secretKey and webhookSecret',
    );
  }
  if (!new RegExp(`^[rs]k_${mode.toLowerCase()}_`).test(parsed.data.secretKey)) {
    throw new GatewayFailure('unauthorized', `the key of this Stripe store is not for ${mode}`);
  }
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
