import { admitCredential, hashesOf, slowGuesses } from '../http/admit.ts';
import { requireOneContract } from '../http/contract.ts';
import { admitAddress, type RateLimiter } from '../http/rate-limit.ts';
import { surface, type AnySurface, type Context } from '../http/surface.ts';
import { createAuthenticator, type NativeCaller, type Presented } from './authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { renderNative, renderNativeError } from './envelope.ts';
import { nativeRoutes } from './routes.ts';

export const NATIVE_PREFIX = '/api/v1';
const BODY_BYTES_MAX = 64 * 1024;
const PUBLIC_PATHS = [`${NATIVE_PREFIX}/checkout/`, `${NATIVE_PREFIX}/pay/`];
/** Requests per minute and address for public resources. */
const ADDRESS_PER_MINUTE = 300;

/** Returns the native API. It serves every path below the prefix that no other contract claims first. */
export function nativeSurface(deps: ApiDependencies, limiter: RateLimiter): AnySurface {
  const { authenticate, authenticateAndRead } = createAuthenticator(deps.database);
  const presented = (context: Context): Presented => ({
    apiKey: context.get('x-api-key'),
    apiSecret: context.get('x-api-secret'),
    guesses: hashesOf({ context, limiter, log: deps.log }),
  });
  const admit = (context: Context, caller: NativeCaller): NativeCaller => {
    admitCredential(
      { context, limiter, resetOf: ({ resetSeconds }) => resetSeconds },
      { credentialId: caller.credentialId, perMinute: caller.application.rateLimitPerMinute },
    );
    return caller;
  };
  return surface<NativeCaller>({
    name: 'native',
    prefix: NATIVE_PREFIX,
    routes: nativeRoutes(deps),
    bodyBytesMax: BODY_BYTES_MAX,
    accepts: () => true,
    guard: requireOneContract,
    admit(context) {
      if (PUBLIC_PATHS.some((path) => context.path.startsWith(path))) {
        admitAddress(context, limiter, { bucket: 'public', perMinute: ADDRESS_PER_MINUTE });
      }
    },
    async authenticate(context) {
      return admit(context, await slowGuesses({ context, limiter, log: deps.log }, authenticate(presented(context))));
    },
    async authenticateAndRead(context, read) {
      const { caller, early } = await slowGuesses(
        { context, limiter, log: deps.log },
        authenticateAndRead(presented(context), read),
      );
      return { caller: admit(context, caller), early };
    },
    render: renderNative,
    renderError: renderNativeError,
  });
}
