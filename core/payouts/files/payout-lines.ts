import { headingKey } from '../../../domain/payouts/heading.ts';
import { isRejection, mapRecord } from '../../../domain/payouts/map-record.ts';
import type { PayoutMapping } from '../../../domain/payouts/mapping.ts';
import type { PayoutLine } from '../../../domain/payouts/payout-line.ts';
import type { Rejection } from '../../../domain/payouts/rejection.ts';
import { type CsvRow, CsvRows } from './csv-rows.ts';
import { decoded } from './decode.ts';
import { FILE_LIMITS, type FileLimits } from './file-limits.ts';
import { type Header, headerOf } from './header.ts';
import { type PhysicalLine, physicalLines } from './physical-lines.ts';
import { UnreadableFile } from './unreadable-file.ts';
import { xlsxRows } from './xlsx-rows.ts';

/** What one row of a file became. */
export type ReadLine = {
  /** The physical line on which the row begins, or the row of the sheet, from 1. */
  readonly lineNumber: number;
} & (
  { readonly kind: 'line'; readonly line: PayoutLine } | { readonly kind: 'rejected'; readonly rejection: Rejection }
);

/** A header may be as many physical lines. */
const HEADER_LINES_MAX = 20;
/** So many sums may stand at the end. */
const TOTALS_MAX = 10;

const REASONS = {
  BAD_QUOTING: 'A quote stands where none may, or is never closed.',
  TOO_LONG: 'The row is longer than allowed.',
} as const;

/**
 * Reads a payout file as its mapping says. Each row becomes a line or a rejection, in the file's order; only empty rows and sums at the end become
 * nothing. Memory is bounded by the limits of a row, not of the file.
 *
 * @throws UnreadableFile, possibly after lines were read
 */
export async function* readPayoutLines(
  bytes: AsyncIterable<Uint8Array>,
  mapping: PayoutMapping,
  limits: FileLimits = FILE_LIMITS,
): AsyncGenerator<ReadLine> {
  for await (const some of readManyLines(bytes, mapping, limits)) {
    yield* some;
  }
}

/** Like `readPayoutLines`, many at a time: waiting for each of a million takes longer than reading it. */
export async function* readManyLines(
  bytes: AsyncIterable<Uint8Array>,
  mapping: PayoutMapping,
  limits: FileLimits = FILE_LIMITS,
): AsyncGenerator<Iterable<ReadLine>> {
  const reader = new LineReader(mapping, limits);
  for await (const rows of rowsFromHeader(bytes, mapping, limits)) {
    yield reader.read(rows);
  }
  reader.end();
}

class LineReader {
  readonly #mapping: PayoutMapping;
  readonly #limits: FileLimits;
  /** Rows that look like sums, until it is known what is below them. */
  readonly #totals: CsvRow[] = [];
  #header: Header | null = null;
  #records = 0;

  constructor(mapping: PayoutMapping, limits: FileLimits) {
    this.#mapping = mapping;
    this.#limits = limits;
  }

  *read(rows: readonly CsvRow[]): Generator<ReadLine> {
    const [mapping, limits] = [this.#mapping, this.#limits];
    for (const found of rows) {
      const header = this.#header;
      if (header === null) {
        this.#header = headerOf(found, mapping);
        continue;
      }
      const row = mapping.format === 'xlsx' ? filled(found, header) : found;
      this.#records += 1;
      if (this.#records > limits.records) {
        throw new UnreadableFile('TOO_MANY_LINES', `The file has more than ${limits.records} rows.`, row);
      }
      if (mapping.skipEmptyRows && isEmpty(row)) {
        continue;
      }
      if (isTotal(row, header, mapping) && this.#totals.length < TOTALS_MAX) {
        this.#totals.push(row);
        continue;
      }
      // What looked like a sum stands above this row, so it is none.
      for (const above of this.#totals.splice(0)) {
        yield readLine(above, header, { mapping, limits });
      }
      yield readLine(row, header, { mapping, limits });
    }
  }

  end(): void {
    if (this.#header === null) {
      throw new UnreadableFile('NO_HEADER', `The file ends before its header in line ${this.#mapping.headerRow}.`);
    }
  }
}

/** Yields the header and all rows below it, many at a time, before the mapping says what they are. */
export function rowsFromHeader(
  bytes: AsyncIterable<Uint8Array>,
  mapping: PayoutMapping,
  limits: FileLimits,
): AsyncGenerator<readonly CsvRow[]> {
  return mapping.format === 'csv' ? csvRows(bytes, mapping, limits) : sheetRows(bytes, mapping, limits);
}

async function* sheetRows(
  bytes: AsyncIterable<Uint8Array>,
  mapping: PayoutMapping,
  limits: FileLimits,
): AsyncGenerator<readonly CsvRow[]> {
  for await (const row of xlsxRows(bytes, limits)) {
    if (row.lineNumber >= mapping.headerRow) {
      yield [row];
    }
  }
}

/** A sheet does not write empty cells at the end of a row. */
function filled(row: CsvRow, { headings }: Header): CsvRow {
  return 'fields' in row && row.fields.length < headings.length
    ? { ...row, fields: headings.map((_, index) => row.fields[index] ?? '') }
    : row;
}

async function* csvRows(
  bytes: AsyncIterable<Uint8Array>,
  mapping: PayoutMapping,
  limits: FileLimits,
): AsyncGenerator<readonly CsvRow[]> {
  const chunks = physicalLines(decoded(bytes, limits.fileBytes), limits.recordChars);
  let rows: CsvRows | null = null;
  let top: PhysicalLine[] = [];
  for await (const chunk of chunks) {
    if (rows !== null) {
      yield rows.push(chunk);
      continue;
    }
    top = top.concat(chunk.filter(({ number }) => number >= mapping.headerRow));
    if (top.length >= HEADER_LINES_MAX) {
      rows = new CsvRows(delimiterOf(top, mapping, limits), limits.recordChars);
      yield rows.push(top);
      top = [];
    }
  }
  if (rows === null) {
    rows = new CsvRows(delimiterOf(top, mapping, limits), limits.recordChars);
    yield rows.push(top);
  }
  yield rows.end();
}

/** Returns the delimiter that makes most known headings of the first row. */
function delimiterOf(top: readonly PhysicalLine[], mapping: PayoutMapping, limits: FileLimits): string {
  if (mapping.delimiter !== null) {
    return mapping.delimiter;
  }
  const known = new Set(
    Object.values(mapping.columns).flatMap((column) => column?.headings.map((heading) => headingKey(heading)) ?? []),
  );
  const scores = [',', ';', '\t'].map((delimiter) => {
    const rows = new CsvRows(delimiter, limits.recordChars);
    const [first] = [...rows.push(top.slice(0, HEADER_LINES_MAX)), ...rows.end()];
    const fields = first !== undefined && 'fields' in first ? first.fields : [];
    return { delimiter, score: fields.filter((field) => known.has(headingKey(field))).length };
  });
  return scores.reduce((best, next) => (next.score > best.score ? next : best)).delimiter;
}

function readLine(row: CsvRow, header: Header, rules: { mapping: PayoutMapping; limits: FileLimits }): ReadLine {
  const outcome = mapped(row, header, rules);
  return isRejection(outcome)
    ? { lineNumber: row.lineNumber, kind: 'rejected', rejection: outcome }
    : { lineNumber: row.lineNumber, kind: 'line', line: outcome };
}

function mapped(
  row: CsvRow,
  header: Header,
  { mapping, limits }: { mapping: PayoutMapping; limits: FileLimits },
): PayoutLine | Rejection {
  if ('problem' in row) {
    return { code: row.problem, column: null, reason: REASONS[row.problem] };
  }
  const { fields } = row;
  const { headings } = header;
  if (fields.length < headings.length) {
    const reason = `The row has ${fields.length} fields, the header has ${headings.length}.`;
    return { code: 'TOO_FEW_FIELDS', column: null, reason };
  }
  if (fields.slice(headings.length).some((field) => field.trim() !== '')) {
    const reason = `The row has ${fields.length} fields, the header has ${headings.length}.`;
    return { code: 'TOO_MANY_FIELDS', column: null, reason };
  }
  const odd = mapping.format === 'xlsx' ? fields.findIndex((field) => !isStorable(field)) : -1;
  if (odd !== -1) {
    const reason = 'The cell has a character that no text may have.';
    return { code: 'BAD_CHARACTER', column: headings[odd] ?? null, reason };
  }
  const long = fields.findIndex((field) => field.length > limits.cellChars);
  if (long !== -1) {
    const reason = `The cell has more than ${limits.cellChars} characters.`;
    return { code: 'TOO_LONG', column: headings[long] ?? null, reason };
  }
  return mapRecord({ get: (key) => fieldAt(fields, header.places.get(key)) }, mapping);
}

function fieldAt(fields: readonly string[], place: number | undefined): string | undefined {
  return place === undefined ? undefined : fields[place];
}

/** A sheet can hold NUL and halves of characters, which the database refuses. The decoder of text refuses them before. */
function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

function isEmpty(row: CsvRow): boolean {
  return 'fields' in row && row.fields.every((field) => field.trim() === '');
}

function isTotal(row: CsvRow, header: Header, { totals }: PayoutMapping): boolean {
  if (totals === null || header.totalsAt === null || !('fields' in row)) {
    return false;
  }
  const cell = headingKey(row.fields[header.totalsAt] ?? '');
  return totals.words.some((word) => headingKey(word) === cell);
}
