import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from '../../../scripts/shared/ports.ts';
import { prepareNamespace, SEARCH_ATTRIBUTES } from '../../../scripts/shared/temporal-namespace.ts';
import { startTemporal, type EmbeddedTemporal } from '../../../scripts/development/temporal.ts';

let directory: string;
let running: EmbeddedTemporal[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lenden-temporal-'));
  running = [];
});

afterEach(async () => {
  await Promise.all(running.map((server) => server.child.stop()));
  rmSync(directory, { recursive: true, force: true });
});

async function start(): Promise<EmbeddedTemporal> {
  const server = await startTemporal({
    file: join(directory, 'temporal.db'),
    port: await findFreePort([]),
    uiPort: await findFreePort([]),
    logFile: join(directory, 'temporal.log'),
    timeSkipping: 'never',
    say: () => undefined,
  });
  running.push(server);
  return server;
}

async function withClient<T>(address: string, work: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address });
  try {
    return await work(new Client({ connection }));
  } finally {
    await connection.close();
  }
}

describe('embedded Temporal', () => {
  test('keeps an open workflow over kill -9 of the server', async () => {
    // Otherwise a payment that waits for its payer would be lost when the server dies.
    const first = await start();
    await withClient(first.address, (client) =>
      client.workflow.start('waiting', { workflowId: 'payment:kept', taskQueue: 'nobody' }),
    );
    process.kill(first.child.identity.pid, 'SIGKILL');
    await first.child.exited;
    const second = await start();
    const { status } = await withClient(second.address, (client) =>
      client.workflow.getHandle('payment:kept').describe(),
    );
    expect(status.name).toBe('RUNNING');
  });

  test('serves its UI', async () => {
    // Otherwise operators could not read the work queue in a browser.
    const { ui } = await start();
    const page = await untilAnswering(ui);
    expect(page).toContain('<html');
  });

  test('gets the namespace, its retention and the search attributes on a server that has none', async () => {
    // Otherwise a user's own Temporal server would need manual setup, or delete workflows before 90 days.
    const { address } = await start();
    await prepareNamespace({ address, namespace: 'own' });
    await prepareNamespace({ address, namespace: 'own' });
    const { retention, attributes } = await withClient(address, async ({ connection }) => {
      const { config } = await connection.workflowService.describeNamespace({ namespace: 'own' });
      const { customAttributes } = await (connection as Connection).operatorService.listSearchAttributes({
        namespace: 'own',
      });
      return { retention: Number(config?.workflowExecutionRetentionTtl?.seconds), attributes: customAttributes };
    });
    expect(retention).toBe(90 * 86_400);
    expect(Object.keys(attributes ?? {})).toEqual(expect.arrayContaining(Object.keys(SEARCH_ATTRIBUTES)));
  });
});

async function untilAnswering(url: string): Promise<string> {
  for (let tries = 0; tries < 50; tries += 1) {
    try {
      return await (await fetch(url)).text();
    } catch {
      await new Promise((settle) => setTimeout(settle, 100));
    }
  }
  throw new Error(`${url} does not answer`);
}
