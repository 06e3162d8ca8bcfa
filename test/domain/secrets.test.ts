import { describe, expect, test } from '@jest/globals';
import {
  secondFactorPlace,
  signingSecretPlace,
  storeSecretPlace,
  type SealedPlace,
} from '../../runtime/sealed-places.ts';
import { createSecretBox } from '../../runtime/secrets.ts';

const OLD = `old:${Buffer.alloc(32, 1).toString('base64')}`;
const NEW = `new:${Buffer.alloc(32, 2).toString('base64')}`;
const PLAIN = 'whsec_কী and another';

const HERE = secondFactorPlace(1n);

describe('a sealed secret', () => {
  test('is opened by its key, and is another text each time', () => {
    const box = createSecretBox(OLD);
    const [one, two] = [box.seal(PLAIN, HERE), box.seal(PLAIN, HERE)];
    expect(one).not.toBe(two);
    expect([box.open(one, HERE), box.open(two, HERE)]).toEqual([PLAIN, PLAIN]);
    expect(box.open(box.seal('', HERE), HERE)).toBe('');
  });

  test.each<[string, SealedPlace]>([
    ['another row', secondFactorPlace(2n)],
    ['another column', signingSecretPlace({ applicationId: 1n, mode: 'LIVE' })],
    ['the other mode of the same application', signingSecretPlace({ applicationId: 1n, mode: 'TEST' })],
    ['no row at all', { ...HERE, key: '' }],
    ['another table', storeSecretPlace('1')],
  ])('is not opened in the place of %s, also after a change of keys', (_name, place) => {
    // An attacker with write access to the database must not be able to give one application the signing secret or the
    // store of another.
    const both = createSecretBox(`${NEW},${OLD}`);
    const sealed = createSecretBox(OLD).seal(PLAIN, HERE);
    for (const text of [sealed, both.reseal(sealed) ?? '']) {
      expect(both.open(text, HERE)).toBe(PLAIN);
      expect(() => both.open(text, place)).toThrow();
    }
  });

  test('moves to the first key without its own part being touched', () => {
    // Only the data key is sealed again.
    const sealed = createSecretBox(OLD).seal(PLAIN, HERE);
    const both = createSecretBox(`${NEW},${OLD}`);
    const moved = both.reseal(sealed) ?? '';
    expect(moved.split('.')[1]).toBe('new');
    expect(moved.split('.')[3]).toBe(sealed.split('.')[3]);
    expect(createSecretBox(NEW).open(moved, HERE)).toBe(PLAIN);
    expect(both.reseal(moved)).toBeNull();
    expect(() => createSecretBox(OLD).open(moved, HERE)).toThrow(/key id "new"/);
  });

  test.each<[string, (parts: string[]) => string[]]>([
    ['whose data key is another’s', ([v = '', k = '', , body = '']) => [v, k, sealedParts()[2] ?? '', body]],
    ['whose body is another’s', ([v = '', k = '', key = '']) => [v, k, key, sealedParts()[3] ?? '']],
    ['with a changed byte', ([v = '', k = '', key = '', body = '']) => [v, k, key, flipped(body)]],
    ['with a changed byte in its key', ([v = '', k = '', key = '', body = '']) => [v, k, flipped(key), body]],
    ['under the name of another key', ([v = '', , key = '', body = '']) => [v, 'new', key, body]],
    ['that is cut', ([v = '', k = '', key = '']) => [v, k, key, 'AAAA']],
    ['of an unknown kind', ([, k = '', key = '', body = '']) => ['v9', k, key, body]],
    ['with a part too many', (parts) => [...parts, 'AAAA']],
  ])('%s is refused', (_name, change) => {
    // Opening it must neither return another secret nor a part of one.
    const box = createSecretBox(`${OLD},new:${Buffer.alloc(32, 1).toString('base64')}`);
    const changed = change(box.seal(PLAIN, HERE).split('.')).join('.');
    expect(() => box.open(changed, HERE)).toThrow();
    expect(() => box.reseal(changed) ?? box.open(changed, HERE)).toThrow();
  });
});

function sealedParts(): string[] {
  return createSecretBox(OLD).seal('another', HERE).split('.');
}

function flipped(part: string): string {
  const bytes = Buffer.from(part, 'base64url');
  bytes[20] = (bytes[20] ?? 0) ^ 1;
  return bytes.toString('base64url');
}

describe('a master key', () => {
  test.each(['', 'k', 'k:', 'k:AAAA', `:${Buffer.alloc(32).toString('base64')}`, `a b:${'A'.repeat(44)}`, `${OLD},`])(
    'that is malformed is refused without being repeated: %p',
    (text) => {
      const make = (): unknown => createSecretBox(text);
      expect(make).toThrow(/LENDEN_MASTER_KEY/);
      expect(make).not.toThrow(/AAAA|AQEB/);
    },
  );
});
