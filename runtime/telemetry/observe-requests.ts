import type { Telemetry } from '../telemetry.ts';

/** What identifies a request. Its path and query contain references and are left out. */
interface ObservedRequest {
  readonly method: string;
  readonly status: number;
  readonly state: { readonly route?: string; readonly requestId: string };
}

/** Starts a trace for each request. A `traceparent` from outside is ignored, because callers could otherwise decide what is sampled. */
export function observeRequests(
  telemetry: Telemetry,
): ((request: ObservedRequest, handle: () => Promise<void>) => Promise<void>) | undefined {
  if (!telemetry.on) {
    return undefined;
  }
  return async (request, handle) => {
    const method = request.method.slice(0, 10);
    const startedMs = performance.now();
    await telemetry.span(
      { name: method, kind: 'server', attributes: { 'http.request.method': method } },
      handle,
      () => {
        const route = request.state.route ?? 'unmatched';
        const attributes = { 'http.route': route, 'http.response.status_code': request.status };
        return {
          name: route,
          attributes: { ...attributes, 'lenden.request_id': request.state.requestId },
          failed: request.status >= 500,
        };
      },
    );
    telemetry.time('http.server.request.duration', performance.now() - startedMs, {
      'http.route': request.state.route ?? 'unmatched',
      'http.request.method': method,
      'http.response.status_code': request.status,
    });
  };
}
