import { writeXlsx } from 'hucre/xlsx';
import type { Payout } from './book.ts';
import type { Movement } from './movements.ts';

type Row = readonly string[];

/** How a gateway writes its payouts into a file: one row for each line. */
export type PayoutColumns = {
  headings: Row;
  row(line: Movement, payout: Payout, place: Place): Row;
  /** A sum at the end of the file, if the gateway writes one. */
  total?(lines: readonly Movement[]): Row;
};

export type Place = {
  /** From 1, over all payouts in the file. */
  number: number;
  /** The sum of what was paid out in this file so far, this line included. */
  balance: bigint;
};

export const encodings = ['utf-8', 'utf-8-bom', 'utf-16le'] as const;
export const delimiters = [',', ';', '\t'] as const;
export type CsvOptions = { delimiter: string; encoding: (typeof encodings)[number] };

/** Writes a CSV file. One of a payout that is said to be truncated ends in the middle of that payout's last line. */
export function csvFile(payouts: readonly Payout[], columns: PayoutColumns, options: CsvOptions): Buffer {
  let text = csvLine(columns.headings, options);
  const place = { number: 0, balance: 0n };
  for (const payout of payouts) {
    let last = '';
    for (const line of payout.lines) {
      text += last;
      last = csvLine(columns.row(line, payout, advance(place, line)), options);
    }
    if (payout.truncated) {
      return encoded(text + last.slice(0, Math.ceil(last.length / 2)), options);
    }
    text += last;
  }
  const total = columns.total?.(payouts.flatMap(({ lines }) => lines));
  return encoded(total === undefined ? text : text + csvLine(total, options), options);
}

/** Writes an XLSX file with every cell as text, as its first sheet. That of a truncated payout lacks its second half. */
export async function xlsxFile(payouts: readonly Payout[], columns: PayoutColumns): Promise<Uint8Array> {
  const place = { number: 0, balance: 0n };
  const rows = payouts.flatMap((payout) =>
    payout.lines.map((line) => [...columns.row(line, payout, advance(place, line))]),
  );
  const total = columns.total?.(payouts.flatMap(({ lines }) => lines));
  const all = [[...columns.headings], ...rows, ...(total === undefined ? [] : [[...total]])];
  const bytes = await writeXlsx({ sheets: [{ name: 'Payouts', rows: all }] });
  return payouts.some(({ truncated }) => truncated) ? bytes.subarray(0, Math.floor(bytes.length / 2)) : bytes;
}

function advance(place: Place, { gross, fee, tax }: Movement): Place {
  place.number += 1;
  place.balance += gross - fee - tax;
  return place;
}

function csvLine(cells: Row, { delimiter }: CsvOptions): string {
  const quoted = cells.map((cell) =>
    /["\r\n]/.test(cell) || cell.includes(delimiter) ? `"${cell.replaceAll('"', '""')}"` : cell,
  );
  return `${quoted.join(delimiter)}\r\n`;
}

function encoded(text: string, { encoding }: CsvOptions): Buffer {
  return encoding === 'utf-8'
    ? Buffer.from(text)
    : Buffer.from(`\uFEFF${text}`, encoding === 'utf-16le' ? 'utf16le' : 'utf8');
}
