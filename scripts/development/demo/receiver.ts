import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

export interface ReceivedEvent {
  readonly id: string;
  readonly type: string;
  readonly body: unknown;
  readonly signatureValid: boolean;
}

export interface Receiver {
  readonly url: string;
  /** Returns the first event of a type. Rejects if none arrives in time. */
  next(type: string, timeoutMs: number): Promise<ReceivedEvent>;
  close(): Promise<void>;
}

const TOLERANCE_SECONDS = 300;

/** Starts a webhook endpoint as an application would have: it reads the raw body, checks the signature in constant time and answers at once. */
export async function startReceiver(
  signingSecret: () => string,
  heard: (event: ReceivedEvent) => void = () => undefined,
): Promise<Receiver> {
  const events: ReceivedEvent[] = [];
  const arrivals = new EventTarget();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const raw = Buffer.concat(chunks).toString('utf8');
      const event = readEvent({ raw, headers: request.headers, secret: signingSecret() });
      response.writeHead(event.signatureValid ? 204 : 400).end();
      events.push(event);
      heard(event);
      arrivals.dispatchEvent(new Event('arrived'));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${portOf(server.address())}/webhooks`,
    async next(type, timeoutMs) {
      const signal = AbortSignal.timeout(timeoutMs);
      for (;;) {
        const found = events.find((event) => event.type === type);
        if (found !== undefined) {
          return found;
        }
        await arrival(arrivals, signal).catch(() => {
          throw new Error(`no ${type} webhook arrived within ${timeoutMs / 1_000} s`);
        });
      }
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function arrival(arrivals: EventTarget, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    arrivals.addEventListener('arrived', () => resolve(), { once: true });
    signal.addEventListener('abort', () => reject(new Error('too late')), { once: true });
  });
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address !== null ? address.port : 0;
}

interface Delivery {
  readonly raw: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly secret: string;
}

/** Checks a signature of Standard Webhooks: base64 of HMAC-SHA256 over `id.timestamp.body`, keyed with the bytes after `whsec_`. */
function readEvent({ raw, headers, secret }: Delivery): ReceivedEvent {
  const [id, timestamp, signatures] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) =>
    String(headers[name]),
  );
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.${raw}`).digest();
  const fresh = Math.abs(Date.now() / 1_000 - Number(timestamp)) <= TOLERANCE_SECONDS;
  const signed = String(signatures)
    .split(' ')
    .some((entry) => entry.startsWith('v1,') && sameBytes(Buffer.from(entry.slice(3), 'base64'), expected));
  const body: unknown = JSON.parse(raw);
  const type = typeof body === 'object' && body !== null && 'type' in body ? String(body.type) : '';
  return { id: String(id), type, body, signatureValid: fresh && signed };
}

function sameBytes(left: Buffer, right: Buffer): boolean {
  return left.length === right.length && timingSafeEqual(left, right);
}
