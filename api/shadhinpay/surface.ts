import type { ApiDependencies } from '../dependencies.ts';
import { admitCredential, slowGuesses } from '../http/admit.ts';
import { requestedContract, requireOneContract } from '../http/contract.ts';
import type { RateLimiter } from '../http/rate-limit.ts';
import { surface, type AnySurface } from '../http/surface.ts';
import { createShadhinpayAuthenticator, type ShadhinpayCaller } from './authenticate.ts';
import { renderShadhinpayError } from './errors.ts';
import { shadhinpayRoutes } from './routes.ts';

export const SHADHINPAY_PREFIX = '/api/v1';
const BODY_BYTES_MAX = 64 * 1024;

/** Returns ShadhinPay's contract. It serves every request with ShadhinPay's headers or keys. */
export function shadhinpaySurface(deps: ApiDependencies, limiter: RateLimiter): AnySurface {
  const authenticate = createShadhinpayAuthenticator(deps.database);
  return surface<ShadhinpayCaller>({
    name: 'shadhinpay',
    prefix: SHADHINPAY_PREFIX,
    routes: shadhinpayRoutes(deps),
    bodyBytesMax: BODY_BYTES_MAX,
    accepts: (context) => requestedContract(context, SHADHINPAY_PREFIX) === 'shadhinpay',
    guard: requireOneContract,
    admit: () => undefined,
    async authenticate(context) {
      const caller = await slowGuesses({ context, limiter, log: deps.log }, authenticate(context));
      admitCredential(
        { context, limiter, resetOf: ({ resetSeconds }) => resetSeconds },
        { credentialId: caller.credentialId, perMinute: caller.application.rateLimitPerMinute },
      );
      return caller;
    },
    // The route's schema, which includes the envelope, has already parsed the data.
    render: ({ data }) => JSON.stringify(data),
    renderError: renderShadhinpayError,
  });
}
