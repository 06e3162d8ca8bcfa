import type { LogoProblem, ReadImage } from './image.ts';
import { readJpeg } from './jpeg.ts';
import { PNG_SIGNATURE, readPng } from './png.ts';

/** A fully read image without any metadata. */
export interface Logo {
  readonly type: 'png' | 'jpeg';
  readonly bytes: Uint8Array;
}

const BYTES_MAX = 1_000_000;
const JPEG_START = Buffer.from([0xff, 0xd8, 0xff]);

/**
 * Reads a PNG or JPEG, recognized by content, of at most 1 MB, 4,000 pixels a side and 4 megapixels. Returns the image without its metadata (such as
 * a photo's location), so that it can be published.
 */
export function readLogo(bytes: Uint8Array): Logo | LogoProblem {
  if (bytes.length > BYTES_MAX) {
    return 'too_large';
  }
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.subarray(0, PNG_SIGNATURE.length).equals(PNG_SIGNATURE)) {
    return logoOf('png', readPng(file));
  }
  if (file.subarray(0, JPEG_START.length).equals(JPEG_START)) {
    return logoOf('jpeg', readJpeg(file));
  }
  return 'not_png_or_jpeg';
}

function logoOf(type: Logo['type'], image: ReadImage): Logo | LogoProblem {
  return typeof image === 'string' ? image : { type, bytes: image };
}
