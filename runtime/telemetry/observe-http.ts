import type { HttpClient } from '../http-client.ts';
import { HttpFailure } from '../http-client/failure.ts';
import type { Outcome, SpanEnd, Telemetry } from '../telemetry.ts';

/**
 * Returns the client with a span for each exchange: method, host and status. Path, query and body are left out, because they can contain a gateway's
 * credentials, and a webhook URL may itself be secret.
 */
export function observeHttpClient(client: HttpClient, telemetry: Telemetry, name: string): HttpClient {
  if (!telemetry.on) {
    return client;
  }
  return {
    close: () => client.close(),
    send: (request) => {
      const host = URL.canParse(request.url) ? new URL(request.url).hostname : 'invalid';
      const attributes = { 'http.request.method': request.method, 'server.address': host };
      return telemetry.span({ name, kind: 'client', attributes }, () => client.send(request), exchangeEnd);
    },
  };
}

function exchangeEnd(outcome: Outcome<{ readonly status: number }>): SpanEnd {
  if (outcome.ok) {
    const { status } = outcome.value;
    return { attributes: { 'http.response.status_code': status }, failed: status >= 400 };
  }
  const kind = outcome.error instanceof HttpFailure ? outcome.error.kind : 'unexpected';
  return { attributes: { 'error.type': kind }, failed: true };
}
