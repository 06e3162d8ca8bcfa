import { expect, test } from '@jest/globals';
import { KINDS } from '../../../proofs/payouts/corpus.ts';
import { provePayouts, unnoticed } from '../../../proofs/payouts/run.ts';

/** `npm run proof:payouts` is the long form. */
test('every verdict over a small damaged corpus is right, and no planted fault goes unnoticed', async () => {
  const result = await provePayouts({ seed: 20_261_124, plain: 30, each: 4 }, () => undefined);
  expect(result.mismatches).toEqual([]);
  expect(unnoticed(result)).toEqual([]);
  expect(KINDS.map(({ name }) => name).filter((kind) => !result.items.has(kind))).toEqual([]);
});
