import type { Server } from 'node:http';

const LOOK_MS = 100;

/**
 * Stops accepting connections and lets running requests finish. Idle keep-alive connections are closed, and every further response asks its client to
 * disconnect. Otherwise one busy client would keep the process alive until it is killed in the middle of a request.
 */
export function closeServer(server: Server): Promise<void> {
  server.prependListener('request', (_request, response) => response.setHeader('Connection', 'close'));
  const look = setInterval(() => server.closeIdleConnections(), LOOK_MS);
  return new Promise((resolve) => {
    server.close(() => {
      clearInterval(look);
      resolve();
    });
    server.closeIdleConnections();
  });
}
