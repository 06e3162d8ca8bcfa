import { describe, expect, test } from '@jest/globals';
import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { CONTRACTS } from '../../domain/contract.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');

/** Every folder whose code runs in a deployment. The schema's checks name the contracts that a table may hold. */
const ROOMS = '{activities,api,core,domain,gateways,runtime,temporal,web,worker,workflows}';

/** What differs between contracts is written here, one file for each. */
const CONTRACTS_LIVE_IN = 'core/contracts/';

const NAMES = CONTRACTS.join('|');
/** Matches code that does something else for one contract than for another, in TypeScript or in SQL. */
const BRANCH = new RegExp(
  String.raw`\bcontract\s*[!=]==|[!=]==\s*'(?:${NAMES})'|switch\s*\([^)]*\bcontract\)|case '(?:${NAMES})'|\bcontract(?: =| <>| in) \(?'(?:${NAMES})'(?!,\n)`,
  'g',
);

/** The files that may compare contracts without deciding what one of them means. */
const COMPARISONS: Readonly<Record<string, readonly [times: number, why: string]>> = {
  'api/ownpay/surface.ts': [1, 'which contract a request addresses'],
  'api/shadhinpay/surface.ts': [1, 'which contract a request addresses'],
  'core/applications/store/callers.ts': [1, "a credential of another contract than the request's is none"],
};

/** Returns the source without comments, which may mention a contract. */
const codeOf = (source: string): string => source.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');

describe('what differs between contracts', () => {
  test('is decided in core/contracts alone: no other file branches on a contract', () => {
    // A branch elsewhere is forgotten when a contract is added, and its payers or receivers get another contract's answer.
    const found: Record<string, number> = {};
    for (const file of globSync(`${ROOMS}/**/*.ts`, { cwd: ROOT })) {
      const times = [...codeOf(readFileSync(resolve(ROOT, file), 'utf8')).matchAll(BRANCH)].length;
      if (times > 0 && !file.startsWith(CONTRACTS_LIVE_IN)) {
        found[file] = times;
      }
    }
    expect(found).toEqual(Object.fromEntries(Object.entries(COMPARISONS).map(([file, [times]]) => [file, times])));
  });

  test.each([
    "if (payment.contract === 'shadhinpay') {",
    'if (contract !== own) {',
    'switch (payment.contract) {',
    "    case 'ownpay':",
    "const native = name === 'native';",
    "select 1 from invoices where contract = 'native'",
    "where e.contract in ('native', 'ownpay')",
  ])('is found in %j', (code) => {
    expect(codeOf(code)).toMatch(BRANCH);
  });
});
