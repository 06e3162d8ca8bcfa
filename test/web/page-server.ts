import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { assetAt } from '../../web/assets.ts';
import { assetHeaders, pageHeaders } from '../../web/headers.ts';

/** The response to a page request. A string is a page with status 200. */
export type Answer = string | { status: number; headers: Record<string, string>; body?: string };

/** A temporary server with the product's assets and headers. The test provides the pages. */
export type PageServer = {
  origin: string;
  port: number;
  requests: { method: string; path: string; headers: IncomingMessage['headers']; body: string }[];
  close: () => Promise<void>;
};

/**
 * Serves on a free loopback port. `page` is called for every path that is not an asset; null is a 404 without a body.
 */
export async function startPageServer({
  page,
  formActionOrigins = [],
}: {
  page: (path: string, method: string) => Answer | null;
  formActionOrigins?: string[];
}): Promise<PageServer> {
  const requests: PageServer['requests'] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url ?? '/';
    const method = request.method ?? 'GET';
    const asset = assetAt(path);
    if (asset !== null) {
      response.writeHead(200, assetHeaders({ asset, secure: false })).end(asset.body);
      return;
    }
    const body = await text(request);
    if (path !== '/favicon.ico') {
      requests.push({ method, path, headers: request.headers, body });
    }
    const answered = page(path, method);
    if (answered === null) {
      response.writeHead(404, pageHeaders({ formActionOrigins: [], secure: false })).end();
    } else if (typeof answered === 'string') {
      response.writeHead(200, pageHeaders({ formActionOrigins, secure: false })).end(answered);
    } else {
      response.writeHead(answered.status, answered.headers).end(answered.body);
    }
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') {
    throw new Error('The server has no port.');
  }
  return {
    origin: `http://127.0.0.1:${address.port}`,
    port: address.port,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
