import { CsvError, parse } from 'csv-parse/sync';
import type { PhysicalLine } from './physical-lines.ts';

/** A row of a CSV file, or why there is none, with the number of its first physical line. */
export type CsvRow = { readonly lineNumber: number } & (
  { readonly fields: readonly string[] } | { readonly problem: 'BAD_QUOTING' | 'TOO_LONG' }
);

interface Taken {
  readonly row: CsvRow;
  readonly lines: number;
}

/** A cell with line breaks makes a row of several physical lines. A quote that nobody closed must not swallow the file. */
const LINES_OF_ROW_MAX = 100;
const LINES_AT_ONCE = 256;

/**
 * Reads rows of physical lines. csv-parse cannot go on behind a quote in the wrong place without losing rows, so it gets many lines at once, and where
 * it refuses them or finds fewer rows than lines, one line at a time: then a broken line is rejected alone, and the next one is read.
 */
export class CsvRows {
  readonly #delimiter: string;
  readonly #rowCharsMax: number;
  #waiting: PhysicalLine[] = [];
  /** So many of the waiting lines were refused together. */
  #oneByOne = 0;

  constructor(delimiter: string, rowCharsMax: number) {
    this.#delimiter = delimiter;
    this.#rowCharsMax = rowCharsMax;
  }

  /** Returns the rows that end in these lines. */
  push(lines: readonly PhysicalLine[]): CsvRow[] {
    this.#waiting = this.#waiting.concat(lines);
    return this.#rows(false);
  }

  /** Returns the rows that are left at the end of the file. */
  end(): CsvRow[] {
    return this.#rows(true);
  }

  #rows(ended: boolean): CsvRow[] {
    const rows: CsvRow[] = [];
    let at = 0;
    while (at < this.#waiting.length) {
      if (this.#oneByOne === 0) {
        const many = this.#waiting.slice(at, at + LINES_AT_ONCE);
        const together = this.#together(many);
        if (together !== null) {
          rows.push(...together);
          at += many.length;
          continue;
        }
        this.#oneByOne = many.length;
      }
      const taken = this.#one(at, ended);
      if (taken === null) {
        break;
      }
      rows.push(taken.row);
      at += taken.lines;
      this.#oneByOne = Math.max(0, this.#oneByOne - taken.lines);
    }
    this.#waiting = this.#waiting.slice(at);
    return rows;
  }

  /** Returns one row for each line, or null if the lines are not all rows. Without a quote, a row needs no parser. */
  #together(lines: readonly PhysicalLine[]): CsvRow[] | null {
    if (lines.some(({ tooLong }) => tooLong)) {
      return null;
    }
    if (!lines.some(({ text }) => text.includes('"'))) {
      return lines.map(({ number, text }) => ({ lineNumber: number, fields: text.split(this.#delimiter) }));
    }
    const found = this.#parsed(lines);
    if (typeof found === 'string' || found.length !== lines.length) {
      return null;
    }
    return lines.map(({ number }, index) => ({ lineNumber: number, fields: found[index] ?? [] }));
  }

  /** Returns null if the row goes on behind the lines that are there. */
  #one(at: number, ended: boolean): Taken | null {
    const first = this.#waiting[at];
    if (first === undefined) {
      return null;
    }
    const lineNumber = first.number;
    if (first.tooLong) {
      return { row: { lineNumber, problem: 'TOO_LONG' }, lines: 1 };
    }
    const rejected: Taken = { row: { lineNumber, problem: 'BAD_QUOTING' }, lines: 1 };
    let chars = 0;
    for (let lines = 1; lines <= LINES_OF_ROW_MAX; lines += 1) {
      const line = this.#waiting[at + lines - 1];
      if (line === undefined) {
        return ended ? rejected : null;
      }
      chars += line.text.length + line.end.length;
      if (line.tooLong || (lines > 1 && chars > this.#rowCharsMax)) {
        return rejected;
      }
      // Only a quote can close the cell.
      if (lines > 1 && !line.text.includes('"')) {
        continue;
      }
      const found = this.#parsed(this.#waiting.slice(at, at + lines));
      const fields = typeof found === 'string' ? undefined : found[0];
      if (fields !== undefined) {
        return { row: { lineNumber, fields }, lines };
      }
      if (found !== 'CSV_QUOTE_NOT_CLOSED') {
        return rejected;
      }
    }
    return rejected;
  }

  /** Returns the rows, or csv-parse's code for what is wrong with them. */
  #parsed(lines: readonly PhysicalLine[]): string[][] | string {
    const text = lines.map((line) => line.text + (line.end === '' ? '\n' : line.end)).join('');
    try {
      return parse(text, {
        delimiter: this.#delimiter,
        record_delimiter: ['\r\n', '\n', '\r'],
        relax_column_count: true,
        skip_empty_lines: false,
      });
    } catch (error) {
      if (error instanceof CsvError) {
        return error.code;
      }
      throw error;
    }
  }
}
