import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { statementGaps } from '../../../core/payouts/store/bank-statements.ts';
import { openPayoutWorld, type PayoutWorld } from './payout-world.ts';

/** What a bank's statements say of each other, whatever the order in which their files come. */
let world: PayoutWorld;
let accounts = 0;

beforeAll(async () => {
  world = await openPayoutWorld();
});
afterAll(() => world.close());

interface Sketch {
  readonly from: string;
  readonly to: string;
  readonly opening: number;
  readonly closing: number;
}

const digits = (day: string): string => day.slice(2).replaceAll('-', '');

function mt940(account: string, { from, to, opening, closing }: Sketch): string {
  const moved = closing - opening;
  const entry = moved === 0 ? '' : `:61:${digits(to)}${moved > 0 ? 'C' : 'D'}${Math.abs(moved)},NTRFNONREF\n`;
  return `:20:S\n:25:${account}\n:28C:1/1\n:60F:C${digits(from)}BDT${opening},00\n${entry}:62F:C${digits(to)}BDT${closing},00\n`;
}

function camt053(account: string, { from, to, opening, closing }: Sketch): string {
  const moved = closing - opening;
  const amount = (minor: number, day: string, mark: string): string =>
    `<Amt Ccy="BDT">${minor}.00</Amt><CdtDbtInd>${mark}</CdtDbtInd>${day}`;
  const balance = (type: string, value: number, day: string): string =>
    `<Bal><Tp><CdOrPrtry><Cd>${type}</Cd></CdOrPrtry></Tp>${amount(value, `<Dt><Dt>${day}</Dt></Dt>`, 'CRDT')}</Bal>`;
  const booked = `<Sts>BOOK</Sts><BookgDt><Dt>${to}</Dt></BookgDt>`;
  const entry = moved === 0 ? '' : `<Ntry>${amount(Math.abs(moved), booked, moved > 0 ? 'CRDT' : 'DBIT')}</Ntry>`;
  return `<?xml version="1.0" encoding="UTF-8"?><Document><BkToCstmrStmt><Stmt><Id>S</Id><Acct><Id><Othr><Id>${account}</Id></Othr></Id></Acct>${
    balance('OPBD', opening, from) + balance('CLBD', closing, to) + entry
  }</Stmt></BkToCstmrStmt></Document>`;
}

type Write = (account: string, sketch: Sketch) => string;
const FORMATS: readonly (readonly ['mt940' | 'camt053', Write])[] = [
  ['mt940', mt940],
  ['camt053', camt053],
];

/** Imports files of one new account, and returns the gaps of each as they are in the end, as `opening ← closing before`. */
async function gapsOf(files: readonly (readonly Sketch[])[], [format, write] = FORMATS[0] as (typeof FORMATS)[number]) {
  accounts += 1;
  const ids: bigint[] = [];
  for (const file of files) {
    const text = file.map((sketch) => write(`ACC-${accounts}`, sketch)).join('');
    const name = { kind: 'statement', format, gateway: null, storeId: null, name: `${accounts}` } as const;
    const { reference } = await world.upload(text, name);
    expect(await world.import(reference)).toMatchObject({ state: 'IMPORTED' });
    const [row] = await world.rows('select id::text from payout_files where reference = ?', [reference]);
    ids.push(BigInt(String(row?.['id'])));
  }
  const gaps = await world.database.withSystem((em) => statementGaps(em, ids));
  return ids.map((id) =>
    gaps
      .filter(({ fileId }) => fileId === id)
      .map(({ openingMinor, beforeMinor }) => `${openingMinor / 100n} ← ${beforeMinor / 100n}`),
  );
}

const day = (number: number, opening: number, closing: number): Sketch => {
  const date = `2026-11-${number.toString().padStart(2, '0')}`;
  return { from: date, to: date, opening, closing };
};
/** A bank that dates the opening balance like the closing balance before. */
const dayAfter = (number: number, opening: number, closing: number): Sketch => ({
  ...day(number, opening, closing),
  from: day(number - 1, 0, 0).to,
});

test.each(FORMATS)(
  '%s: a statement that does not go on where the last one ended says so, the first one does not',
  async (...format) => {
    // Entries that no file has would be missing without a word.
    expect(await gapsOf([[day(3, 100, 150)], [day(4, 150, 120)], [day(5, 90, 95)]], format)).toEqual([
      [],
      [],
      ['90 ← 120'],
    ]);
  },
);

test.each([
  ['the day itself', day],
  ['the day before', dayAfter],
])('an opening balance may be dated with %s', async (_, on) => {
  expect(await gapsOf([[on(3, 100, 150)], [on(4, 150, 120)], [on(9, 120, 130)], [on(10, 131, 140)]])).toEqual([
    [],
    [],
    [],
    ['131 ← 130'],
  ]);
});

test('a file that comes late closes the gap, and one that contradicts opens it', async () => {
  expect(await gapsOf([[day(3, 100, 150)], [day(5, 120, 95)], [day(4, 150, 120)]])).toEqual([[], [], []]);
  expect(await gapsOf([[day(3, 100, 150)], [day(5, 150, 95)], [day(4, 150, 120)]])).toEqual([[], ['150 ← 120'], []]);
});

test('statements of a month and of its days may overlap, and the same one may come twice', async () => {
  const month = { from: '2026-11-03', to: '2026-11-05', opening: 150, closing: 95 };
  expect(
    await gapsOf([
      [day(2, 100, 150)],
      [day(3, 150, 120)],
      [day(4, 120, 130)],
      [day(5, 130, 95)],
      [month],
      [day(6, 95, 96)],
    ]),
  ).toEqual([[], [], [], [], [], []]);
  expect(
    await gapsOf([
      [day(3, 100, 150), day(4, 150, 120)],
      [day(4, 150, 120), day(5, 120, 95)],
    ]),
  ).toEqual([[], []]);
});

test('several statements of one day, and of one file in any order, are compared in their order', async () => {
  expect(await gapsOf([[day(2, 90, 100)], [day(3, 100, 150), day(3, 150, 100), day(3, 100, 130)]])).toEqual([[], []]);
  expect(await gapsOf([[day(2, 80, 90)], [day(3, 100, 150), day(3, 150, 100)]])).toEqual([[], ['100 ← 90']]);
  expect(await gapsOf([[dayAfter(5, 120, 95), dayAfter(4, 150, 120), dayAfter(3, 100, 150)]])).toEqual([[]]);
});

test('a balance without a possible date is compared with nothing', async () => {
  const undated = { from: '2026-11-31', to: '2026-11-31', opening: 7, closing: 7 };
  expect(await gapsOf([[day(3, 100, 150)], [undated]])).toEqual([[], []]);
});
