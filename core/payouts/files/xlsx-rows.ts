import { type ChildProcess, spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import type { CsvRow } from './csv-rows.ts';
import type { FileLimits } from './file-limits.ts';
import { physicalLines } from './physical-lines.ts';
import { UnreadableFile } from './unreadable-file.ts';
import type { XlsxMessage, XlsxOrder } from './xlsx-process.ts';

export interface ProcessLimits {
  /** All memory of the process, of which an idle one takes about 70 MB. */
  readonly residentBytes: number;
  /** From the first byte to the last row. */
  readonly timeMs: number;
}

/** 200,000 rows with Excel's shared strings need about 450 MB. A larger file is better saved as CSV. */
const PROCESS_LIMITS: ProcessLimits = { residentBytes: 512 * 1024 * 1024, timeMs: 5 * 60_000 };
export const XLSX_BYTES_MAX = 50 * 1024 * 1024;
/** JSON writes a character with up to six. */
const MESSAGE_CHARS_PER_CHAR = 6;

/**
 * Reads the rows of the first sheet of an XLSX file, in a process with a memory cap and a time limit that receives no secrets. Dates are serial
 * numbers, and numbers are plain decimals. Rows that the file leaves out are left out.
 *
 * @throws UnreadableFile
 */
export async function* xlsxRows(
  bytes: AsyncIterable<Uint8Array>,
  limits: FileLimits,
  { residentBytes, timeMs }: ProcessLimits = PROCESS_LIMITS,
): AsyncGenerator<CsvRow> {
  const fileBytes = Math.min(limits.fileBytes, XLSX_BYTES_MAX);
  const child = started({ fileBytes, rowCharsMax: limits.recordChars, residentBytes });
  const timer = setTimeout(() => child.kill('SIGKILL'), timeMs);
  const source: Source = { failed: null };
  // If the process dies, its end of the pipe breaks; what that means is decided below.
  feed(child, watched(bytes, fileBytes, source)).catch(() => child.kill('SIGKILL'));
  try {
    for await (const message of messagesOf(child, limits)) {
      if ('end' in message) {
        return;
      }
      if ('problem' in message) {
        const what = message.problem === 'encrypted' ? 'is protected by a password' : 'is no XLSX file';
        throw new UnreadableFile('BAD_SPREADSHEET', `The file ${what}.`);
      }
      const lineNumber = message.row;
      yield 'tooLong' in message ? { lineNumber, problem: 'TOO_LONG' } : { lineNumber, fields: message.cells };
    }
    if (source.failed !== null) {
      throw source.failed.error;
    }
    throw new UnreadableFile(
      'TOO_LARGE',
      `The spreadsheet needs too much memory or time. Saved as CSV it can be read.`,
    );
  } finally {
    clearTimeout(timer);
    child.kill('SIGKILL');
  }
}

function started(order: XlsxOrder): ChildProcess {
  const program = fileURLToPath(new URL('./xlsx-process.ts', import.meta.url));
  const child = spawn(process.execPath, [program, JSON.stringify(order)], {
    env: {},
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  // A process that could not be started closes its output, too: without this its error would end the service.
  child.once('error', () => child.kill('SIGKILL'));
  return child;
}

async function feed(child: ChildProcess, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  if (child.stdin !== null) {
    await pipeline(Readable.from(bytes), child.stdin);
  }
}

interface Source {
  failed: { readonly error: unknown } | null;
}

/** Passes the bytes on, and notes why they ended early. */
async function* watched(
  bytes: AsyncIterable<Uint8Array>,
  fileBytes: number,
  source: Source,
): AsyncGenerator<Uint8Array> {
  let total = 0;
  try {
    for await (const chunk of bytes) {
      total += chunk.length;
      if (total > fileBytes) {
        throw new UnreadableFile('TOO_LARGE', `The file has more than ${fileBytes} bytes.`);
      }
      yield chunk;
    }
  } catch (error) {
    source.failed = { error };
    throw error;
  }
}

async function* messagesOf(child: ChildProcess, limits: FileLimits): AsyncGenerator<XlsxMessage> {
  if (child.stdout === null) {
    return;
  }
  child.stdout.setEncoding('utf8');
  const lines = physicalLines(child.stdout as AsyncIterable<string>, limits.recordChars * MESSAGE_CHARS_PER_CHAR + 100);
  for await (const some of lines) {
    for (const { text, end } of some) {
      // A process that was killed leaves half a line.
      if (end !== '') {
        yield JSON.parse(text) as XlsxMessage;
      }
    }
  }
}
