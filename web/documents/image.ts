/** Why a file is rejected as a logo. */
export type LogoProblem = 'too_large' | 'not_png_or_jpeg' | 'damaged' | 'too_many_pixels' | 'unsupported';

/** The image without metadata, or the reason why it is rejected. */
export type ReadImage = Uint8Array | LogoProblem;

const SIDE_MAX = 4_000;
const PIXELS_MAX = 4_000_000;

/** Returns whether an image is too large: a few bytes can declare an image that fills the memory. */
export function hasTooManyPixels(width: number, height: number): boolean {
  return width > SIDE_MAX || height > SIDE_MAX || width * height > PIXELS_MAX;
}
