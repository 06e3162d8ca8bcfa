import { hasTooManyPixels, type ReadImage } from './image.ts';

// Source: ITU-T T.81, annex B.
const START_OF_SCAN = 0xda;
const END_OF_IMAGE = 0xd9;
const BASELINE = [0xc0, 0xc1];
const PROGRESSIVE = 0xc2;
const HUFFMAN_TABLES = 0xc4;
const QUANTIZATION_TABLES = 0xdb;
const RESTART_INTERVAL = 0xdd;
/** Declares the colour transform (Adobe's own segment). */
const COLOUR_TRANSFORM = 0xee;
const SEGMENTS_MAX = 1_000;
/** Each scan of a progressive image covers all of its pixels. Programs write about ten. */
const SCANS_MAX = 20;

/** Reads a JPEG with one or three 8-bit components and its segments in order. Returns only the image: no EXIF, profile or comment. */
export function readJpeg(file: Buffer): ReadImage {
  const kept: Buffer[] = [file.subarray(0, 2)];
  let frame: Buffer | undefined;
  let scans = 0;
  let at = 2;
  for (let count = 0; count < SEGMENTS_MAX; count += 1) {
    const marker = file[at] === 0xff ? file[at + 1] : undefined;
    if (marker === END_OF_IMAGE && scans > 0) {
      kept.push(file.subarray(at, at + 2));
      return Buffer.concat(kept);
    }
    if (marker === undefined || at + 4 > file.length) {
      return 'damaged';
    }
    const body = file.subarray(at + 4, at + 2 + file.readUInt16BE(at + 2));
    const end = at + 2 + file.readUInt16BE(at + 2);
    if (end > file.length || end < at + 4) {
      return 'damaged';
    }
    if (isFrame(marker)) {
      if (frame !== undefined || body.length < 6) {
        return 'damaged';
      }
      frame = body;
      const problem = frameProblem(marker, body);
      if (problem !== null) {
        return problem;
      }
    }
    if (marker === START_OF_SCAN) {
      scans += 1;
      if (frame === undefined || scans > SCANS_MAX) {
        return 'damaged';
      }
      const scanEnd = endOfScan(file, end);
      kept.push(file.subarray(at, scanEnd));
      at = scanEnd;
      continue;
    }
    if (isFrame(marker) || isTable(marker) || (marker === COLOUR_TRANSFORM && isAdobe(body))) {
      kept.push(file.subarray(at, end));
    }
    at = end;
  }
  return 'damaged';
}

function isFrame(marker: number): boolean {
  // C4, C8 and CC lie in the range but are not frames.
  return marker >= 0xc0 && marker <= 0xcf && ![HUFFMAN_TABLES, 0xc8, 0xcc].includes(marker);
}

function isTable(marker: number): boolean {
  return [HUFFMAN_TABLES, QUANTIZATION_TABLES, RESTART_INTERVAL].includes(marker);
}

function isAdobe(body: Buffer): boolean {
  return body.subarray(0, 5).toString('latin1') === 'Adobe';
}

/** CMYK, lossless and arithmetic-coded images are rejected; only print programs use them. */
function frameProblem(marker: number, body: Buffer): 'unsupported' | 'damaged' | 'too_many_pixels' | null {
  const height = body.readUInt16BE(1);
  const width = body.readUInt16BE(3);
  const [depth] = body;
  const colours = body[5] ?? 0;
  if (!(BASELINE.includes(marker) || marker === PROGRESSIVE) || depth !== 8 || (colours !== 1 && colours !== 3)) {
    return 'unsupported';
  }
  if (width === 0 || height === 0 || body.length !== 6 + colours * 3) {
    return 'damaged';
  }
  return hasTooManyPixels(width, height) ? 'too_many_pixels' : null;
}

/** Returns the offset of the next marker that is neither a stuffed zero nor a restart; the file's end if there is none. */
function endOfScan(file: Buffer, start: number): number {
  for (let at = file.indexOf(0xff, start); at !== -1 && at + 1 < file.length; at = file.indexOf(0xff, at + 1)) {
    const next = file[at + 1] ?? 0;
    if (next !== 0x00 && next !== 0xff && !(next >= 0xd0 && next <= 0xd7)) {
      return at;
    }
  }
  return file.length;
}
