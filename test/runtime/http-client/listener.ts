import { createServer as createHttpServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A request as a receiver got it. */
export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Listener {
  readonly port: number;
  readonly url: string;
  readonly received: Received[];
  /** Connections accepted so far, how many are open, and the most that were open at once. */
  readonly sockets: { total: number; open: number; mostOpen: number };
  close(): Promise<void>;
}

export type Answer = (response: ServerResponse, request: Received) => void;

/** Starts an HTTP receiver on loopback that keeps the requests. */
export async function listenHttp(answer: Answer): Promise<Listener> {
  const received: Received[] = [];
  const server = createHttpServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const seen = { path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks) };
      received.push(seen);
      answer(response, seen);
    });
    response.on('error', () => undefined);
  });
  return listening(server, received);
}

/** Starts a raw TCP peer that `onSocket` controls. */
export async function listenRaw(onSocket: (socket: Socket) => void): Promise<Listener> {
  return listening(createServer(onSocket), []);
}

async function listening(server: Server, received: Received[]): Promise<Listener> {
  const open = new Set<Socket>();
  const sockets = { total: 0, open: 0, mostOpen: 0 };
  server.on('connection', (socket) => {
    open.add(socket);
    sockets.total += 1;
    sockets.open = open.size;
    sockets.mostOpen = Math.max(sockets.mostOpen, open.size);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      open.delete(socket);
      sockets.open = open.size;
    });
  });
  // Listens on all addresses of the machine, because a canary must notice a connection to any of them.
  await new Promise<void>((resolve) => {
    server.listen(0, '::', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    received,
    sockets,
    async close() {
      for (const socket of open) {
        socket.destroy();
      }
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
