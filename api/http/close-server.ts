import type { Server } from 'node:http';

const LOOK_MS = 100;

/**
 * Takes no new connection and lets running requests end. A connection that is kept alive is closed as soon as it waits, and each answer from
 * now on asks its client to leave: otherwise one busy client would hold the process until it is killed in the middle of a request.
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
