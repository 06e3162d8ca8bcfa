import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Socket } from 'node:net';

export interface Receiver {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts a receiver that accepts every webhook at once and reports its id. */
export async function startHealthyReceiver(received: (eventId: string) => void): Promise<Receiver> {
  const server = createHttpServer((request, response) => {
    request.resume();
    request.on('end', () => {
      response.writeHead(204).end();
      received(String(request.headers['webhook-id']));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export interface DeadReceiver extends Receiver {
  /** Returns the highest number of sockets that were open to it at one time. */
  readonly socketsMax: () => number;
}

/** Starts a receiver that accepts connections and reads requests but never answers. */
export async function startDeadReceiver(): Promise<DeadReceiver> {
  const open = new Set<Socket>();
  let socketsMax = 0;
  const server = createServer((socket) => {
    open.add(socket);
    socketsMax = Math.max(socketsMax, open.size);
    socket.resume();
    socket.on('error', () => undefined);
    socket.on('close', () => open.delete(socket));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    socketsMax: () => socketsMax,
    async close() {
      open.forEach((socket) => socket.destroy());
      server.close();
      await once(server, 'close');
    },
  };
}
