import { request } from 'node:http';
import type { CredentialPair } from '../../core/applications/store/applications.ts';

export interface Call {
  readonly origin: string;
  readonly method?: string;
  /** With the query, exactly as it is sent. */
  readonly path: string;
  readonly credentials?: CredentialPair | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text or bytes are sent unchanged; anything else as JSON with its content type. */
  readonly body?: unknown;
  /** Sent in chunks, without a Content-Length. */
  readonly chunked?: boolean;
  readonly signal?: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly bytes: Buffer;
}

/** Sends one request without normalizing anything, as a faulty or hostile client might. */
export function httpCall(call: Call): Promise<HttpAnswer> {
  const { body, contentType } = encode(call.body);
  const headers: Record<string, string> = {
    ...(contentType === undefined ? {} : { 'content-type': contentType }),
    ...(body === undefined || call.chunked === true ? {} : { 'content-length': String(body.length) }),
    ...(call.credentials === undefined
      ? {}
      : { 'x-api-key': call.credentials.apiKey, 'x-api-secret': call.credentials.apiSecret }),
    ...call.headers,
  };
  return new Promise((resolve, reject) => {
    // Passed in parts, because a URL would remove dot segments and escape characters that a hostile client sends raw.
    const { hostname, port } = new URL(call.origin);
    // Node's parser itself rejects non-ASCII paths, so such characters are encoded.
    const path = call.path.replace(/[^\x21-\x7e]+/g, encodeURIComponent);
    const where = { hostname, port, path, method: call.method ?? 'GET' };
    const outgoing = request(
      { ...where, headers, ...(call.signal === undefined ? {} : { signal: call.signal }) },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const bytes = Buffer.concat(chunks);
          resolve({
            status: incoming.statusCode ?? 0,
            headers: Object.fromEntries(
              Object.entries(incoming.headers).map(([name, value]) => [name, [value ?? []].flat().join(', ')]),
            ),
            text: bytes.toString('utf8'),
            bytes,
          });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function encode(body: unknown): { body?: Buffer; contentType?: string } {
  if (body === undefined) {
    return {};
  }
  if (typeof body === 'string' || Buffer.isBuffer(body)) {
    return { body: Buffer.from(body) };
  }
  return { body: Buffer.from(JSON.stringify(body)), contentType: 'application/json' };
}
