import { gzipSync } from 'node:zlib';
import type { AdminDependencies } from '../admin/dependencies.ts';
import { adminRoutes } from '../admin/routes.ts';
import { openSessionOf } from '../../core/operators/own-session.ts';
import { presentedToken } from '../auth/tokens.ts';
import { DomainError } from '../../domain/errors.ts';
import { DEFAULT_GATEWAY } from '../../gateways/registry.ts';
import { allowHeader } from '../http/methods.ts';
import { admitAddress, type RateLimiter } from '../http/rate-limit.ts';
import type { JsonObject } from '../http/openapi/schemas.ts';
import type { Context } from '../http/surface.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { nativeRoutes } from '../native/routes.ts';
import { ownpayRoutes } from '../ownpay/routes.ts';
import { shadhinpayRoutes } from '../shadhinpay/routes.ts';
import { servedNativeDocument } from './native-document.ts';
import { servedOwnpayDocument } from './ownpay-document.ts';
import { servedShadhinpayDocument } from './shadhinpay-document.ts';
import { createReferenceFiles, OPERATORS_REFERENCE, referencePolicy, SIGN_IN, type ReferenceFile } from './page.ts';

const WRONG_SESSIONS_PER_MINUTE = 60;

/**
 * Returns the handler of the API reference. `GET /openapi.json`, `/openapi/ownpay.json` and `/openapi/shadhinpay.json` return the contracts,
 * generated from the routes that serve them. `GET /docs` shows them to people. `GET /docs/operators` shows the operators' part to signed-in
 * operators.
 */
export function createReference(
  deps: ApiDependencies & AdminDependencies,
  limiter: RateLimiter,
): (context: Context) => Promise<boolean> {
  const documents = new Map([
    ['/openapi.json', once(() => jsonFile(nativeDocument(deps)))],
    ['/openapi/ownpay.json', once(() => jsonFile(servedOwnpayDocument(ownpayRoutes(deps), deps)))],
    ['/openapi/shadhinpay.json', once(() => jsonFile(servedShadhinpayDocument(shadhinpayRoutes(deps), deps)))],
  ]);
  const fileAt = createReferenceFiles();
  const policy = referencePolicy(deps.apiUrl);
  return async (context) => {
    const file = documents.get(context.path)?.() ?? fileAt(context.path);
    if (file === null) {
      return false;
    }
    context.state.route = context.path;
    if (context.method !== 'GET') {
      context.set('Allow', allowHeader(['GET']));
      throw new DomainError('METHOD_NOT_ALLOWED', 'use GET');
    }
    context.set({
      'Content-Security-Policy': policy,
      'Cross-Origin-Resource-Policy': 'same-origin',
      'Referrer-Policy': 'no-referrer',
      'X-Frame-Options': 'DENY',
      'Cache-Control': 'no-cache',
    });
    if (context.path === OPERATORS_REFERENCE && !(await isSignedIn(deps, context, limiter))) {
      context.set('Location', SIGN_IN);
      context.status = 303;
      return true;
    }
    send(context, file);
    return true;
  };
}

function nativeDocument(deps: ApiDependencies & AdminDependencies): JsonObject {
  const limits = deps.gateways.capabilities(DEFAULT_GATEWAY)?.limits ?? new Map<string, never>();
  return servedNativeDocument([...nativeRoutes(deps), ...adminRoutes(deps)], {
    apiUrl: deps.apiUrl,
    gateways: deps.gateways.names,
    limits,
  });
}

/** Generating a document takes a tenth of a second, and most processes are never asked for it. */
function once(make: () => ReferenceFile): () => ReferenceFile {
  let made: ReferenceFile | undefined;
  return () => (made ??= make());
}

async function isSignedIn(deps: AdminDependencies, context: Context, limiter: RateLimiter): Promise<boolean> {
  const { authorization, cookie } = context.headers;
  const presented = presentedToken({ authorization, cookie });
  if (presented === null) {
    return false;
  }
  try {
    await openSessionOf(deps, presented);
    return true;
  } catch (error) {
    if (!(error instanceof DomainError)) {
      throw error;
    }
    admitAddress(context, limiter, { bucket: 'no session', perMinute: WRONG_SESSIONS_PER_MINUTE });
    return false;
  }
}

function jsonFile(document: JsonObject): ReferenceFile {
  const body = Buffer.from(JSON.stringify(document));
  return { contentType: 'application/json; charset=utf-8', body, gzipped: gzipSync(body) };
}

function send(context: Context, { contentType, body, gzipped }: ReferenceFile): void {
  context.vary('Accept-Encoding');
  context.type = contentType;
  if (context.acceptsEncodings('gzip', 'identity') === 'gzip') {
    context.set('Content-Encoding', 'gzip');
    context.body = gzipped;
  } else {
    context.body = body;
  }
}
