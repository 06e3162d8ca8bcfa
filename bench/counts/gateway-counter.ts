import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** The APIs of SSLCOMMERZ, Stripe, bKash and Nagad. All other paths are the payer's pages. */
const API_PATHS = /^\/(gwprocess|validator|v1|v1\.2\.0-beta)\/|\/api\/dfs\//;
/** A part of a path that names one order, session or merchant. */
const ID = /(?<=\/)([^/.]{18,}|\d{5,})(?=\/|$)/g;

/**
 * A proxy in front of the gateways' simulators that counts their API calls. It replaces the gateway's address with its own in every answer,
 * because Lenden redirects payers only to the host that it calls.
 */
export interface GatewayCounter {
  readonly url: string;
  /** Sets the target of the calls, which is known only once the stack runs. */
  forwardTo(url: string): void;
  /** Returns the calls since the last `take`, by method and path. */
  take(): Record<string, number>;
  close(): Promise<void>;
}

export async function startGatewayCounter(): Promise<GatewayCounter> {
  let target: URL | undefined;
  let calls: Record<string, number> = {};
  const server = createServer((incoming, outgoing) => {
    const path = (incoming.url ?? '/').split('?', 1)[0] ?? '/';
    if (API_PATHS.test(path)) {
      const call = `${incoming.method} ${path.replaceAll(ID, ':id')}`;
      calls[call] = (calls[call] ?? 0) + 1;
    }
    if (target === undefined) {
      outgoing.writeHead(503).end();
      return;
    }
    const { method, headers } = incoming;
    const [theirs, ours] = [target.host, headers.host ?? ''];
    const onward = request(new URL(incoming.url ?? '/', target), { method, headers }, (answer) => {
      void passOn(answer, { outgoing, replace: theirs, by: ours });
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    forwardTo: (url) => (target = new URL(url)),
    take() {
      const taken = calls;
      calls = {};
      return taken;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function passOn(
  answer: IncomingMessage,
  { outgoing, replace, by }: { outgoing: ServerResponse; replace: string; by: string },
): Promise<void> {
  const body = Buffer.from((await text(answer)).replaceAll(replace, by));
  const { 'transfer-encoding': _chunked, ...headers } = answer.headers;
  outgoing.writeHead(answer.statusCode ?? 502, { ...headers, 'content-length': body.length }).end(body);
}
