import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Worker } from '@temporalio/worker';
import { join } from 'node:path';
import { openOrm } from '../../../database/connection.ts';
import { createTestDatabase } from '../../support/database.ts';
import { startTestStack, type TestStack } from '../../support/stack.ts';
import { advanceWorkflow, connectTestTemporal, uniqueTaskQueue, type TestTemporal } from '../../support/temporal.ts';
import { isAlive } from '../../support/launched-stack.ts';

describe('a test database', () => {
  test('has the schema of the template and nothing of another test', async () => {
    // Otherwise tests would see each other's rows.
    const [one, other] = await Promise.all([createTestDatabase(), createTestDatabase()]);
    const orm = await openOrm({ url: one.url, role: 'owner', poolSize: 1 });
    await orm.em.fork().execute("insert into applications (name) values ('only here')");
    await orm.close();
    const second = await openOrm({ url: other.url, role: 'owner', poolSize: 1 });
    const rows = await second.em.fork().execute("select count(*)::int as n from applications where name = 'only here'");
    await second.close();
    await Promise.all([one.drop(), other.drop()]);
    expect(rows).toEqual([{ n: 0 }]);
  });
});

describe('test time', () => {
  // The directory is inside the project, so that the bundler finds the packages, under a name that git ignores.
  let directory: string;
  let temporal: TestTemporal;
  let worker: Worker;
  let run: Promise<void>;
  const taskQueue = uniqueTaskQueue('time');

  beforeAll(async () => {
    directory = mkdtempSync(join(import.meta.dirname, '../../../node_modules/.lenden-'));
    const workflowsPath = join(directory, 'workflows.mjs');
    writeFileSync(
      workflowsPath,
      `import { sleep, defineSignal, setHandler, condition } from '@temporalio/workflow';
       export async function sevenDays() { await sleep('7 days'); return 'over'; }
       export async function waits() {
         let woken = false;
         setHandler(defineSignal('wake'), () => { woken = true; });
         return (await condition(() => woken, '7 days')) ? 'woken' : 'late';
       }`,
    );
    temporal = await connectTestTemporal({ timeSkipping: true });
    worker = await Worker.create({ connection: temporal.nativeConnection, taskQueue, workflowsPath });
    run = worker.run();
  });

  afterAll(async () => {
    worker.shutdown();
    await run;
    await temporal.close();
    rmSync(directory, { recursive: true, force: true });
  });

  test('jumps over a timer of seven days', async () => {
    // Otherwise workflow tests would take days, as in production.
    const started = Date.now();
    const options = { workflowId: uniqueTaskQueue('seven'), taskQueue };
    expect(await temporal.client.workflow.execute('sevenDays', options)).toBe('over');
    expect(Date.now() - started).toBeLessThan(10_000);
  });

  test('moves one workflow forward by an exact amount', async () => {
    // Otherwise a test could not stop just before a deadline.
    const real = await connectTestTemporal({ timeSkipping: false });
    const workflowId = uniqueTaskQueue('six');
    const handle = await real.client.workflow.start('waits', { workflowId, taskQueue });
    await advanceWorkflow(real, { workflowId, byMs: 6 * 86_400_000 });
    expect((await handle.describe()).status.name).toBe('RUNNING');
    await advanceWorkflow(real, { workflowId, byMs: 2 * 86_400_000 });
    expect(await handle.result()).toBe('late');
    await real.close();
  });
});

describe('a test stack', () => {
  let stack: TestStack;

  beforeAll(async () => {
    stack = await startTestStack();
  });

  test('answers on a database of its own and leaves nothing behind', async () => {
    // Otherwise end-to-end tests would share data, or leave processes behind.
    const { apiKey, apiSecret } = stack.dev.apps.native.test;
    const headers = { 'X-API-Key': apiKey, 'X-API-Secret': apiSecret };
    const response = await fetch(`${stack.dev.api}/app/me`, { headers });
    expect([response.status, stack.dev.apps.native.id]).toEqual([200, 1]);
    const pids = Object.entries(stack.dev.processes).filter(([name]) => name !== 'launcher');
    expect(pids.map(([name]) => name).sort()).toEqual(['api', 'simulators', 'worker']);
    await stack.stop();
    expect(pids.filter(([, pid]) => isAlive(pid))).toEqual([]);
    expect(existsSync(stack.directory)).toBe(false);
  });
});
