import { describe, expect, test } from '@jest/globals';
import { createCipheriv, randomBytes } from 'node:crypto';
import { createSecretBox } from '../../runtime/secrets.ts';

const OLD = `old:${Buffer.alloc(32, 1).toString('base64')}`;
const NEW = `new:${Buffer.alloc(32, 2).toString('base64')}`;
const PLAIN = 'whsec_কী and another';

/** As secrets were sealed before each had a key of its own. */
function sealedDirectly(plain: string): string {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', Buffer.alloc(32, 1), iv);
  cipher.setAAD(Buffer.from('old'));
  const body = Buffer.concat([iv, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return `v1.old.${body.toString('base64url')}`;
}

describe('a sealed secret', () => {
  test('is opened by its key, and is another text each time', () => {
    const box = createSecretBox(OLD);
    const [one, two] = [box.seal(PLAIN), box.seal(PLAIN)];
    expect(one).not.toBe(two);
    expect([box.open(one), box.open(two)]).toEqual([PLAIN, PLAIN]);
    expect(box.open(box.seal(''))).toBe('');
  });

  test('from before envelopes is opened, and gets an envelope when it is sealed again', () => {
    const box = createSecretBox(OLD);
    const sealed = sealedDirectly(PLAIN);
    expect(box.open(sealed)).toBe(PLAIN);
    const resealed = box.reseal(sealed) ?? '';
    expect(resealed).toMatch(/^v2\.old\./);
    expect(box.open(resealed)).toBe(PLAIN);
  });

  test('moves to the first key without its own part being touched', () => {
    // Only the data key is sealed anew.
    const sealed = createSecretBox(OLD).seal(PLAIN);
    const both = createSecretBox(`${NEW},${OLD}`);
    const moved = both.reseal(sealed) ?? '';
    expect(moved.split('.')[1]).toBe('new');
    expect(moved.split('.')[3]).toBe(sealed.split('.')[3]);
    expect(createSecretBox(NEW).open(moved)).toBe(PLAIN);
    expect(both.reseal(moved)).toBeNull();
    expect(() => createSecretBox(OLD).open(moved)).toThrow(/key id "new"/);
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
    // Never another secret, and never a part of one.
    const box = createSecretBox(`${OLD},new:${Buffer.alloc(32, 1).toString('base64')}`);
    const changed = change(box.seal(PLAIN).split('.')).join('.');
    expect(() => box.open(changed)).toThrow();
    expect(() => box.reseal(changed) ?? box.open(changed)).toThrow();
  });
});

function sealedParts(): string[] {
  return createSecretBox(OLD).seal('another').split('.');
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
