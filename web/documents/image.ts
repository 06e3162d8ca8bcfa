/** Why bytes are no logo. */
export type LogoProblem = 'too_large' | 'not_png_or_jpeg' | 'damaged' | 'too_many_pixels' | 'unsupported';

/** What a format's reader found: the picture alone, or why there is none. */
export type ReadImage = Uint8Array | LogoProblem;

const SIDE_MAX = 4_000;
const PIXELS_MAX = 4_000_000;

/** A few bytes can announce a picture that fills the memory. */
export function hasTooManyPixels(width: number, height: number): boolean {
  return width > SIDE_MAX || height > SIDE_MAX || width * height > PIXELS_MAX;
}
