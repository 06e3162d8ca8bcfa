import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { startTestStack, type TestStack } from '../support/stack.ts';
import {
  appMeCall,
  appMeSample,
  createCall,
  createCallInOneLine,
  createSample,
  listCall,
  readCall,
} from './documented-calls.ts';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
});

afterAll(() => stack.stop());

/** Runs the text in a shell, as a reader does who pastes it. */
async function pasted(call: string): Promise<unknown> {
  const { apiKey, apiSecret } = stack.dev.apps.native.test;
  const text = call
    .replace('http://localhost:8080/api/v1', stack.dev.api)
    .replace('oi_test_xxx', apiKey)
    .replace('your-secret', apiSecret);
  const { stdout } = await promisify(execFile)('sh', ['-c', text.replace(/^curl /, 'curl --silent --show-error ')], {
    timeout: 120_000,
  });
  return JSON.parse(stdout);
}

const instant = expect.stringMatching(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/);
const meta = expect.objectContaining({ success: true, timestamp: instant });

describe("the documents' own calls, pasted into a shell", () => {
  test('tell which application and mode the credential stands for', async () => {
    // It is the first call that an integrator tries.
    expect(await pasted(appMeCall)).toEqual({
      data: {
        ...appMeSample.data,
        id: stack.dev.apps.native.id,
        name: expect.any(String),
      },
      meta,
      pagination: null,
    });
  });

  test.each([
    ['over several lines', createCall],
    ['in one line', createCallInOneLine],
  ])('create a payment (%s), answered field by field as documented', async (_name, call) => {
    // Any other answer would break clients that were written from the documentation.
    const answer = await pasted(call);
    const { reference: _reference, checkoutUrl: _checkoutUrl, id: _id, ...constants } = createSample.data;
    expect(answer).toEqual({
      data: expect.objectContaining({
        ...constants,
        id: expect.any(Number),
        reference: expect.stringMatching(/^pay_[0-9A-Za-z]{22,}$/),
        checkoutUrl: expect.stringContaining(`${stack.dev.web}/checkout/pay_`),
      }),
      meta,
      pagination: null,
    });
    const { data } = answer as { data: { reference: string; checkoutUrl: string } };
    expect(data.checkoutUrl.endsWith(`/checkout/${data.reference}`)).toBe(true);
    expect((await fetch(data.checkoutUrl)).status).toBe(200);
  });

  test('answer the same payment, byte for byte, when pasted again', async () => {
    // The documented key is the same on every paste, so a second paste must not create another payment.
    expect(await pasted(createCall)).toEqual(await pasted(createCall));
  });

  test('read and list what was created', async () => {
    // It is the documented way to confirm a payment without webhooks.
    const { data: created } = (await pasted(createCall)) as { data: Record<string, unknown> };
    const read = await pasted(readCall.replace('/payments/100', `/payments/${String(created['id'])}`));
    expect(read).toEqual({ data: created, meta, pagination: null });
    const { data: listed } = (await pasted(listCall)) as { data: Record<string, unknown>[] };
    expect(listed).toHaveLength(2);
    expect(listed).toContainEqual(created);
    const ids = listed.map(({ id }) => Number(id));
    expect(ids).toEqual(ids.toSorted((a, b) => b - a));
  });
});
