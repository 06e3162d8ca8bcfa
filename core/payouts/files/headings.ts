import type { PayoutMapping } from '../../../domain/payouts/mapping.ts';
import { FILE_LIMITS } from './file-limits.ts';
import { rowsFromHeader } from './payout-lines.ts';

/** Returns the cells of the row where the mapping expects the headings, or null if they cannot be read. */
export async function readHeadings(
  bytes: AsyncIterable<Uint8Array>,
  mapping: PayoutMapping,
): Promise<readonly string[] | null> {
  for await (const [row] of rowsFromHeader(bytes, mapping, FILE_LIMITS)) {
    if (row !== undefined) {
      return 'fields' in row ? row.fields : null;
    }
  }
  return null;
}
