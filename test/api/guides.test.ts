import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Registration } from '../../core/applications/store/applications.ts';
import { openApiWorld, type ApiWorld } from './api-world.ts';
import { call, OpenEnvelope } from './contract-client.ts';

let world: ApiWorld;
let origin: string;
let shop: Registration;
let paymentId: unknown;

beforeAll(async () => {
  world = await openApiWorld();
  origin = await world.listen();
  shop = await world.register({ name: 'Storefront' });
  const body = { amountMinor: 10_000, customerReference: 'cust_123' };
  const created = await call({ origin, method: 'POST', path: '/payments', credentials: shop.test, body });
  paymentId = created.data['id'];
});
afterAll(() => world.close());

const GUIDES = ['getting-started', 'authentication', 'idempotency'] as const;

function read(guide: string): string {
  return readFileSync(new URL(`../../docs/${guide}.md`, import.meta.url), 'utf8');
}

const commands = GUIDES.flatMap((guide) =>
  [...read(guide).matchAll(/```sh\n([\s\S]+?)```/g)].map(([, command = ''], i) => [guide, i + 1, command] as const),
);

/** Runs a command from the guide, with only the address, the credentials and the id replaced. */
function run(command: string): Promise<string> {
  const here = command
    .replaceAll('http://localhost:8080', origin)
    .replaceAll('oi_test_xxx', shop.test.apiKey)
    .replaceAll('your-secret', shop.test.apiSecret)
    .replaceAll('/payments/100', `/payments/${String(paymentId)}`)
    .replaceAll('"id":100', `"id":${String(paymentId)}`);
  const child = spawn('bash', ['-c', here], { stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    let output = '';
    child.stdout.on('data', (bytes: Buffer) => {
      output += bytes.toString('utf8');
    });
    child.once('error', reject);
    child.once('close', () => resolve(output));
  });
}

describe('the guides', () => {
  test.each(commands)('%s, command %i works as written', async (_guide, _number, command) => {
    // Integrators paste these commands first.
    const { meta, data } = OpenEnvelope.parse(JSON.parse(await run(command)));
    expect(meta).toMatchObject({ success: true, errorCode: null });
    expect(data).toBeTruthy();
  });

  test('have as many commands as we think', () => {
    // A code fence with another language tag would silently not be run.
    expect(commands.map(([guide]) => guide)).toEqual([
      ...Array.from({ length: 6 }, () => 'getting-started'),
      'authentication',
      'idempotency',
    ]);
  });

  test('show members of answers that exist', async () => {
    // An integrator would look in vain for a member that only the example has.
    const answer = await call({ origin, path: `/payments/${String(paymentId)}`, credentials: shop.test });
    const examples = [...read('getting-started').matchAll(/```json\n([\s\S]+?)```/g)].map(([, json = '']) =>
      JSON.parse(json),
    );
    const [me, created] = examples;
    expect(Object.keys(me.data)).toEqual(['id', 'name', 'mode']);
    for (const member of Object.keys(created.data)) {
      expect(Object.keys(answer.data)).toContain(member);
    }
    for (const example of examples) {
      expect(Object.keys(answer.meta).sort()).toEqual(Object.keys(example.meta).sort());
    }
  });

  test('lead to files that exist', () => {
    // A reader of the guide would follow a link to a missing page.
    for (const guide of [...GUIDES, 'errors']) {
      for (const [, target = ''] of read(guide).matchAll(/\]\((?!https?:)([^)#]+)/g)) {
        expect(read(target.replace(/\.md$/, ''))).toMatch(/^# /);
      }
    }
  });
});
