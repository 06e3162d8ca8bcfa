import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { freeText, lines, mayBeBlank, NO_CARD, oneLine, present, text } from '../../api/http/fields.ts';

const LENGTH_MAX = 40;
const SCHEMAS = { text: text(LENGTH_MAX), oneLine: oneLine(LENGTH_MAX), lines: lines(LENGTH_MAX) } as const;
type Kind = keyof typeof SCHEMAS;

const taken = (kind: Kind, given: string): string | null => SCHEMAS[kind].safeParse(given).data ?? null;

/** Returns whether the published contract allows a value. */
function allowed(schema: z.ZodType, given: string): boolean {
  const rules = z
    .object({ type: z.literal('string'), minLength: z.int().optional(), maxLength: z.int(), pattern: z.string() })
    .parse(z.toJSONSchema(schema, { io: 'input' }));
  return (
    given.length >= (rules.minLength ?? 0) &&
    given.length <= rules.maxLength &&
    new RegExp(rules.pattern, 'u').test(given)
  );
}

describe('a card number in free text', () => {
  test.each([
    ['freeText', freeText(LENGTH_MAX)],
    ['oneLine', oneLine(LENGTH_MAX)],
    ['lines', lines(LENGTH_MAX)],
  ])('is refused, and the contract says so: %s', (_kind, schema) => {
    // A shop whose order number looks like a card number has to find out why it is refused.
    expect(schema.safeParse('paid by 4111 1111 1111 1111').success).toBe(false);
    expect(z.toJSONSchema(schema, { io: 'input' }).description).toMatch(/card number/);
    expect(readFileSync(resolve(import.meta.dirname, '../../docs/errors.md'), 'utf8')).toContain(NO_CARD);
  });
});

describe('text on one line', () => {
  test.each([
    ['Blue shirt\r\nsize L', 'Blue shirt size L'],
    ['a\tb\n\n\r\n\vc\fd', 'a b c d'],
    ['a  b', 'a  b'],
  ])('%j becomes %j', (given, kept) => {
    // Otherwise a payment would be refused because of a line break in a pasted text.
    expect(taken('oneLine', given)).toBe(kept);
  });

  test.each(['', '\r\n', ' \t', 'a\u0000b', 'a\u001bb', 'a\u0085b', 'a\ud800b', 'x'.repeat(41)])(
    '%j is none',
    (given) => {
      // Nothing else is corrected silently.
      expect(taken('oneLine', given)).toBeNull();
    },
  );
});

describe('text of several lines', () => {
  test.each([
    ['House 7\r\nRoad 3\rDhaka', 'House 7\nRoad 3\nDhaka'],
    ['a\n\nb', 'a\n\nb'],
    ['a\r\n', 'a\n'],
  ])('%j is kept as %j', (given, kept) => {
    // Browsers send CRLF for text from a textarea, and documents use only one kind of line break.
    expect(taken('lines', given)).toBe(kept);
  });

  test.each(['\r\n', 'a\tb', 'a\u0000b', 'a\u000bb', 'x'.repeat(41)])('%j is none', (given) => {
    // The caller has to learn which text cannot be shown, instead of losing it silently.
    expect(taken('lines', given)).toBeNull();
  });
});

test.each(Object.keys(SCHEMAS) as Kind[])('what the contract says of %s is what is taken', (kind) => {
  // A request that the contract allows must not be refused, and a refused one must not be allowed by the contract.
  const characters = Array.from({ length: 0x100 }, (_none, code) => String.fromCharCode(code));
  const given = ['', ...characters, ...characters.map((character) => `a${character}b`), 'x'.repeat(40), 'x'.repeat(41)];
  for (const value of given) {
    expect([value, allowed(SCHEMAS[kind], value)]).toEqual([value, taken(kind, value) !== null]);
  }
});

test('the contract tells as much of text that must be there, or may be blank', () => {
  // Both functions wrap a schema. Without this, its rules would be missing from the published contract.
  const rules = z.toJSONSchema(SCHEMAS.oneLine, { io: 'input' });
  const { pattern, maxLength } = rules;
  expect(z.toJSONSchema(present(SCHEMAS.oneLine, 'is required'), { io: 'input' })).toMatchObject({
    type: 'string',
    minLength: 1,
    maxLength,
    pattern,
  });
  expect(z.toJSONSchema(mayBeBlank(SCHEMAS.oneLine), { io: 'input' })).toMatchObject({
    anyOf: [{ type: 'string', maxLength, pattern }, { maxLength: 0 }, { type: 'null' }],
  });
});
