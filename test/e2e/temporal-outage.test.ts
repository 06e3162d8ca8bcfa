import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startStack, type Stack } from '../../scripts/development/stack.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { createTestNamespace } from '../support/temporal.ts';
import { testServers } from '../support/test-servers.ts';
import { payAndReturn } from '../journeys/payer.ts';
import { openTestShop, type TestShop } from '../journeys/shop.ts';
import { verify } from '../journeys/verify.ts';
import { until } from '../support/until.ts';

/** The connection from the stack to Temporal, which can be cut and restored. */
interface Line {
  readonly address: string;
  cut(): Promise<void>;
  mend(): Promise<void>;
}

let directory: string;
let database: TestDatabase;
let line: Line;
let stack: Stack;
let shop: TestShop;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'lenden-outage-'));
  const [namespace, ownDatabase, ownLine] = await Promise.all([
    createTestNamespace(),
    createTestDatabase(),
    lineTo(testServers().temporalAddress),
  ]);
  [database, line] = [ownDatabase, ownLine];
  stack = await startStack({
    directory,
    ports: 'free',
    environment: {
      ...process.env,
      DATABASE_URL: database.url,
      TEMPORAL_ADDRESS: line.address,
      TEMPORAL_NAMESPACE: namespace,
    },
    say: () => undefined,
  });
  shop = await openTestShop({ dev: stack.dev, directory });
});

afterAll(async () => {
  await stack.stop();
  await line.cut();
  await database.drop();
  rmSync(directory, { recursive: true, force: true });
});

test('while Temporal is away payments are taken and their pages wait; when it is back they go on by themselves', async () => {
  // An outage of Temporal must not cost a shop sales, or leave open payments unfinished.
  const before = await shop.create();
  await line.cut();
  const started = performance.now();
  const created = await Promise.all([shop.create(), shop.create(), shop.create()]);
  const tookMs = Math.round(performance.now() - started);
  console.log(`three creates without Temporal were answered within ${tookMs} ms`);
  expect(created.map(({ status }) => status)).toEqual(['CREATED', 'CREATED', 'CREATED']);
  const [first] = created;
  expect(await (await fetch(first?.checkoutUrl ?? '')).text()).toContain('Preparing your payment');
  // The charge happens while Temporal cannot be signalled.
  await payAndReturn(before.checkoutUrl);
  expect((await shop.read(before.id)).status).toBe('PENDING');
  await line.mend();
  const all = [before, ...created];
  await until(async () => (await shop.read(before.id)).status === 'SUCCEEDED');
  for (const { id } of created) {
    await until(async () => (await shop.read(id)).status === 'PENDING');
  }
  await Promise.all(created.map(({ checkoutUrl }) => payAndReturn(checkoutUrl)));
  for (const { id } of all) {
    await until(async () => (await shop.read(id)).status === 'SUCCEEDED');
  }
  expect(await verify(directory)).toMatchObject({ exitCode: 0 });
}, 240_000);

/**
 * Forwards bytes between the stack and the server until it is cut. Then it refuses connections, as a stopped server
 * does.
 */
async function lineTo(address: string): Promise<Line> {
  const { hostname, port } = new URL(`tcp://${address}`);
  const sockets = new Set<Socket>();
  const server: Server = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  const listen = (at: number): Promise<void> => new Promise((settle) => server.listen(at, '127.0.0.1', settle));
  await listen(0);
  const { port: own } = server.address() as AddressInfo;
  return {
    address: `127.0.0.1:${own}`,
    async cut() {
      const closed = new Promise((settle) => server.close(settle));
      sockets.forEach((socket) => socket.destroy());
      await closed;
    },
    mend: () => listen(own),
  };
}
