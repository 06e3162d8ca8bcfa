import { describe, expect, test } from '@jest/globals';
import { type CellValue, type WriteOptions, writeXlsx } from 'hucre/xlsx';
import { FILE_LIMITS, type FileLimits } from '../../../../core/payouts/files/file-limits.ts';
import { readPayoutLines } from '../../../../core/payouts/files/payout-lines.ts';
import { xlsxRows } from '../../../../core/payouts/files/xlsx-rows.ts';
import { PayoutMapping } from '../../../../domain/payouts/mapping.ts';
import { all, inChunks } from './bytes.ts';

const MAPPING = PayoutMapping.parse({
  version: 1,
  format: 'xlsx',
  headerRow: 2,
  columns: {
    lineReference: { headings: ['Id'] },
    gross: { headings: ['Amount'] },
    occurredAt: { headings: ['Date'] },
    description: { headings: ['Text'] },
  },
  fixed: { currency: 'BDT', kind: 'CHARGE' },
  dateOrder: 'day-first',
  totals: { headings: ['Id'], words: ['Total'] },
});

async function workbook(rows: CellValue[][], options: Partial<WriteOptions> = {}): Promise<Uint8Array> {
  const sheet = { name: 'Payout', columns: [{ width: 10 }], rows };
  return writeXlsx({ sheets: [sheet], ...options });
}

async function read(file: Uint8Array, limits: Partial<FileLimits> = {}) {
  const lines = await all(readPayoutLines(inChunks(file, 4_096), MAPPING, { ...FILE_LIMITS, ...limits }));
  return lines.map((read) =>
    read.kind === 'line'
      ? [read.lineNumber, read.line.lineReference, read.line.grossMinor, read.line.occurredAt?.toISOString()]
      : [read.lineNumber, read.rejection.code, read.rejection.column],
  );
}

const HEADER = [['A title'], ['Id', 'Amount', 'Date', 'Text']];

describe('a spreadsheet', () => {
  test.each(['shared', 'inline'] as const)('with %s strings becomes lines', async (stringMode) => {
    const rows: CellValue[][] = [
      ...HEADER,
      ['0012', 97.7, new Date(Date.UTC(2026, 10, 24, 14, 5)), 'a'],
      ['TX2', '১২,৩৪,৫৬৭.৫০', '24/11/2026'],
      ['Total', 100],
    ];
    expect(await read(await workbook(rows, { stringMode }))).toEqual([
      [3, '0012', 9_770n, '2026-11-24T08:05:00.000Z'],
      [4, 'TX2', 123_456_750n, '2026-11-23T18:00:00.000Z'],
    ]);
  });

  test('counts dates from 1904 where it says so', async () => {
    const rows: CellValue[][] = [...HEADER, ['1', 1, new Date(Date.UTC(2026, 10, 24))]];
    const [line] = await read(await workbook(rows, { dateSystem: '1904' }));
    expect(line).toEqual([3, '1', 100n, '2026-11-23T18:00:00.000Z']);
  });

  test('is rejected row by row where it has lost digits', async () => {
    // What Excel shows as 1.23457E+17 was an id of eighteen digits.
    const rows: CellValue[][] = [
      ...HEADER,
      [123_456_789_012_345_680, 1, '24/11/2026'],
      [12_345, 0.1 + 0.2, '24/11/2026'],
      [12_345, 1e21, '24/11/2026'],
      [123_456_789_012_345, 1, '24/11/2026'],
    ];
    expect(await read(await workbook(rows))).toEqual([
      [3, 'MANGLED_ID', 'Id'],
      [4, 'BAD_AMOUNT', 'Amount'],
      [5, 'BAD_AMOUNT', 'Amount'],
      [6, '123456789012345', 100n, '2026-11-23T18:00:00.000Z'],
    ]);
  });

  test('with a row that is too long goes on behind it', async () => {
    const rows: CellValue[][] = [...HEADER, ['1', 1, '24/11/2026', 'x'.repeat(300)], ['2', 2, '24/11/2026']];
    expect(await read(await workbook(rows), { recordChars: 200 })).toEqual([
      [3, 'TOO_LONG', null],
      [4, '2', 200n, '2026-11-23T18:00:00.000Z'],
    ]);
  });

  test('of which only the beginning is wanted leaves no process behind', async () => {
    // A caller that stops early must not leave a reader that waits for ever.
    const rows: CellValue[][] = Array.from({ length: 5_000 }, (_, index) => [`${index}`, 'x'.repeat(200)]);
    const found = xlsxRows(inChunks(await workbook(rows), 4_096), FILE_LIMITS);
    expect((await found.next()).value).toMatchObject({ lineNumber: 1 });
    expect(await found.return(undefined)).toMatchObject({ done: true });
  });
});

describe('a spreadsheet is refused', () => {
  test('if it is something else, or breaks off', async () => {
    const whole = await workbook(HEADER);
    for (const file of [Buffer.from('Id,Amount\n'), new Uint8Array(), whole.subarray(0, whole.length / 2)]) {
      await expect(read(file)).rejects.toMatchObject({ name: 'UnreadableFile', problem: 'BAD_SPREADSHEET' });
    }
  });

  test('if it needs a password', async () => {
    const file = await workbook(HEADER, { encryption: { password: 'secret', spinCount: 1_000 } });
    await expect(read(file)).rejects.toMatchObject({
      problem: 'BAD_SPREADSHEET',
      message: expect.stringContaining('password'),
    });
  });

  test('if it is too large', async () => {
    const file = await workbook(HEADER);
    await expect(read(file, { fileBytes: file.length - 1 })).rejects.toMatchObject({ problem: 'TOO_LARGE' });
  });

  test('if it needs more memory than its process may take', async () => {
    // A small archive can be gigabytes of text. The service itself must not notice.
    const text = 'x'.repeat(30_000);
    const file = await workbook(Array.from({ length: 1_000 }, (_, index) => [text + index]));
    expect(file.length).toBeLessThan(100_000);
    const rows = xlsxRows(inChunks(file, 4_096), FILE_LIMITS, { residentBytes: 100 * 1024 * 1024, timeMs: 60_000 });
    await expect(all(rows)).rejects.toMatchObject({ problem: 'TOO_LARGE' });
  });

  test('with the error of its source', async () => {
    // A connection that breaks is no verdict on the file.
    async function* broken() {
      yield (await workbook(HEADER)).subarray(0, 100);
      throw new Error('connection reset');
    }
    await expect(all(xlsxRows(broken(), FILE_LIMITS))).rejects.toThrow('connection reset');
  });

  test('if it needs more time than its process may take', async () => {
    async function* stalled() {
      yield (await workbook(HEADER)).subarray(0, 100);
      await new Promise(() => {});
    }
    const rows = xlsxRows(stalled(), FILE_LIMITS, { residentBytes: 512 * 1024 * 1024, timeMs: 3_000 });
    await expect(all(rows)).rejects.toMatchObject({ problem: 'TOO_LARGE' });
  });
});
