import encodeQr from 'qr';

/** The dark modules of a QR code as one SVG path, within a square of `size` by `size` that includes the quiet zone of four modules. */
export interface QrPath {
  readonly size: number;
  readonly path: string;
}

/** Returns the QR code of a text. */
export function qrPathOf(text: string): QrPath {
  const rows = encodeQr(text, 'raw', { ecc: 'medium', border: 4 });
  const path = rows
    .flatMap((row, y) => runs(row).map(({ x, length }) => `M${x} ${y}h${length}v1h-${length}z`))
    .join('');
  return { size: rows.length, path };
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
