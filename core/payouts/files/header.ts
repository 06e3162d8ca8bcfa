import { headingKey } from '../../../domain/payouts/heading.ts';
import type { PayoutMapping } from '../../../domain/payouts/mapping.ts';
import type { CsvRow } from './csv-rows.ts';
import { UnreadableFile } from './unreadable-file.ts';

export interface Header {
  /** As the file spells them. */
  readonly headings: readonly string[];
  /** The index of each column by `headingKey` of its heading. */
  readonly places: ReadonlyMap<string, number>;
  /** The index of the column that names sums. */
  readonly totalsAt: number | null;
}

/**
 * Checks that the file has the columns of the mapping, each once.
 *
 * @throws UnreadableFile NO_HEADER, MISSING_COLUMN, DUPLICATE_COLUMN
 */
export function headerOf(row: CsvRow, mapping: PayoutMapping): Header {
  const { lineNumber } = row;
  if (!('fields' in row)) {
    throw new UnreadableFile('NO_HEADER', `The header in line ${lineNumber} cannot be read.`, row);
  }
  if (row.fields.some((field) => field.includes('\0') || !field.isWellFormed())) {
    throw new UnreadableFile(
      'NO_HEADER',
      `The header in line ${lineNumber} has a character that no text may have.`,
      row,
    );
  }
  const keys = row.fields.map(headingKey);
  for (const column of Object.values(mapping.columns)) {
    const found = column?.headings.find((heading) => keys.includes(headingKey(heading)));
    if (found === undefined) {
      if (column !== undefined && !column.optional) {
        throw new UnreadableFile('MISSING_COLUMN', `The file has no column ${column.headings.join(' or ')}.`, row);
      }
    } else if (keys.indexOf(headingKey(found)) !== keys.lastIndexOf(headingKey(found))) {
      throw new UnreadableFile('DUPLICATE_COLUMN', `The file has two columns ${found}.`, row);
    }
  }
  const total = mapping.totals?.headings.map((heading) => keys.indexOf(headingKey(heading))).find((at) => at !== -1);
  return { headings: row.fields, places: new Map(keys.map((key, index) => [key, index])), totalsAt: total ?? null };
}

/** Reports whether a file with these headings has the columns of the mapping, each once. */
export function headerFits(headings: readonly string[], mapping: PayoutMapping): boolean {
  try {
    headerOf({ lineNumber: mapping.headerRow, fields: headings }, mapping);
    return true;
  } catch (error) {
    if (error instanceof UnreadableFile) {
      return false;
    }
    throw error;
  }
}
