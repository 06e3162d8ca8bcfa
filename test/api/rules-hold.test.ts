import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import type { Registration } from '../../core/applications/store/applications.ts';
import { openApiWorld, type ApiWorld } from './api-world.ts';
import { call } from './contract-client.ts';
import { httpCall } from './http-call.ts';
import { readContract } from './rules/contract.ts';
import type { Answered, Request, Target } from './rules/produce.ts';
import { RULES } from './rules/rules.ts';

const Document = z.looseObject({ paths: z.record(z.string(), z.unknown()) });
const document = Document.parse(
  JSON.parse(readFileSync(new URL('../../openapi/native.json', import.meta.url), 'utf8')) as unknown,
);
const Members = z.record(z.string(), z.unknown());
/** These rules use applications as callers. Operators and their permissions have their own tests. */
const paths = Object.entries(document.paths).filter(([path]) => !/^\/(admin|auth)\//.test(path));
const contract = readContract({ ...document, paths: Object.fromEntries(paths) });

let world: ApiWorld;
let owner: Registration;
let stranger: Registration;
let origin: string;
beforeAll(async () => {
  world = await openApiWorld();
  const settings = { receiptsEnabled: true, rateLimitPerMinute: 1_000_000 };
  owner = await world.register({ ...settings, name: 'Owner' });
  stranger = await world.register({ ...settings, name: 'Stranger' });
});
afterAll(() => world.close());

/** An issued invoice cannot be deleted, so the rule about deletion uses drafts. */
let draftsOnly = false;

const target: Target = {
  async send({ as, method, path, body: given }: Request): Promise<Answered> {
    const refunded = /^\/payments\/(\d{1,15})\/refunds(?:\?|$)/.exec(path);
    if (method === 'POST' && as === 'owner' && refunded?.[1] !== undefined) {
      // Only a paid payment can be refunded, and no request of the contract pays.
      await world.pay(refunded[1]);
    }
    const body = draftsOnly && path === '/invoices' ? { ...Members.parse(given), issue: false } : given;
    const credentials = { owner: owner.test, stranger: stranger.test, nobody: undefined }[as];
    const request = { origin, method, path, credentials, ...bodyOf(body) };
    // A path outside the contract has no documented answer, so only its status is compared.
    const wellFormed = /^[\w./?=&%-]*$/.test(path) && !/%(?![0-9a-f]{2})/i.test(path);
    const answer = wellFormed ? await call(request) : await httpCall({ ...request, path: `/api/v1${path}` });
    return { status: answer.status, body: parsed(answer.text) };
  },
};

/** Always sends the body as JSON: a string becomes a JSON string. */
function bodyOf(body: unknown) {
  return body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

describe.each(RULES.map((rule) => [rule.name, rule] as const))('%s', (_name, rule) => {
  const operations = rule.applicable(contract);

  if (operations.length === 0) {
    test(`has nothing to judge in today's contract: 0 of ${contract.operations.length} operations`, () => {
      // Shows in the results that this rule was not applied. `rules-can-fail.test.ts` shows that the rule itself can fail.
      expect(rule.applicable(contract)).toEqual([]);
    });
  } else {
    test.each(operations.map((operation) => [`${operation.method} ${operation.path}`, operation] as const))(
      `${rule.promise}: %s`,
      async (_operation, operation) => {
        // The cases are generated from the contract, so a new operation is tested without a new test.
        origin = await world.listen();
        draftsOnly = rule.name === 'UseAfterFree';
        const { cases, violations } = await rule.check({ contract, target }, operation);
        expect(violations).toEqual([]);
        expect(cases).toBeGreaterThan(0);
      },
    );
  }
});

test('refused bodies have left nothing behind: no payment and no invoice of theirs is in the database', async () => {
  // The rules read through the API; this reads the database.
  const rows = await world.sql<{ count: number }>(
    `select count(*)::int as count from (select customer_reference from payments union all select customer_reference from invoices) as made
     where customer_reference like 'never-%'`,
  );
  expect(rows).toEqual([{ count: 0 }]);
});
