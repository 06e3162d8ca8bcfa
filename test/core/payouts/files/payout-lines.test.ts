import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { FILE_LIMITS, type FileLimits } from '../../../../core/payouts/files/file-limits.ts';
import { readPayoutLines } from '../../../../core/payouts/files/payout-lines.ts';
import { PayoutMapping, type PayoutMappingInput } from '../../../../domain/payouts/mapping.ts';
import { all, inChunks } from './bytes.ts';

const MAPPING: PayoutMappingInput = {
  version: 1,
  format: 'csv',
  columns: {
    lineReference: { headings: ['id', 'আইডি'] },
    gross: { headings: ['amount'] },
    description: { headings: ['text'], optional: true },
  },
  fixed: { currency: 'BDT', kind: 'CHARGE' },
  dateOrder: 'day-first',
};

interface Options {
  readonly changes?: Partial<PayoutMappingInput>;
  readonly limits?: Partial<FileLimits>;
  readonly chunkBytes?: number;
}

function read(content: string | Uint8Array, { changes = {}, limits = {}, chunkBytes = 7 }: Options = {}) {
  const mapping = PayoutMapping.parse({ ...MAPPING, ...changes });
  return all(readPayoutLines(inChunks(content, chunkBytes), mapping, { ...FILE_LIMITS, ...limits }));
}

/** Each row in short: its line number with its reference, amount and text, or with its code. */
async function short(content: string | Uint8Array, options: Options = {}): Promise<unknown[]> {
  const lines = await read(content, options);
  return lines.map((read) =>
    read.kind === 'line'
      ? [read.lineNumber, read.line.lineReference, read.line.grossMinor, read.line.description]
      : [read.lineNumber, read.rejection.code],
  );
}

describe('a CSV file', () => {
  test.each([',', ';', '\t'] as const)('separated by %p is read with its header', async (delimiter) => {
    const file = `id,amount,text\n1,10.00,a b\n02,3,\n`.replaceAll(',', delimiter);
    const rows = [
      [2, '1', 1_000n, 'a b'],
      [3, '02', 300n, null],
    ];
    expect(await short(file)).toEqual(rows);
    expect(await short(file, { changes: { delimiter } })).toEqual(rows);
  });

  test.each(['\n', '\r\n', '\r'])('whose lines end in %p counts them as an editor does', async (end) => {
    const file = ['id,amount', '1,1', '', '2,2', '"3",3'].join(end);
    for (const chunkBytes of [1, 2, 3, 100]) {
      const rows = await short(file, { chunkBytes });
      expect(rows.map((row) => (row as unknown[])[0])).toEqual([2, 4, 5]);
    }
  });

  test('in UTF-16 with Bangla headings and digits is read', async () => {
    // Spreadsheets save Unicode text so.
    const file = Buffer.from('\uFEFFআইডি\tamount\r\n০১\t১,০০,০০০\r\n', 'utf16le');
    expect(await short(file)).toEqual([[2, '০১', 10_000_000n, null]]);
  });

  test('keeps delimiters, quotes and line breaks of a quoted cell', async () => {
    const file = 'id,amount,text\n1,"1,000.00","say ""no"",\nthen go"\n2,2,b\n';
    expect(await short(file)).toEqual([
      [2, '1', 100_000n, 'say "no", then go'],
      [4, '2', 200n, 'b'],
    ]);
  });

  test('may have lines above its header and columns that nobody maps', async () => {
    const file = 'My "bank\n\nid,x,x,amount\n1,,,5\n';
    expect(await short(file, { changes: { headerRow: 3 } })).toEqual([[4, '1', 500n, null]]);
  });

  test('whose quoted header goes over two lines is read', async () => {
    expect(await short('"id",amount,"long\nheading"\n1,5,\n')).toEqual([[3, '1', 500n, null]]);
  });
});

describe('a malformed row is rejected and the rest is still read', () => {
  test.each([
    ['a quote inside of a cell', '2,2,5" pipe', 'BAD_QUOTING'],
    ['text behind a quoted cell', '2,2,"a"b', 'BAD_QUOTING'],
    ['a quote that is never closed', '2,2,"a', 'BAD_QUOTING'],
    ['a quote that is never closed, at the start', '"2,2,a', 'BAD_QUOTING'],
    ['too few fields', '2,2', 'TOO_FEW_FIELDS'],
    ['too many fields', '2,2,a,b', 'TOO_MANY_FIELDS'],
    ['a bad amount', '2,x,a', 'BAD_AMOUNT'],
    ['a row that is too long', `2,2,${'x'.repeat(300)}`, 'TOO_LONG'],
    ['a cell that is too long', `2,2,${'x'.repeat(60)}`, 'TOO_LONG'],
  ])('for %s', async (_, row, code) => {
    // One broken row must not take its neighbours with it.
    const limits = { recordChars: 200, cellChars: 50 };
    for (const neighbour of ['3,3,c', '"3","3","c"', '3,3,"c\nd"']) {
      const rows = await short(`id,amount,text\n1,1,a\n${row}\n${neighbour}\n4,4,d\n`, { limits });
      const text = neighbour.includes('\n') ? 'c d' : 'c';
      expect(rows).toEqual([
        [2, '1', 100n, 'a'],
        [3, code],
        [4, '3', 300n, text],
        [neighbour.includes('\n') ? 6 : 5, '4', 400n, 'd'],
      ]);
    }
  });

  test('and trailing empty fields are no fields', async () => {
    expect(await short('id,amount\n1,1,,\n')).toEqual([[2, '1', 100n, null]]);
  });

  test('and a quote that is never closed does not swallow a long file', async () => {
    const rest = Array.from({ length: 2_000 }, (_, index) => `${index},1,x`);
    const rows = await short(`id,amount,text\n"a,1,x\n${rest.join('\n')}`, { chunkBytes: 4_096 });
    expect(rows).toHaveLength(2_001);
    expect(rows.filter((row) => (row as unknown[])[1] === 'BAD_QUOTING')).toEqual([[2, 'BAD_QUOTING']]);
  });

  test('so that of each physical line something is told, whatever the file says', async () => {
    // What is neither a line nor rejected would be lost without a trace.
    const cell = fc.string({ unit: fc.constantFrom('"', '""', ',', 'a', '1', ' ', '\r\n', '\n'), maxLength: 12 });
    const chunkBytes = fc.integer({ min: 1, max: 40 });
    await fc.assert(
      fc.asyncProperty(fc.array(cell, { maxLength: 12 }), chunkBytes, async (rows, chunkBytes) => {
        const file = `id,amount,text\n${rows.join('\n')}\n7,7,last`;
        const last = file.split('\n').length;
        const lines = await read(file, { chunkBytes, changes: { skipEmptyRows: false } });
        expect(await read(file, { chunkBytes: 1_000, changes: { skipEmptyRows: false } })).toEqual(lines);
        const numbers = lines.map(({ lineNumber }) => lineNumber);
        expect(numbers).toEqual([...new Set(numbers)].toSorted((one, other) => one - other));
        expect(numbers.at(0)).toBe(2);
        expect(lines.at(-1)).toMatchObject({ lineNumber: last, kind: 'line' });
      }),
      { numRuns: 300 },
    );
  });

  test('so that a well-formed file is read cell by cell as it was written', async () => {
    const text = fc.string({ unit: fc.constantFrom('"', ',', ';', 'x', 'ক', ' ', '\n', '\r'), maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 30 }), async (texts) => {
        const rows = texts.map((text, index) => `${index},1,"${text.replaceAll('"', '""')}"`);
        const lines = await read(`id,amount,text\n${rows.join('\n')}`, { changes: { delimiter: ',' } });
        const read_ = lines.map((line) => (line.kind === 'line' ? line.line.description : line.rejection.code));
        expect(read_).toEqual(texts.map((text) => text.replaceAll(/\s+/g, ' ').trim() || null));
      }),
    );
  });
});

describe('rows that are no lines', () => {
  test('are empty ones, unless the mapping keeps them', async () => {
    const file = 'id,amount\n1,1\n\n , \n2,2\n';
    expect(await short(file)).toHaveLength(2);
    expect(await short(file, { changes: { skipEmptyRows: false } })).toEqual([
      [2, '1', 100n, null],
      [3, 'TOO_FEW_FIELDS'],
      [4, 'BAD_AMOUNT'],
      [5, '2', 200n, null],
    ]);
  });

  const totals = { headings: ['id'], words: ['Total', 'মোট'] };

  test('are sums at the end', async () => {
    const file = 'id,amount\n1,1\n2,2\n TOTAL ,3\n\nমোট\n';
    expect(await short(file, { changes: { totals } })).toEqual([
      [2, '1', 100n, null],
      [3, '2', 200n, null],
    ]);
  });

  test('but never a row that only looks like a sum, above others', async () => {
    // A shop called Total must not lose its payment.
    const file = 'id,amount\n1,1\nTotal,5\n2,2\nTotal,3\n';
    expect(await short(file, { changes: { totals } })).toEqual([
      [2, '1', 100n, null],
      [3, 'Total', 500n, null],
      [4, '2', 200n, null],
    ]);
  });

  test('and no more sums than a few', async () => {
    const file = `id,amount\n${'Total,1\n'.repeat(12)}`;
    expect(await short(file, { changes: { totals } })).toHaveLength(11);
  });
});

describe('a file is refused', () => {
  test.each<[string, string, object]>([
    ['has nothing', '', { problem: 'NO_HEADER' }],
    ['ends above its header', 'id,amount\n', { problem: 'NO_HEADER' }],
    ['lacks a column', '\nid,total\n1,1\n', { problem: 'MISSING_COLUMN', lineNumber: 2 }],
    ['has a column twice', '\nid,amount, Amount\n1,1,2\n', { problem: 'DUPLICATE_COLUMN', lineNumber: 2 }],
    ['has a broken header', '\n"id,amount\n1,1\n', { problem: 'NO_HEADER', lineNumber: 2 }],
  ])('if it %s', async (_, file, error) => {
    await expect(read(file, { changes: { headerRow: 2 } })).rejects.toMatchObject({ name: 'UnreadableFile', ...error });
  });

  test('if it has too many rows', async () => {
    await expect(read('id,amount\n1,1\n2,2\n3,3\n', { limits: { records: 2 } })).rejects.toMatchObject({
      problem: 'TOO_MANY_LINES',
      lineNumber: 4,
    });
  });

  test('in the middle, with the offset of a byte that is no text', async () => {
    const file = Buffer.concat([Buffer.from('id,amount\n1,1\n'), Buffer.from([0xff])]);
    await expect(read(file)).rejects.toMatchObject({ problem: 'BAD_ENCODING', byteOffset: 14 });
  });
});

test('rows without quotes read as with a quoted row beside them', async () => {
  // Without a quote in sight no parser is used; one quoted row brings it in.
  const cell = fc.stringMatching(/^[^",;\t\r\n]{0,12}$/u);
  const rows = fc.array(fc.array(cell, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(rows, async (cells) => {
      const plain = cells.map((row) => row.join(',')).join('\n');
      const changes = { skipEmptyRows: false } as const;
      const alone = await short(`id,amount,text\n${plain}\n`, { changes });
      const beside = await short(`id,amount,text\n${plain}\n"1","2","3"\n`, { changes });
      expect(beside.slice(0, -1)).toEqual(alone);
    }),
  );
});
