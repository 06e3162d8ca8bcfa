import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import { canonicalJson, parseJsonStrictly } from '../../api/http/json-text.ts';
import { DomainError } from '../../domain/errors.ts';

function refusal(text: string): string {
  try {
    parseJsonStrictly(text);
  } catch (error) {
    if (error instanceof DomainError) {
      return error.code;
    }
  }
  return 'taken';
}

describe('numbers', () => {
  test.each(['0', '-1', '10000', '9007199254740991', '-9007199254740991'])('%s is itself', (text) => {
    // Plain integers within the range that a double holds exactly.
    expect(parseJsonStrictly(text)).toBe(Number(text));
  });

  test.each(['0.1', '1.0', '1e3', '1E0', '9007199254740992', '9223372036854775808', '1e400', '100000000000000000000'])(
    '%s keeps its text instead of being rounded',
    (text) => {
      // JSON.parse would return the nearest double instead of the number that was written.
      expect(String(parseJsonStrictly(text))).toBe(`Symbol(${text})`);
    },
  );

  test.each([
    ['an object without members', z.object({ a: z.string().optional() })],
    ['a list', z.array(z.unknown())],
    ['a record', z.record(z.string(), z.unknown())],
    ['a number', z.number()],
    ['a text', z.string()],
  ])('of that kind are not taken for %s', (_name, schema) => {
    // Without this check, the body 1e400 would be accepted like {}.
    expect(schema.safeParse(parseJsonStrictly('1e400')).success).toBe(false);
  });
});

describe('members given twice', () => {
  test.each([
    '{"a":1,"a":2}',
    '{"a":1,"a":1}',
    String.raw`{"a":1,"\u0061":2}`,
    '{"x":{"a":1,"b":2,"a":3}}',
    '[{"a":1},{"a":1,"a":2}]',
    '{"a" :1,"a"\n:2}',
    '{"__proto__":1,"__proto__":2}',
    String.raw`{"\"":1,"\"":2}`,
  ])('%s is refused', (text) => {
    // Some readers take the last member and others the first.
    expect(refusal(text)).toBe('VALIDATION_ERROR');
  });

  test.each([
    '{"a":{"a":1},"b":[{"a":1},{"a":2}]}',
    String.raw`{"a":"{\"a\":1,\"a\":2}"}`,
    '{"a":"x","b":"a\\":"}',
    String.raw`{"a":"\\","b":1}`,
    '{"":1,"a":""}',
  ])('%s is taken', (text) => {
    // The same name in another object, or inside a string, is not a repetition.
    expect(refusal(text)).toBe('taken');
  });

  test('agrees with JSON.parse on whatever JSON.stringify writes', () => {
    // Clients that send ordinary JSON must never be refused.
    const integers = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.string({ unit: 'binary' }),
        fc.maxSafeInteger().map((n) => (Object.is(n, -0) ? 0 : n)),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(fc.string(), tie('value'), { maxKeys: 4 }),
      ),
    })).value;
    fc.assert(
      fc.property(integers, (value) => {
        const text = JSON.stringify(value);
        expect(JSON.stringify(parseJsonStrictly(text))).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
  });
});

describe('limits', () => {
  test('hold for depth and for the number of members', () => {
    // A small body must not cost much work.
    expect(refusal('['.repeat(32) + ']'.repeat(32))).toBe('taken');
    expect(refusal('['.repeat(33) + ']'.repeat(33))).toBe('VALIDATION_ERROR');
    expect(refusal('['.repeat(30_000))).toBe('VALIDATION_ERROR');
    const members = (count: number): string => `{${Array.from({ length: count }, (_, i) => `"${i}":0`).join(',')}}`;
    expect(refusal(members(10_000))).toBe('taken');
    expect(refusal(members(10_001))).toBe('VALIDATION_ERROR');
  });

  test('a hostile name becomes an ordinary member', () => {
    // A body must not be able to change a prototype.
    const value = parseJsonStrictly('{"__proto__":{"admin":true},"constructor":1}');
    expect(Object.keys(value ?? {})).toEqual(['__proto__', 'constructor']);
    expect(Reflect.get({}, 'admin')).toBeUndefined();
  });

  test('a message never repeats the body', () => {
    // Bodies contain names and addresses, and error messages are logged.
    expect(() => parseJsonStrictly('{"secret":"canary')).toThrow(/^the body is not valid JSON$/);
  });
});

describe('canonical text', () => {
  test('is the same for the same meaning and another for any other', () => {
    // Idempotency compares requests by their canonical text.
    const canon = (text: string): string => canonicalJson(parseJsonStrictly(text));
    expect(canon('{"b":[1, 2],\n"a":{"d":null,"c":"\\u0041"}}')).toBe('{"a":{"c":"A","d":null},"b":[1,2]}');
    expect(canon('{"a":1.0}')).not.toBe(canon('{"a":1}'));
    expect(canon('{"a":"1"}')).not.toBe(canon('{"a":1}'));
    expect(canon('[1,2]')).not.toBe(canon('[2,1]'));
    const dictionary = fc.dictionary(fc.string(), fc.string());
    fc.assert(
      fc.property(dictionary, (members) => {
        const turned = Object.fromEntries(Object.entries(members).reverse());
        expect(canon(JSON.stringify(turned))).toBe(canon(JSON.stringify(members)));
      }),
    );
  });
});
