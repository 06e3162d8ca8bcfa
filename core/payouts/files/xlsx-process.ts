import { once } from 'node:events';
import { Readable } from 'node:stream';
import { Worker } from 'node:worker_threads';
import { type CellValue, EncryptedFileError } from 'hucre';
import { streamXlsxRows } from 'hucre/xlsx';

/** One line of the output, as JSON. The last one is `end` or a problem; without it the process has died. */
export type XlsxMessage =
  | { readonly row: number; readonly cells: readonly string[] }
  | { readonly row: number; readonly tooLong: true }
  | { readonly problem: 'encrypted' | 'unreadable' }
  | { readonly end: true };

export interface XlsxOrder {
  readonly fileBytes: number;
  readonly rowCharsMax: number;
  /** The process kills itself when it uses more memory. */
  readonly residentBytes: number;
}

const DAYS_TO_EPOCH = 25_569;
const DAY_MS = 86_400_000;
/** A spreadsheet keeps fifteen digits of a number. A longer one has lost its last digits, and is written so that no id or amount is read of it. */
const EXACT_BELOW = 1e15;

// Runs in a process of its own with a memory cap, because a small archive can hold gigabytes of shared strings.
const order = JSON.parse(process.argv[2] ?? '') as XlsxOrder;
new Worker(new URL('./memory-watch.ts', import.meta.url), { workerData: order.residentBytes }).unref();
await send(await rows());

async function rows(): Promise<XlsxMessage> {
  try {
    const bytes = Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>;
    for await (const { index, values } of streamXlsxRows(bytes, { maxInputBytes: order.fileBytes })) {
      const cells = values.map(textOf);
      const tooLong = cells.reduce((chars, cell) => chars + cell.length + 1, 0) > order.rowCharsMax;
      await send(tooLong ? { row: index + 1, tooLong } : { row: index + 1, cells });
    }
    return { end: true };
  } catch (error) {
    return { problem: error instanceof EncryptedFileError ? 'encrypted' : 'unreadable' };
  }
}

async function send(message: XlsxMessage): Promise<void> {
  if (!process.stdout.write(`${JSON.stringify(message)}\n`)) {
    await once(process.stdout, 'drain');
  }
}

/** The shortest decimal of the cell's number is what a spreadsheet shows, up to fifteen digits. */
function textOf(value: CellValue): string {
  if (value instanceof Date) {
    return serialOf(value.getTime());
  }
  if (typeof value === 'number') {
    return Math.abs(value) < EXACT_BELOW ? String(value) : value.toExponential();
  }
  return value === null ? '' : String(value);
}

/** Returns a date as the serial number that it had in the file, of the date system 1900. */
function serialOf(ms: number): string {
  if (Number.isNaN(ms)) {
    return '';
  }
  const days = Math.floor(ms / DAY_MS);
  const decimals = (BigInt(ms - days * DAY_MS) * 1_000_000_000_000n) / BigInt(DAY_MS);
  return `${days + DAYS_TO_EPOCH}.${decimals.toString().padStart(12, '0')}`;
}
