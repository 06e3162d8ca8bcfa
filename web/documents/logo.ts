import type { LogoProblem, ReadImage } from './image.ts';
import { readJpeg } from './jpeg.ts';
import { PNG_SIGNATURE, readPng } from './png.ts';

/** An image that was read from end to end, without whatever a file carries beside the picture. */
export interface Logo {
  readonly type: 'png' | 'jpeg';
  readonly bytes: Uint8Array;
}

const BYTES_MAX = 1_000_000;
const JPEG_START = Buffer.from([0xff, 0xd8, 0xff]);

/**
 * Takes PNG and JPEG by their contents, up to 1 MB, 4,000 pixels a side and 4 megapixels. Answers the picture without its metadata (a photo's
 * place, comments), so that it may be shown to anybody.
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
