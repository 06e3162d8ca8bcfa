import { openApiDocument } from '../http/openapi.ts';
import type { JsonObject } from '../http/openapi/schemas.ts';
import type { Route } from '../http/route.ts';
import { NATIVE_PREFIX } from '../native/surface.ts';
import { nativeContract } from './native-contract.ts';

/** The document of one installation: its own address is the only server. */
export function servedNativeDocument(routes: readonly Route<never>[], apiUrl: string): JsonObject {
  return openApiDocument(routes, nativeContract([{ url: `${apiUrl}${NATIVE_PREFIX}` }]));
}

/** The document as it is committed and published, for whatever installation. */
export function publishedNativeDocument(routes: readonly Route<never>[]): JsonObject {
  return openApiDocument(
    routes,
    nativeContract([
      { url: `http://localhost:8080${NATIVE_PREFIX}`, description: 'Local development' },
      {
        url: `https://{host}${NATIVE_PREFIX}`,
        description: 'Your installation',
        variables: { host: { default: 'pay.example.com' } },
      },
    ]),
  );
}
