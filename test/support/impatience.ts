import type { HttpClient } from '../../runtime/http-client.ts';

/** Long enough for any answer that comes at all, and much shorter than the timeout of a product's call. */
const IMPATIENT_MS = 1_000;

/**
 * Wraps a client for tests of a lost answer. Calls keep their own timeout, which a stalled machine needs, but give up after a second while
 * `expectSilence` runs.
 */
export function impatience(http: HttpClient) {
  let silences = 0;
  return {
    http: {
      send: (request) =>
        http.send({
          ...request,
          totalTimeoutMs: silences === 0 ? request.totalTimeoutMs : Math.min(request.totalTimeoutMs, IMPATIENT_MS),
        }),
      close: () => http.close(),
    } satisfies HttpClient,
    async expectSilence<T>(work: () => Promise<T>): Promise<T> {
      silences += 1;
      try {
        return await work();
      } finally {
        silences -= 1;
      }
    },
  };
}
