import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import type { Registration } from '../../database/applications.ts';
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
/** Applications are the callers here; operators and what they may do have tests of their own. */
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

/** What is issued stays, so the rule about deletion works on drafts. */
let draftsOnly = false;

const target: Target = {
  async send({ as, method, path, body: given }: Request): Promise<Answered> {
    const refunded = /^\/payments\/(\d{1,15})\/refunds(?:\?|$)/.exec(path);
    if (method === 'POST' && as === 'owner' && refunded?.[1] !== undefined) {
      // Only what was paid can be given back, and no request of the contract pays.
      await world.pay(refunded[1]);
    }
    const body = draftsOnly && path === '/invoices' ? { ...Members.parse(given), issue: false } : given;
    const credentials = { owner: owner.test, stranger: stranger.test, nobody: undefined }[as];
    const request = { origin, method, path, credentials, ...bodyOf(body) };
    // A path that is no path of the contract has no documented answer to compare with, only a status.
    const wellFormed = /^[\w./?=&%-]*$/.test(path) && !/%(?![0-9a-f]{2})/i.test(path);
    const answer = wellFormed ? await call(request) : await httpCall({ ...request, path: `/api/v1${path}` });
    return { status: answer.status, body: parsed(answer.text) };
  },
};

/** Bodies go as JSON whatever they are: a text is a JSON text here. */
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
      // Whoever reads the run sees what was not shown; the rule itself is shown able to fail elsewhere.
      expect(rule.applicable(contract)).toEqual([]);
    });
  } else {
    test.each(operations.map((operation) => [`${operation.method} ${operation.path}`, operation] as const))(
      `${rule.promise}: %s`,
      async (_operation, operation) => {
        // Made from the contract: an operation that is added is judged without a new test.
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
  // The rules look through the API; this looks behind it.
  const rows = await world.sql<{ count: number }>(
    `select count(*)::int as count from (select customer_reference from payments union all select customer_reference from invoices) as made
     where customer_reference like 'never-%'`,
  );
  expect(rows).toEqual([{ count: 0 }]);
});
