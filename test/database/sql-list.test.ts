import { describe, expect, test } from '@jest/globals';
import { sqlList } from '../../database/sql-list.ts';

describe('a list of constants in a statement', () => {
  test('is quoted', () => {
    expect(sqlList(['ISSUED', 'PARTIALLY_PAID'])).toBe("'ISSUED', 'PARTIALLY_PAID'");
  });

  test.each([[[]], [["x') or ('1'='1"]], [['open']], [['']]])('%j is refused', (constants) => {
    // Values travel as parameters. Only constants of our own may be part of a statement's text.
    expect(() => sqlList(constants)).toThrow('not a list of constants');
  });
});
