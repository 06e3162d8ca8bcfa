import { crc32, inflateSync } from 'node:zlib';
import { hasTooManyPixels, type ReadImage } from './image.ts';

export const PNG_SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** The chunks of the image, in their required order. All others are dropped: profiles, times, texts, EXIF. */
const PICTURE_CHUNKS = ['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND'];

/** Samples per pixel and allowed depths by colour type. Source: PNG (third edition), 11.2.1. */
const COLOUR_TYPES: Readonly<Record<number, { readonly samples: number; readonly depths: readonly number[] }>> = {
  0: { samples: 1, depths: [1, 2, 4, 8, 16] },
  2: { samples: 3, depths: [8, 16] },
  3: { samples: 1, depths: [1, 2, 4, 8] },
  4: { samples: 2, depths: [8, 16] },
  6: { samples: 4, depths: [8, 16] },
};
const INDEXED = 3;

/** The seven passes of an interlaced image: first column and row, steps. Source: PNG, 8.2. */
const INTERLACED = [
  { x: 0, y: 0, dx: 8, dy: 8 },
  { x: 4, y: 0, dx: 8, dy: 8 },
  { x: 0, y: 4, dx: 4, dy: 8 },
  { x: 2, y: 0, dx: 4, dy: 4 },
  { x: 0, y: 2, dx: 2, dy: 4 },
  { x: 1, y: 0, dx: 2, dy: 2 },
  { x: 0, y: 1, dx: 1, dy: 2 },
];
const WHOLE = [{ x: 0, y: 0, dx: 1, dy: 1 }];

interface Chunk {
  readonly type: string;
  readonly data: Buffer;
  /** With length and checksum. */
  readonly whole: Buffer;
}

/** Reads a PNG and checks every checksum, row and length. Returns only the image. */
export function readPng(file: Buffer): ReadImage {
  const chunks = chunksOf(file);
  const header = chunks?.[0];
  if (chunks === null || header?.type !== 'IHDR' || header.data.length !== 13) {
    return 'damaged';
  }
  const width = header.data.readUInt32BE(0);
  const height = header.data.readUInt32BE(4);
  const [depth = 0, colourType = 0, compression, filter, interlace = 0] = header.data.subarray(8);
  const colour = COLOUR_TYPES[colourType];
  const sane = colour?.depths.includes(depth) === true && compression === 0 && filter === 0 && interlace <= 1;
  if (colour === undefined || !sane || width === 0 || height === 0) {
    return 'damaged';
  }
  if (hasTooManyPixels(width, height)) {
    return 'too_many_pixels';
  }
  const kept = chunks.filter(({ type }) => PICTURE_CHUNKS.includes(type));
  const rows = (interlace === 1 ? INTERLACED : WHOLE)
    .map(({ x, y, dx, dy }) => ({ width: Math.ceil((width - x) / dx), height: Math.ceil((height - y) / dy) }))
    .filter((pass) => pass.width > 0 && pass.height > 0)
    .map((pass) => ({ bytes: 1 + Math.ceil((pass.width * colour.samples * depth) / 8), count: pass.height }));
  return isOrdered(kept, colourType === INDEXED) && fills(kept, rows)
    ? Buffer.concat([PNG_SIGNATURE, ...kept.map(({ whole }) => whole)])
    : 'damaged';
}

/** Returns null if a length or checksum is wrong, or if IEND is not last. */
function chunksOf(file: Buffer): Chunk[] | null {
  const chunks: Chunk[] = [];
  let at = PNG_SIGNATURE.length;
  while (at + 12 <= file.length) {
    const end = at + 12 + file.readUInt32BE(at);
    if (end > file.length || crc32(file.subarray(at + 4, end - 4)) !== file.readUInt32BE(end - 4)) {
      return null;
    }
    const type = file.toString('latin1', at + 4, at + 8);
    chunks.push({ type, data: file.subarray(at + 8, end - 4), whole: file.subarray(at, end) });
    if (type === 'IEND') {
      return chunks;
    }
    at = end;
  }
  return null;
}

function isOrdered(chunks: readonly Chunk[], indexed: boolean): boolean {
  const types = chunks.map(({ type }) => type).join(' ');
  const palette = chunks.find(({ type }) => type === 'PLTE')?.data.length ?? 0;
  return (
    /^IHDR( PLTE)?( tRNS)?( IDAT)+ IEND$/.test(types) &&
    palette % 3 === 0 &&
    palette <= 768 &&
    (!indexed || palette > 0)
  );
}

/** Returns whether the pixels unpack to exactly the rows that the header declares, each with a valid filter. */
function fills(chunks: readonly Chunk[], passes: readonly { bytes: number; count: number }[]): boolean {
  const expected = passes.reduce((sum, { bytes, count }) => sum + bytes * count, 0);
  const packed = Buffer.concat(chunks.filter(({ type }) => type === 'IDAT').map(({ data }) => data));
  let pixels: Buffer;
  try {
    pixels = inflateSync(packed, { maxOutputLength: expected });
  } catch {
    return false;
  }
  if (pixels.length !== expected) {
    return false;
  }
  let at = 0;
  for (const { bytes, count } of passes) {
    for (let row = 0; row < count; row += 1, at += bytes) {
      if ((pixels[at] ?? 0) > 4) {
        return false;
      }
    }
  }
  return true;
}
