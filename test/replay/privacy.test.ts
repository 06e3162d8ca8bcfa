import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Child } from '../../scripts/shared/child.ts';
import { findFreePort } from '../../scripts/shared/ports.ts';
import { startTemporal } from '../../scripts/development/temporal.ts';
import { begin, openRecorder, type Recorder } from './branches.ts';
import { until } from '../support/until.ts';

const CANARIES = {
  customerName: 'canary-name',
  customerEmail: 'canary-mail@example.com',
  customerPhone: '01999999999',
  productName: 'canary-product',
  customerReference: 'canary-reference',
} as const;

let directory: string;
let server: Child;
let recorder: Recorder;
const shared = process.env['LENDEN_TEST_TEMPORAL_ADDRESS'];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'lenden-privacy-'));
  const temporal = await startTemporal({
    file: join(directory, 'temporal.db'),
    port: await findFreePort([]),
    uiPort: await findFreePort([]),
    logFile: join(directory, 'temporal.log'),
    timeSkipping: 'quickly',
    say: () => undefined,
  });
  server = temporal.child;
  process.env['LENDEN_TEST_TEMPORAL_ADDRESS'] = temporal.address;
  recorder = await openRecorder();
});
afterAll(async () => {
  process.env['LENDEN_TEST_TEMPORAL_ADDRESS'] = shared;
  await recorder.close();
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
});

test('no byte of a payer reaches Temporal’s files, the histories or the log', async () => {
  // Target T-55: data that Temporal does not store cannot leak from a UI, a backup or a support bundle.
  const { world, receiver, realTime } = recorder;
  const good = await begin(recorder, CANARIES);
  await world.finish(good.attempt);
  expect(await good.handle.result()).toBe('SUCCEEDED');
  const refused = await begin(recorder, { ...CANARIES, amountMinor: 131_340n });
  expect(await refused.handle.result()).toBe('FAILED');
  const doubtful = await begin(recorder, { ...CANARIES, amountMinor: 131_320n });
  await world.finish(doubtful.attempt);
  await until(async () => (await world.paymentRow(doubtful.input))['review_reason'] !== null);
  await until(() => receiver.bodies.length >= 2);
  // The canaries are stored in the payment, as intended, and were sent to the gateway.
  expect(await world.paymentRow(good.input)).toMatchObject({ customer_name: CANARIES.customerName });

  const texts: string[] = [JSON.stringify(world.log)];
  for await (const { workflowId } of realTime.client.workflow.list()) {
    const handle = realTime.client.workflow.getHandle(workflowId);
    const readable = (_key: string, value: unknown): unknown =>
      value instanceof Uint8Array ? Buffer.from(value).toString() : typeof value === 'bigint' ? String(value) : value;
    texts.push(JSON.stringify(await handle.fetchHistory(), readable));
  }
  expect(texts.length).toBeGreaterThanOrEqual(6);
  await doubtful.handle.terminate();
  for (const file of readdirSync(directory).filter((name) => name.startsWith('temporal.db'))) {
    texts.push(readFileSync(join(directory, file)).toString('latin1'));
  }
  expect(texts.join()).toContain(good.input.reference);
  for (const canary of Object.values(CANARIES)) {
    expect([canary, texts.filter((text) => text.includes(canary)).length]).toEqual([canary, 0]);
    const encoded = Buffer.from(canary).toString('base64').replace(/=*$/, '').slice(0, -1);
    expect(texts.some((text) => text.includes(encoded))).toBe(false);
  }
});
