import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { writeXlsx, type CellValue } from 'hucre/xlsx';
import { createTestDatabase } from '../../support/database.ts';
import { openPayoutWorldAt, type PayoutWorld } from './payout-world.ts';

/** What spreadsheets and exports do to a file, through the whole import: upload, reading in steps, lines and payouts. */
let world: PayoutWorld;
let drop: () => Promise<void>;

async function open(format: 'csv' | 'xlsx'): Promise<void> {
  const target = await createTestDatabase();
  ({ drop } = target);
  world = await openPayoutWorldAt(target.url, { format });
}

beforeEach(() => {
  drop = () => Promise.resolve();
});
afterEach(async () => {
  await world.close();
  await drop();
});

const COLUMNS = ['payout', 'id', 'gross', 'fee', 'at', 'day', 'text'];

/** The row of an export, and the same row as a spreadsheet has it. */
function workbook(rows: readonly (readonly CellValue[])[]): Promise<Uint8Array> {
  return writeXlsx({ sheets: [{ name: 'Payout', rows: [COLUMNS, ...rows.map((row) => [...row])] }] });
}

async function imported(bytes: Uint8Array | string, format: 'csv' | 'xlsx', name = `file.${format}`) {
  const { reference } = await world.upload(bytes, { format, name });
  return world.import(reference);
}

/** A CSV row whose cells may hold commas. */
const csv = (...rows: (readonly string[])[]): string =>
  [COLUMNS, ...rows].map((row) => `${row.map((cell) => `"${cell}"`).join(',')}\n`).join('');

test('a spreadsheet becomes lines and payouts, and each row that has lost digits is rejected by its number', async () => {
  await open('xlsx');
  const outcome = await imported(
    await workbook([
      ['P1', 'a', 100, 2.5, new Date(Date.UTC(2026, 10, 1, 10)), '2026-11-03', ''],
      ['P1', 'b', '৫০.০০', '', '2026-11-01 11:00', '2026-11-03', ''],
      ['P1', 12_000_000_000_000_000, 7, '', '2026-11-01', '2026-11-03', ''],
      ['P1', '1.2E+10', 7, '', '2026-11-01', '2026-11-03', ''],
      ['P1', 'c', '(20.00)', '', '2026-11-01', '2026-11-03', ''],
    ]),
    'xlsx',
  );
  expect(outcome).toMatchObject({ state: 'IMPORTED', rowsRead: 5, linesAdded: 3, linesRejected: 2 });
  const { payouts, rejections } = await world.stored();
  expect(rejections).toEqual([
    { line_number: 4, code: 'MANGLED_ID', column_name: 'id' },
    { line_number: 5, code: 'MANGLED_ID', column_name: 'id' },
  ]);
  // 100.00 − 2.50 + 50.00 − 20.00
  expect(payouts).toMatchObject([{ gateway_reference: 'P1', lines: 3, lines_minor: '12750' }]);
});

test('what is no spreadsheet, or one that is cut off, is refused and keeps nothing but its bytes', async () => {
  await open('xlsx');
  const whole = await workbook([['P1', 'a', 100, '', '2026-11-01', '2026-11-03', '']]);
  for (const [name, bytes] of [
    ['text.xlsx', Buffer.from('payout,id,gross\nP1,a,100.00\n')],
    ['cut.xlsx', whole.subarray(0, Math.floor(whole.length / 2))],
  ] as const) {
    expect(await imported(bytes, 'xlsx', name)).toMatchObject({ state: 'REFUSED', linesAdded: 0 });
  }
  expect(await world.rows('select 1 from payout_lines')).toEqual([]);
});

test.each([
  ['UTF-8 with a byte order mark', (text: string) => Buffer.from(`\uFEFF${text}`)],
  ['UTF-16, little end first', (text: string) => Buffer.from(`\uFEFF${text}`, 'utf16le')],
  ['UTF-16, big end first', (text: string) => Buffer.from(`\uFEFF${text}`, 'utf16le').swap16()],
  ['semicolons', (text: string) => Buffer.from(text.replaceAll('","', '";"'))],
  ['tabs', (text: string) => Buffer.from(text.replaceAll('","', '"\t"'))],
  ['line ends of Windows', (text: string) => Buffer.from(text.replaceAll('\n', '\r\n'))],
])('a file in %s has the same lines as one without, so none is added twice', async (_name, encode) => {
  // Somebody opens the export, saves it, and uploads it again.
  await open('csv');
  const text = csv(
    ['P1', 'ক-1', '১,২৩,৪৫৬.৭৮', '', '2026-11-01 10:00', '2026-11-03', 'বেতন'],
    ['P1', 'b', '(50.00)', '', '2026-11-01 11:00', '2026-11-03', ''],
    ['P1', 'c', '7.00-', '', '2026-11-01 11:00', '2026-11-03', ''],
  );
  expect(await imported(text, 'csv', 'first.csv')).toMatchObject({ state: 'IMPORTED', linesAdded: 3 });
  expect(await imported(encode(text), 'csv', 'second.csv')).toMatchObject({
    state: 'IMPORTED',
    linesAdded: 0,
    linesKnown: 3,
    linesRejected: 0,
  });
  expect((await world.stored()).payouts).toMatchObject([{ lines: 3, lines_minor: '12339978' }]);
});
