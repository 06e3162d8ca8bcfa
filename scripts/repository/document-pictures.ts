import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { closePress, renderInvoice } from '../../web/documents/render.ts';
import { banglaInvoice, installmentsInvoice, shortInvoice } from '../../test/web/documents/examples.ts';
import { drawnPage } from '../../test/web/documents/read-pdf.ts';

/** Draws the invoice pictures in docs/images from the invoices of the tests. */
const { values } = parseArgs({
  options: { into: { type: 'string', default: resolve(import.meta.dirname, '../../docs/images') } },
});

const PIXELS_A_POINT = 1.4;
const BYTES_MAX = 200_000;

mkdirSync(values.into, { recursive: true });
for (const { name, invoice, page } of [
  { name: 'invoice-short', invoice: shortInvoice, page: 1 },
  { name: 'invoice-installments', invoice: installmentsInvoice, page: 3 },
  { name: 'invoice-bangla', invoice: banglaInvoice, page: 1 },
]) {
  const { png } = await drawnPage(await renderInvoice(invoice), page, PIXELS_A_POINT);
  const path = join(values.into, `${name}.png`);
  writeFileSync(path, png);
  console.log(`${path} ${Math.round(png.length / 1_000)} kB`);
  if (png.length > BYTES_MAX) {
    throw new Error(`${name}.png is larger than ${BYTES_MAX / 1_000} kB`);
  }
}
closePress();
