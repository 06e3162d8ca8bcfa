import { openApiDocument } from '../http/openapi.ts';
import type { JsonObject } from '../http/openapi/schemas.ts';
import type { Route } from '../http/route.ts';
import { SHADHINPAY_PREFIX } from '../shadhinpay/surface.ts';
import { shadhinpayContract } from './shadhinpay-contract.ts';

/** Returns the document of one installation. */
export function servedShadhinpayDocument(
  routes: readonly Route<never>[],
  { apiUrl }: { readonly apiUrl: string },
): JsonObject {
  return openApiDocument(routes, shadhinpayContract([{ url: `${apiUrl}${SHADHINPAY_PREFIX}` }]));
}

/** Returns the document as it is committed and published, for any installation. */
export function publishedShadhinpayDocument(routes: readonly Route<never>[]): JsonObject {
  return openApiDocument(
    routes,
    shadhinpayContract([
      { url: `http://localhost:8080${SHADHINPAY_PREFIX}`, description: 'Local development' },
      {
        url: `https://{host}${SHADHINPAY_PREFIX}`,
        description: 'Your installation',
        variables: { host: { default: 'pay.example.com' } },
      },
    ]),
  );
}
