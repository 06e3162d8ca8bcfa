import { createServer } from 'node:http';

/** One green pixel. */
const LOGO = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGPgzvYHAAFKAMZ5IC6mAAAAAElFTkSuQmCC',
  'base64',
);

/** Serves the logo of every template that the fuzzer sets, because an address that cannot be fetched is refused, as documented. */
export interface LogoServer {
  readonly url: string;
  close(): Promise<void>;
}

export async function openLogoServer(): Promise<LogoServer> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'image/png' }).end(LOGO);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') {
    throw new TypeError('a TCP server has an address');
  }
  return {
    url: `http://127.0.0.1:${address.port}/logo.png`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
