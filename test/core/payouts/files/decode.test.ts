import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decoded } from '../../../../core/payouts/files/decode.ts';
import { all, inChunks } from './bytes.ts';

const TEXT = 'ট্রানজেকশন, Ntry €100 𝒙\r\n';

function utf16(text: string, order: 'le' | 'be'): Buffer {
  const bytes = Buffer.from(`\uFEFF${text}`, 'utf16le');
  return order === 'le' ? bytes : bytes.swap16();
}

async function read(bytes: Uint8Array, chunkBytes: number): Promise<string> {
  return (await all(decoded(inChunks(bytes, chunkBytes), 1_000_000))).join('');
}

describe('the encoding of a file', () => {
  test.each([
    ['UTF-8', Buffer.from(TEXT)],
    ['UTF-8 with a mark', Buffer.from(`\uFEFF${TEXT}`)],
    ['UTF-16LE', utf16(TEXT, 'le')],
    ['UTF-16BE', utf16(TEXT, 'be')],
  ])('%s is read whole, wherever its chunks are cut', async (_, bytes) => {
    // A character that lies across two chunks must not be lost.
    for (let chunkBytes = 1; chunkBytes <= bytes.length; chunkBytes += 1) {
      expect(await read(bytes, chunkBytes)).toBe(TEXT);
    }
  });

  test.each<[string, Uint8Array, number]>([
    ['Latin-1', Buffer.from('Zahlung f\u00FCr', 'latin1'), 9],
    ['a lone continuation', Buffer.from([0x41, 0x80]), 1],
    ['an overlong form', Buffer.from([0x41, 0xc0, 0xaf]), 1],
    ['a surrogate', Buffer.from([0x41, 0xed, 0xa0, 0x80]), 2],
    ['a character that breaks off', Buffer.from([0x41, 0xe0, 0xa6]), 3],
    ['a NUL', Buffer.from('ab\0c'), 2],
    ['a NUL after Bangla', Buffer.from('ক\0'), 3],
    ['UTF-16 without a mark', Buffer.from('ab', 'utf16le'), 1],
    ['half a unit', Buffer.concat([utf16('ab', 'le'), Buffer.from([0x41])]), 7],
    ['half a pair', Buffer.concat([utf16('a', 'be'), Buffer.from([0xd8, 0x00, 0x00, 0x41])]), 7],
    ['a NUL in UTF-16', utf16('a\0', 'le'), 4],
  ])('%s is refused with the offset of its byte', async (_, bytes, byteOffset) => {
    // A guess would turn one name into another.
    for (const chunkBytes of [1, 2, 3, 100]) {
      await expect(read(bytes, chunkBytes)).rejects.toMatchObject({ problem: 'BAD_ENCODING', byteOffset });
    }
  });

  test('is refused at the same byte however the file is cut', async () => {
    const bytes = fc.uint8Array({ maxLength: 40 });
    const chunkBytes = fc.integer({ min: 1, max: 40 });
    await fc.assert(
      fc.asyncProperty(bytes, chunkBytes, async (bytes, chunkBytes) => {
        const outcome = (chunk: number) => read(bytes, chunk).catch((error: unknown) => error);
        expect(await outcome(chunkBytes)).toEqual(await outcome(1_000));
      }),
      { examples: [[Uint8Array.from([0, 0, 192, 0]), 1]], numRuns: 1_000 },
    );
  });
});

test('a file that is too large is refused while it arrives', async () => {
  // A stream without an end must not be read to its end.
  async function* endless() {
    for (;;) {
      await Promise.resolve();
      yield Buffer.from('1,2,3\n');
    }
  }
  await expect(all(decoded(endless(), 1_000))).rejects.toMatchObject({ problem: 'TOO_LARGE' });
});

test('a file of nothing is empty text', async () => {
  expect(await read(new Uint8Array(), 1)).toBe('');
});
