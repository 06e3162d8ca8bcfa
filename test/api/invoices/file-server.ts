import { createServer, type ServerResponse } from 'node:http';
import type { Server } from 'node:net';

/** A web server on loopback that serves logos like a stranger's server. */
export interface FileServer {
  readonly origin: string;
  /** The entry for the outbound allow-list. */
  readonly host: string;
  readonly asked: string[];
  serve(path: string, answer: (response: ServerResponse) => void): string;
  file(path: string, type: string, bytes: Buffer): string;
  close(): Promise<void>;
}

export async function openFileServer(): Promise<FileServer> {
  const answers = new Map<string, (response: ServerResponse) => void>();
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    const answer = answers.get(path);
    if (answer === undefined) {
      response.writeHead(404).end();
    } else {
      answer(response);
    }
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const host = hostOf(server);
  const files: FileServer = {
    origin: `http://${host}`,
    host,
    asked,
    serve(path, answer) {
      answers.set(path, answer);
      return `http://${host}${path}`;
    },
    file: (path, type, bytes) =>
      files.serve(path, (response) => void response.writeHead(200, { 'content-type': type }).end(bytes)),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return files;
}

/** Returns the address of a server on loopback in the allow-list's format. */
export function hostOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') {
    throw new TypeError('a TCP server has an address');
  }
  return `127.0.0.1:${address.port}`;
}
