import encodeQr from 'qr';
import type { SafeUrl } from '../safe-url.ts';

/** Longer links would need modules too small for a phone's camera. */
const LENGTH_MAX = 400;

/** Returns the link's QR code as an SVG with one path and the quiet zone of four modules; null if the link is too long. */
export function qrOf(url: SafeUrl): string | null {
  const text = url.toString();
  if (text.length > LENGTH_MAX) {
    return null;
  }
  const rows = encodeQr(text, 'raw', { ecc: 'medium', border: 4 });
  const path = rows
    .flatMap((row, y) => runs(row).map(({ x, length }) => `M${x} ${y}h${length}v1h-${length}z`))
    .join('');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${rows.length} ${rows.length}"><path d="${path}"/></svg>`;
}

/** Joins neighbouring dark modules. */
function runs(row: readonly boolean[]): { x: number; length: number }[] {
  return row.flatMap((dark, x) => {
    if (!dark || row[x - 1] === true) {
      return [];
    }
    const end = row.indexOf(false, x);
    return [{ x, length: (end === -1 ? row.length : end) - x }];
  });
}
