import type Koa from 'koa';
import type { Client } from '@temporalio/client';
import type { AdminDependencies } from './admin/dependencies.ts';
import { adminSurface } from './admin/surface.ts';
import { createCallbackReceiver } from './gateway-callbacks/receive.ts';
import { createHealth } from './health.ts';
import { createDispatcher } from './http/dispatch.ts';
import { createRateLimiter } from './http/rate-limit.ts';
import { createListener, type RequestObserver } from './http/server.ts';
import type { RequestState } from './http/surface.ts';
import type { ApiDependencies } from './dependencies.ts';
import { nativeSurface } from './native/surface.ts';
import { ownpaySurface } from './ownpay/surface.ts';
import { renderPageError } from './pages/page-error.ts';
import { createDashboard } from './pages/dashboard.ts';
import { createPages } from './pages/pages.ts';
import { createReference } from './docs/reference.ts';
import { shadhinpaySurface } from './shadhinpay/surface.ts';

export interface ListenerDependencies extends ApiDependencies, AdminDependencies {
  readonly trustedProxies: number;
  readonly temporal: Client;
  readonly observe?: RequestObserver | undefined;
}

/** Returns the listener on port 8080: REST, gateway callbacks, health, OpenAPI and its reference page. */
export function createApiListener(deps: ListenerDependencies): Koa<RequestState> {
  const limiter = createRateLimiter();
  const surfaces = [adminSurface, ownpaySurface, shadhinpaySurface, nativeSurface].map((of) => of(deps, limiter));
  return createListener({
    log: deps.log,
    trustedProxies: deps.trustedProxies,
    observe: deps.observe,
    https: deps.apiUrl.startsWith('https:'),
    handlers: [
      createHealth(deps),
      createReference(deps, limiter),
      createCallbackReceiver(deps, limiter),
      createDispatcher(surfaces, deps.log),
    ],
  });
}

/** Returns the listener on port 3000: the payers' pages, the dashboard, and the operators' API, which shares its origin. */
export function createWebListener(deps: ListenerDependencies): Koa<RequestState> {
  const limiter = createRateLimiter();
  return createListener({
    log: deps.log,
    trustedProxies: deps.trustedProxies,
    observe: deps.observe,
    https: deps.webUrl.startsWith('https:'),
    handlers: [
      createDispatcher([adminSurface(deps, limiter)], deps.log),
      createDashboard(deps),
      createPages(deps, limiter),
    ],
    renderError: renderPageError(deps),
  });
}
