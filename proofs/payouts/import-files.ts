import { readPayoutLines } from '../../core/payouts/files/payout-lines.ts';
import type { FileWord, StoredLine } from '../../domain/payouts/matching.ts';
import type { PayoutLine } from '../../domain/payouts/payout-line.ts';
import type { WrittenFile } from './corpus.ts';
import { GATEWAY, type GatewayName } from './gateways.ts';
import { GUARDED_STORE, type PlannedFile, type PlannedRow, WORD_MAX_MINOR } from './scene.ts';

/** What became of the files' rows. */
export interface Imported {
  readonly stored: readonly StoredLine[];
  /** Each time that a planned row was met: the id of its line, or the code of its rejection. */
  readonly met: readonly { readonly row: PlannedRow; readonly became: bigint | string }[];
  /** Rows that were not planned, and planned ones that became nothing. */
  readonly problems: readonly string[];
}

/**
 * Reads files by the product's own reader and stores each row once, as an import has to: the same row in another file is known, the same row twice in one
 * file are two.
 *
 * @param storesKnownRows - plants an import that takes every row as new
 */
export async function importFiles(
  files: readonly WrittenFile[],
  { gateway, storesKnownRows }: { readonly gateway: GatewayName; readonly storesKnownRows: boolean },
): Promise<Imported> {
  const stored: StoredLine[] = [];
  const known = new Map<string, bigint>();
  const met: { row: PlannedRow; became: bigint | string }[] = [];
  const problems: string[] = [];
  for (const { planned, bytes, rows } of files) {
    const times = new Map<string, number>();
    const left = new Set(rows.keys());
    for await (const read of readPayoutLines(chunksOf(bytes), GATEWAY[gateway].mapping)) {
      const row = rows.get(read.lineNumber);
      left.delete(read.lineNumber);
      if (row === undefined) {
        problems.push(`${planned.name}:${read.lineNumber} is no row`);
      } else if (read.kind === 'rejected') {
        met.push({ row, became: read.rejection.code });
      } else {
        const content = `${planned.store} ${contentOf(read.line)}`;
        const time = (times.get(content) ?? 0) + 1;
        times.set(content, time);
        const identity = storesKnownRows ? `${planned.name} ${content} ${time}` : `${content} ${time}`;
        const id = known.get(identity) ?? BigInt(stored.length + 1);
        if (!known.has(identity)) {
          known.set(identity, id);
          stored.push({ ...read.line, id, storeId: planned.store, word: wordOf(planned) });
        }
        met.push({ row, became: id });
      }
    }
    problems.push(...[...left].map((lineNumber) => `${planned.name}:${lineNumber} became nothing`));
  }
  return { stored, met, problems };
}

function wordOf({ store, uploader }: PlannedFile): FileWord {
  const others = { USD: WORD_MAX_MINOR, EUR: WORD_MAX_MINOR, GBP: WORD_MAX_MINOR };
  const thresholds = store === GUARDED_STORE ? [{ bdtMinor: WORD_MAX_MINOR, othersMinor: others }] : [];
  return { uploadedBy: `${uploader} ${store}`, thresholds };
}

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 8_191) {
    yield bytes.subarray(at, at + 8_191);
  }
}

function contentOf(line: PayoutLine): string {
  return JSON.stringify(
    Object.entries(line).sort(([a], [b]) => (a < b ? -1 : 1)),
    (_, member: unknown) => (typeof member === 'bigint' ? `${member}` : member),
  );
}
