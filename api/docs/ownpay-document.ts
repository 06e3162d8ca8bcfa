import { openApiDocument } from '../http/openapi.ts';
import type { JsonObject } from '../http/openapi/schemas.ts';
import type { Route } from '../http/route.ts';
import { OWNPAY_PREFIX } from '../ownpay/surface.ts';
import { ownpayContract } from './ownpay-contract.ts';

/** Returns the document of one installation. */
export function servedOwnpayDocument(
  routes: readonly Route<never>[],
  { apiUrl }: { readonly apiUrl: string },
): JsonObject {
  return openApiDocument(routes, ownpayContract([{ url: `${apiUrl}${OWNPAY_PREFIX}` }]));
}

/** Returns the document as it is committed and published, for any installation. */
export function publishedOwnpayDocument(routes: readonly Route<never>[]): JsonObject {
  return openApiDocument(
    routes,
    ownpayContract([
      { url: `http://localhost:8080${OWNPAY_PREFIX}`, description: 'Local development' },
      {
        url: `https://{host}${OWNPAY_PREFIX}`,
        description: 'Your installation',
        variables: { host: { default: 'pay.example.com' } },
      },
    ]),
  );
}
