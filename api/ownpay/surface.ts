import { DomainError } from '../../domain/errors.ts';
import { writeJson, type ExactJson } from '../../domain/exact-json.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { admitCredential, slowGuesses } from '../http/admit.ts';
import { requestedContract, requireOneContract } from '../http/contract.ts';
import type { RateLimiter, RateVerdict } from '../http/rate-limit.ts';
import { surface, type AnySurface, type Context } from '../http/surface.ts';
import { createOwnpayAuthenticator, requireScope, type OwnpayCaller } from './authenticate.ts';
import { renderOwnpayError } from './errors.ts';
import { ownpayRoutes } from './routes.ts';

export const OWNPAY_PREFIX = '/api/v1';
const BODY_BYTES_MAX = 64 * 1024;

/** Returns OwnPay's contract. It serves its own paths, and shared paths for requests with an OwnPay key. */
export function ownpaySurface(deps: ApiDependencies, limiter: RateLimiter): AnySurface {
  const authenticate = createOwnpayAuthenticator(deps.database);
  const admitted = async (context: Context): Promise<OwnpayCaller> => {
    const caller = await slowGuesses({ context, limiter, log: deps.log }, authenticate(context.get('authorization')));
    admitCredential(
      { context, limiter, resetOf: resetAt },
      { credentialId: caller.credentialId, perMinute: caller.application.rateLimitPerMinute },
    );
    return caller;
  };
  return surface<OwnpayCaller>({
    name: 'ownpay',
    prefix: OWNPAY_PREFIX,
    routes: ownpayRoutes(deps),
    bodyBytesMax: BODY_BYTES_MAX,
    challenge: 'Bearer',
    accepts: (context) => requestedContract(context, OWNPAY_PREFIX) === 'ownpay',
    guard: requireOneContract,
    admit: () => undefined,
    async authenticate(context, { method }) {
      const caller = await admitted(context);
      requireScope(caller, method);
      return caller;
    },
    // OwnPay documents the rate limit headers for every response.
    async unrouted(context) {
      if (context.get('authorization') !== '') {
        await admitted(context).catch(unlessUnknown);
      }
    },
    // Bodies are flat, and the route's schema has already parsed the data.
    render: ({ data }) => writeJson(data as ExactJson),
    renderError: renderOwnpayError,
  });
}

/** Unknown callers get the same 404. */
function unlessUnknown(error: unknown): void {
  if (!(error instanceof DomainError) || error.code !== 'UNAUTHORIZED') {
    throw error;
  }
}

/** Returns the Unix time in seconds at which all requests are available again. */
function resetAt({ resetSeconds }: RateVerdict): number {
  return Math.ceil(Date.now() / 1_000) + resetSeconds;
}
