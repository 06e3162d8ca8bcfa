import { qrPathOf } from '../qr-path.ts';
import type { SafeUrl } from '../safe-url.ts';

/** Longer links would need modules too small for a phone's camera. */
const LENGTH_MAX = 400;

/** Returns the link's QR code as an SVG with one path and the quiet zone of four modules; null if the link is too long. */
export function qrOf(url: SafeUrl): string | null {
  const text = url.toString();
  if (text.length > LENGTH_MAX) {
    return null;
  }
  const { size, path } = qrPathOf(text);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}"><path d="${path}"/></svg>`;
}
