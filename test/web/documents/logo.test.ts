import { afterAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { deflateSync } from 'node:zlib';
import { readLogo } from '../../../web/documents/logo.ts';
import { closePress, renderInvoice } from '../../../web/documents/render.ts';
import { logoOf, png, pngOf, shortInvoice } from './examples.ts';
import { drawnPage } from './read-pdf.ts';

afterAll(closePress);

/** 16 × 8 red pixels, encoded by libjpeg. */
const baselineJpeg = Buffer.from(
  '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8ybqmx5moq6T/2wBDARweHigjKE4rK06kbl1upKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKT/wAARCAAIABADASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAX/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFQEBAQAAAAAAAAAAAAAAAAAABAX/xAAUEQEAAAAAAAAAAAAAAAAAAAAA/9oADAMBAAIRAxEAPwCeAOpP/9k=',
  'base64',
);
const progressiveJpeg = Buffer.from(
  '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8ybqmx5moq6T/2wBDARweHigjKE4rK06kbl1upKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKT/wgARCAAIABADASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAT/xAAVAQEBAAAAAAAAAAAAAAAAAAADBP/aAAwDAQACEAMQAAABnB0//8QAFBABAAAAAAAAAAAAAAAAAAAAEP/aAAgBAQABBQI//8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAAgBAwEBPwF//8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAAgBAgEBPwF//8QAFBABAAAAAAAAAAAAAAAAAAAAEP/aAAgBAQAGPwI//8QAFBABAAAAAAAAAAAAAAAAAAAAEP/aAAgBAQABPyE//9oADAMBAAIAAwAAABAD/8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAAgBAwEBPxB//8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAAgBAgEBPxB//8QAFBABAAAAAAAAAAAAAAAAAAAAEP/aAAgBAQABPxA//9k=',
  'base64',
);

function header({
  width,
  height,
  depth = 8,
  colour = 2,
  interlaced = 0,
}: {
  width: number;
  height: number;
  depth?: number;
  colour?: number;
  interlaced?: number;
}): Buffer {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width, 0);
  data.writeUInt32BE(height, 4);
  data.set([depth, colour, 0, 0, interlaced], 8);
  return data;
}

const end = ['IEND', Buffer.alloc(0)] as const;
const pixels = (length: number): readonly [string, Buffer] => ['IDAT', deflateSync(Buffer.alloc(length))];

describe('a logo that is taken', () => {
  test.each([
    ['a PNG', png({ width: 40, height: 10 })],
    ['an interlaced PNG', pngOf([['IHDR', header({ width: 3, height: 3, interlaced: 1 })], pixels(33), end])],
    [
      'a PNG with a palette',
      pngOf([
        ['IHDR', header({ width: 9, height: 2, depth: 1, colour: 3 })],
        ['PLTE', Buffer.alloc(6)],
        ['tRNS', Buffer.from([0])],
        pixels(6),
        end,
      ]),
    ],
    [
      'a PNG of 16 bits with alpha',
      pngOf([['IHDR', header({ width: 2, height: 2, depth: 16, colour: 6 })], pixels(34), end]),
    ],
    ['a JPEG', baselineJpeg],
    ['a progressive JPEG', progressiveJpeg],
  ])('%s stands on the invoice', async (_, bytes) => {
    // A logo that is accepted must be printable.
    const logo = logoOf(bytes);
    const branding = { ...shortInvoice.branding, logo };
    await expect(renderInvoice({ ...shortInvoice, branding })).resolves.toBeInstanceOf(Buffer);
  });

  test.each([
    ['wide', 400, 20],
    ['high', 20, 400],
  ])('keeps its form and its place at the left: %s', async (_, width, height) => {
    // A logo must not be distorted or push the company's name away.
    const branding = { ...shortInvoice.branding, logo: logoOf(png({ width, height, rgb: [255, 0, 0] })) };
    const drawn = await drawnPage(await renderInvoice({ ...shortInvoice, branding }), 1, 2);
    const red = Array.from({ length: drawn.width * drawn.height }, (_, at) => at).filter(
      (at) => drawn.data[at * 4] === 255 && drawn.data[at * 4 + 1] === 0 && drawn.data[at * 4 + 2] === 0,
    );
    const columns = red.map((at) => at % drawn.width);
    const left = columns.reduce((least, column) => Math.min(least, column), drawn.width);
    const right = columns.reduce((most, column) => Math.max(most, column), 0);
    const rows = red.map((at) => Math.floor(at / drawn.width));
    const top = rows.reduce((least, row) => Math.min(least, row), drawn.height);
    const bottom = rows.reduce((most, row) => Math.max(most, row), 0);
    expect(Math.abs(left - (18 / 25.4) * 144)).toBeLessThan(3);
    expect(Math.abs((right - left + 1) / (bottom - top + 1) / (width / height) - 1)).toBeLessThan(0.25);
  });

  test('loses what a file carries beside the picture', () => {
    // Customers must not see where a photo was taken or its author's comments.
    const secret = Buffer.from('GPS 23.8103 N 90.4125 E');
    const [picture, ...rest] = [png({ width: 4, height: 4 })];
    const withText = pngOf([
      ['IHDR', header({ width: 4, height: 4 })],
      ['tEXt', secret],
      ['eXIf', secret],
      pixels(52),
      end,
    ]);
    const segment = Buffer.concat([Buffer.from([0xff, 0xe1, 0, secret.length + 2]), secret]);
    const withExif = Buffer.concat([baselineJpeg.subarray(0, 2), segment, baselineJpeg.subarray(2)]);
    expect(rest).toEqual([]);
    expect(Buffer.from(logoOf(picture ?? Buffer.alloc(0)).bytes).equals(picture ?? Buffer.alloc(0))).toBe(true);
    for (const bytes of [withText, withExif]) {
      expect(Buffer.from(logoOf(bytes).bytes).includes('GPS')).toBe(false);
    }
    expect(logoOf(withExif)).toEqual(logoOf(baselineJpeg));
  });
});

describe('a logo that is refused', () => {
  const good = png({ width: 40, height: 10 });
  const broken = Buffer.from(good);
  broken[50] = (broken[50] ?? 0) ^ 1;
  test.each([
    [
      'an SVG with a script',
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'),
      'not_png_or_jpeg',
    ],
    ['a GIF', Buffer.from('GIF89a\u0001\u0000\u0001\u0000'), 'not_png_or_jpeg'],
    ['WebP', Buffer.from('RIFF\u0000\u0000\u0000\u0000WEBPVP8 '), 'not_png_or_jpeg'],
    ['a PDF', Buffer.from('%PDF-1.7'), 'not_png_or_jpeg'],
    ['nothing', Buffer.alloc(0), 'not_png_or_jpeg'],
    ['4 MB', Buffer.concat([good, Buffer.alloc(4_000_000)]), 'too_large'],
    ['a PNG that is cut off', good.subarray(0, good.length - 15), 'damaged'],
    ['a PNG with a wrong checksum', broken, 'damaged'],
    ['the beginning of a PNG', good.subarray(0, 8), 'damaged'],
    ['a PNG with too few pixels', pngOf([['IHDR', header({ width: 40, height: 40 })], pixels(100), end]), 'damaged'],
    [
      'a PNG that unpacks to more than it says',
      pngOf([['IHDR', header({ width: 4, height: 4 })], pixels(50_000_000), end]),
      'damaged',
    ],
    [
      'a PNG with a filter that does not exist',
      pngOf([['IHDR', header({ width: 1, height: 1 })], ['IDAT', deflateSync(Buffer.from([9, 0, 0, 0]))], end]),
      'damaged',
    ],
    [
      'a PNG of a colour type that does not exist',
      pngOf([['IHDR', header({ width: 1, height: 1, colour: 5 })], pixels(4), end]),
      'damaged',
    ],
    [
      'a PNG without its palette',
      pngOf([['IHDR', header({ width: 1, height: 1, colour: 3 })], pixels(2), end]),
      'damaged',
    ],
    [
      'a PNG of 60,000 × 60,000',
      pngOf([['IHDR', header({ width: 60_000, height: 60_000, depth: 1, colour: 0 })], pixels(100), end]),
      'too_many_pixels',
    ],
    [
      'a PNG of 4,000 × 4,000',
      pngOf([['IHDR', header({ width: 4_000, height: 4_000 })], pixels(100), end]),
      'too_many_pixels',
    ],
    ['a JPEG that is cut off', baselineJpeg.subarray(0, baselineJpeg.length - 2), 'damaged'],
    ['the beginning of a JPEG', baselineJpeg.subarray(0, 20), 'damaged'],
    ['a JPEG without a picture', Buffer.from([0xff, 0xd8, 0xff, 0xd9]), 'damaged'],
    ['a JPEG of 65,535 × 65,535', withFrame({ at: 1, bytes: [0xff, 0xff, 0xff, 0xff] }), 'too_many_pixels'],
    ['a JPEG of four colours', withFrame({ at: 5, bytes: [4] }), 'unsupported'],
    ['a JPEG of 12 bits', withFrame({ at: 0, bytes: [12] }), 'unsupported'],
  ])('%s', (_, bytes, problem) => {
    // Typst's decoder must get only files that were fully checked here.
    expect(readLogo(bytes)).toBe(problem);
  });

  test('damaged files never throw, and what is taken can be set or fails alone', async () => {
    // Uploads come from strangers, and no image may end one of our processes.
    const originals = [good, baselineJpeg, progressiveJpeg];
    const damage = fc.record({
      original: fc.constantFrom(...originals),
      changes: fc.array(fc.record({ at: fc.nat(600), byte: fc.nat(255) }), { minLength: 1, maxLength: 6 }),
      cut: fc.nat(700),
    });
    const taken: ReturnType<typeof logoOf>[] = [];
    fc.assert(
      fc.property(damage, ({ original, changes, cut }) => {
        const bytes = Buffer.from(original);
        for (const { at, byte } of changes) {
          bytes[at % bytes.length] = byte;
        }
        const logo = readLogo(cut < 600 ? bytes : bytes.subarray(0, cut % bytes.length));
        if (typeof logo !== 'string') {
          taken.push(logo);
        }
      }),
      { numRuns: 2_000 },
    );
    expect(taken.length).toBeGreaterThan(0);
    for (const logo of taken.slice(0, 60)) {
      const branding = { ...shortInvoice.branding, logo };
      const outcome = await renderInvoice({ ...shortInvoice, branding }).catch((error: unknown) => error);
      expect(outcome instanceof Buffer || (outcome as { problem?: string }).problem === 'failed').toBe(true);
    }
    await expect(renderInvoice(shortInvoice)).resolves.toBeInstanceOf(Buffer);
  });
});

/** Returns the JPEG with some bytes of its frame header overwritten. */
function withFrame({ at, bytes }: { at: number; bytes: number[] }): Buffer {
  const changed = Buffer.from(baselineJpeg);
  changed.set(bytes, changed.indexOf(Buffer.from([0xff, 0xc0])) + 4 + at);
  return changed;
}
