import { PayoutMapping } from '../../domain/payouts/mapping.ts';
import { SHIPPED_MAPPINGS } from '../../domain/payouts/shipped-mappings.ts';
import { readHeadings } from './files/headings.ts';
import { headerFits } from './files/header.ts';
import { readPayoutLines, type ReadLine } from './files/payout-lines.ts';
import { UnreadableFile } from './files/unreadable-file.ts';

const LINES_SHOWN = 20;
const REJECTIONS_SHOWN = 50;
const ROWS_READ_MAX = 1_000;

export interface Preview {
  /** As the file spells them; empty if there is no header. */
  readonly headings: readonly string[];
  readonly lines: readonly Extract<ReadLine, { kind: 'line' }>[];
  readonly rejections: readonly Extract<ReadLine, { kind: 'rejected' }>[];
  /** Why the file cannot be read at all with this mapping. */
  readonly problem: UnreadableFile | null;
  /** Shipped mappings whose columns the header has. */
  readonly fitting: readonly string[];
}

/** Reads the beginning of a file as a mapping says, and stores nothing. */
export async function previewFile(bytes: Uint8Array, mapping: PayoutMapping): Promise<Preview> {
  const lines: Extract<ReadLine, { kind: 'line' }>[] = [];
  const rejections: Extract<ReadLine, { kind: 'rejected' }>[] = [];
  let problem: UnreadableFile | null = null;
  let rows = 0;
  try {
    for await (const row of readPayoutLines(once(bytes), mapping)) {
      rows += 1;
      if (row.kind === 'line') {
        lines.push(row);
      } else if (rejections.length < REJECTIONS_SHOWN) {
        rejections.push(row);
      }
      if (lines.length === LINES_SHOWN || rows === ROWS_READ_MAX) {
        break;
      }
    }
  } catch (error) {
    if (!(error instanceof UnreadableFile)) {
      throw error;
    }
    problem = error;
  }
  const fitting = await fittingMappings(bytes, mapping.format);
  return { headings: await headingsOf(bytes, mapping), lines, rejections, problem, fitting };
}

async function headingsOf(bytes: Uint8Array, mapping: PayoutMapping): Promise<readonly string[]> {
  try {
    return (await readHeadings(once(bytes), mapping)) ?? [];
  } catch (error) {
    if (error instanceof UnreadableFile) {
      return [];
    }
    throw error;
  }
}

async function fittingMappings(bytes: Uint8Array, format: PayoutMapping['format']): Promise<string[]> {
  const names: string[] = [];
  for (const [name, shipped] of Object.entries(SHIPPED_MAPPINGS)) {
    const mapping = PayoutMapping.parse({ ...shipped, format });
    const headings = await headingsOf(bytes, mapping);
    if (headings.length > 0 && headerFits(headings, mapping)) {
      names.push(name);
    }
  }
  return names;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
