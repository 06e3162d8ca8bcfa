import { describe, expect, test } from '@jest/globals';
import { stripTypeScriptTypes } from 'node:module';
import { resolve } from 'node:path';
import { DEFECTS } from '../../proofs/defects/catalogue.ts';
import { planted } from '../../proofs/defects/working-copy.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');

describe('the catalogue of defects', () => {
  test.each(DEFECTS.map((defect) => [defect.name, defect] as const))(
    '%s can be planted in the code as it is',
    (_name, { edits }) => {
      // A change that breaks a planted defect fails here at once, not first in the long run of all defects.
      const files = planted(ROOT, edits);
      expect(files.size).toBeGreaterThan(0);
      // Node reads a file in the same way. A file that it cannot load would fail any test, which says nothing about the defect.
      files.forEach((text) => stripTypeScriptTypes(text));
    },
  );

  test('is refused when a defect leaves a file that Node cannot load', () => {
    // Otherwise the check above would pass whatever is planted.
    expect(() => stripTypeScriptTypes('export const limit: number = = 4;')).toThrow();
  });

  test('names each defect once, and for each somebody who has to notice it', () => {
    // A defect without a check would never be caught.
    expect(new Set(DEFECTS.map(({ name }) => name)).size).toBe(DEFECTS.length);
    expect(DEFECTS.filter(({ caughtBy }) => caughtBy.length === 0)).toEqual([]);
  });
});
