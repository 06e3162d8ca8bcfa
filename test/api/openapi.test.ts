import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { z } from 'zod';
import { NATIVE_STATUS } from '../../api/native/envelope.ts';
import { eventSchema, WEBHOOKS } from '../../api/docs/webhook-events.ts';
import { ERROR_CODES } from '../../domain/errors.ts';
import { paymentView } from '../../domain/payment-view.ts';
import { EVENT_TYPES } from '../../domain/webhook.ts';
import { openApiWorld, type ApiWorld } from './api-world.ts';
import { at, documentedOperations } from './contract-client.ts';
import { httpCall } from './http-call.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const Tree = z.record(z.string(), z.unknown());
const text = readFileSync(join(ROOT, 'openapi/native.json'), 'utf8');
const document = Tree.parse(JSON.parse(text));

const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);
ajv.addSchema(document, 'native');

function errorsOf(pointer: string, value: unknown): unknown {
  const check = ajv.getSchema(`native#${pointer}`);
  expect([pointer, typeof check]).toEqual([pointer, 'function']);
  return check?.(value) === true ? [] : check?.errors;
}

describe('the document', () => {
  test('is valid OpenAPI 3.1', async () => {
    // Integrators use this document with their own generators and viewers.
    const validator = new Validator();
    expect(await validator.validate(structuredClone(document))).toEqual({ valid: true });
    expect(validator.version).toBe('3.1');
  });

  test('demands both headers of a credential together', () => {
    // Two separate requirements would mean that either header is enough.
    expect(at('/paths/~1payments/post/security')).toEqual([{ apiKey: [], apiSecret: [] }]);
    expect(at('/paths/~1checkout~1{reference}/get/security')).toEqual([]);
    // An operator's cookie works only with the token of its page, and the login is the only public way in.
    const operator = [{ operatorToken: [] }, { operatorCookie: [], csrfToken: [] }];
    expect(at('/paths/~1admin~1users/get/security')).toEqual(operator);
    expect(at('/paths/~1admin~1users/post')).toMatchObject({ 'x-permission': 'user:manage', 'x-step-up': true });
    expect(at('/paths/~1auth~1login/post/security')).toEqual([]);
    expect(at('/components/securitySchemes')).toMatchObject({
      apiKey: { type: 'apiKey', in: 'header', name: 'X-Api-Key' },
      apiSecret: { type: 'apiKey', in: 'header', name: 'X-Api-Secret' },
    });
  });

  test('has an example for every schema with a name, and each satisfies its schema', () => {
    // Integrators copy examples before they read rules.
    const schemas = Tree.parse(at('/components/schemas'));
    const checked = Object.entries(schemas).flatMap(([name, schema]) => {
      const examples = z.object({ examples: z.array(z.unknown()).optional() }).parse(schema).examples ?? [];
      return examples.map((example) => [name, errorsOf(`/components/schemas/${name}`, example)]);
    });
    const shown = new Set(checked.map(([name]) => name));
    const unshown = Object.keys(schemas).filter((name) => !shown.has(name) && !name.endsWith('Event'));
    expect(unshown).toEqual(['FieldErrors', 'SuccessMeta']);
    expect(shown.size).toBeGreaterThan(20);
    expect(checked.filter(([, errors]) => JSON.stringify(errors) !== '[]')).toEqual([]);
  });

  test('has a valid example of every failure it describes, and every link names an operation', () => {
    // Integrators write their error handling from these examples.
    for (const [name, response] of Object.entries(Tree.parse(at('/components/responses')))) {
      const { content } = z
        .object({
          content: z.object({
            'application/json': z.object({ examples: z.record(z.string(), z.object({ value: z.unknown() })) }),
          }),
        })
        .parse(response);
      for (const [code, { value }] of Object.entries(content['application/json'].examples)) {
        const pointer = `/components/responses/${name}/content/application~1json/schema`;
        expect([name, code, errorsOf(pointer, value)]).toEqual([name, code, []]);
        expect(ERROR_CODES).toContain(code);
      }
    }
    const links = Tree.parse(at('/paths/~1payments/post/responses/201/links'));
    const known = documentedOperations.map(({ operationId }) => operationId);
    expect(Object.keys(links).length).toBeGreaterThan(2);
    for (const link of Object.values(links)) {
      expect(known).toContain(Tree.parse(link)['operationId']);
    }
  });
});

describe('events', () => {
  test('are described as webhooks, each with its signature headers and a valid example', () => {
    // Integrators write their receivers from this description.
    expect(Object.keys(Tree.parse(document['webhooks']))).toEqual([...EVENT_TYPES]);
    for (const { name, example } of WEBHOOKS) {
      const pointer = `/webhooks/${name}/post/requestBody/content/application~1json/schema`;
      expect([name, errorsOf(pointer, example)]).toEqual([name, []]);
      const headers = z.array(z.object({ name: z.string() })).parse(at(`/webhooks/${name}/post/parameters`));
      expect(headers.map((header) => header.name)).toEqual([
        'webhook-id',
        'webhook-timestamp',
        'webhook-signature',
        'x-webhook-id',
      ]);
    }
  });

  test('that we send satisfy what is described', () => {
    // The payload is built elsewhere, so the description could drift from it.
    const moment = new Date();
    const data = paymentView(
      {
        id: 1n,
        reference: 'pay_1',
        status: 'SUCCEEDED',
        applicationId: 1n,
        mode: 'TEST',
        amountMinor: 10_000n,
        currency: 'BDT',
        gateway: 'sslcommerz',
        expiresAt: moment,
        createdAt: moment,
        updatedAt: moment,
      },
      'http://localhost:3000',
    );
    const event = {
      id: `evt_${'a'.repeat(22)}`,
      type: 'payment.succeeded',
      schemaVersion: 1,
      mode: 'TEST',
      createdAt: moment.toISOString(),
      subject: 'payment:1',
      sequence: 1,
      data,
    };
    expect(eventSchema('payment.succeeded').parse(event)).toEqual(event);
  });
});

describe('the generated file', () => {
  test('is named by --check when it is stale or absent, and written by the command', () => {
    // If the contract differs from the code, the build has to fail.
    const copy = mkdtempSync(join(tmpdir(), 'lenden-generate-'));
    try {
      for (const part of [
        'api',
        'core',
        'database',
        'domain',
        'gateways',
        'runtime',
        'scripts',
        'temporal',
        'web',
        'workflows',
        'package.json',
        'docker-compose.yml',
        'docs/results',
      ]) {
        cpSync(join(ROOT, part), join(copy, part), { recursive: true });
      }
      symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
      const run = (...options: string[]) => {
        const { status, stderr } = spawnSync(process.execPath, ['scripts/repository/generate.ts', ...options], {
          cwd: copy,
          encoding: 'utf8',
        });
        return { status, stderr };
      };
      expect(run('--check')).toEqual({ status: 1, stderr: expect.stringContaining('openapi/native.json is stale') });
      expect(run().status).toBe(0);
      expect(run('--check').status).toBe(0);
      expect(readFileSync(join(copy, 'openapi/native.json'), 'utf8')).toBe(text);
      writeFileSync(join(copy, 'openapi/native.json'), text.replace('PENDING', 'WAITING'));
      expect(run('--check').status).toBe(1);
      expect(run('--chekc').status).toBe(2);
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  });
});

/** Returns a schema with further limits on some of its properties. */
function narrowed(schema: unknown, limits: Readonly<Record<string, object>>): unknown {
  const { properties, ...rest } = z.looseObject({ properties: z.record(z.string(), Tree) }).parse(schema);
  const more = Object.entries(limits).map(([name, limit]) => [name, { ...properties[name], ...limit }]);
  return { ...rest, properties: { ...properties, ...Object.fromEntries(more) } };
}

describe('served', () => {
  let world: ApiWorld;
  let origin: string;
  beforeAll(async () => {
    world = await openApiWorld();
    origin = await world.listen();
  });
  afterAll(() => world.close());

  test("at /openapi.json it is the committed document with this installation's address, gateways, currencies and bounds", async () => {
    // The published contract must match the running one; an installation only narrows what it accepts.
    const answer = await httpCall({ origin, path: '/openapi.json' });
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/json; charset=utf-8']);
    const currency = { enum: ['BDT'] };
    const gateway = { type: 'string', enum: ['sslcommerz'] };
    const limits: Readonly<Record<string, Readonly<Record<string, object>>>> = {
      CreatePayment: { amountMinor: { minimum: 1_000, maximum: 50_000_000 }, currency, gateways: { items: gateway } },
      CreateInvoice: { currency },
      EditInvoice: { currency },
    };
    const expected: unknown = JSON.parse(text, (name, value: unknown) => {
      const narrow = Object.hasOwn(limits, name) ? limits[name] : undefined;
      return narrow !== undefined && !('$ref' in Tree.parse(value)) ? narrowed(value, narrow) : value;
    });
    expect(JSON.parse(answer.text)).toEqual({ ...Tree.parse(expected), servers: [{ url: `${origin}/api/v1` }] });
    const packed = await fetch(`${origin}/openapi.json`, { headers: { 'accept-encoding': 'gzip' } });
    expect(packed.headers.get('content-encoding')).toBe('gzip');
    expect(await packed.json()).toEqual(JSON.parse(answer.text));
  });

  test('the reference page loads only what its policy allows, from this host', async () => {
    // Integrators paste secrets into this page, so it must not run foreign code.
    const page = await httpCall({ origin, path: '/docs' });
    const policy = page.headers['content-security-policy'] ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).not.toMatch(/unsafe|\*/);
    expect(page.text).not.toMatch(/<script(?![^>]* src="\/docs\/)|<style|style=| on\w+=|https?:/);
    const files = [...page.text.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path = '']) => path);
    expect(files.length).toBe(4);
    for (const path of files) {
      expect([path, (await httpCall({ origin, path })).status]).toEqual([path, 200]);
    }
    expect((await httpCall({ origin, path: '/docs/../package.json' })).status).toBe(404);
    expect((await httpCall({ origin, path: '/docs/index.html' })).status).toBe(404);
  });
});

test('every error code has its status in the table of the guide', () => {
  // The guide must list the same codes as the code.
  const guide = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8');
  const rows = [...guide.matchAll(/^\| `([A-Z_]+)` \| (\d{3}) \|/gm)].map(([, code = '', status]) => [
    code,
    Number(status),
  ]);
  expect(Object.fromEntries(rows)).toEqual(NATIVE_STATUS);
});
