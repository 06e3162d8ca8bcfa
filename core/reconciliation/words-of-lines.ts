import type { EntityManager } from '../../database/connection.ts';
import type { Calendar } from '../../domain/calendar.ts';
import { costGroupOf, wordLimit } from '../../domain/payouts/file-word.ts';
import type { FileWord, StoredLine } from '../../domain/payouts/matching.ts';
import { addDays } from '../../domain/plain-date.ts';
import type { ApprovalThresholds } from '../../domain/refund.ts';
import { explainedCosts, sumOfCosts } from './store/file-words.ts';
import { findLinesById, type LineRow } from './store/lines.ts';
import type { AtGateway } from './store/movements.ts';
import { thresholdsOfStore } from './store/store-thresholds.ts';

interface Reading extends AtGateway {
  readonly calendar: Calendar;
}

/** Returns a line as it is judged. */
export function withWord(row: LineRow, word: FileWord | null): StoredLine {
  const {
    storeApplicationId: _owner,
    payoutId: _payout,
    period: _period,
    source: _source,
    uploaderId: _uploader,
    uploadedAt: _uploaded,
    ...line
  } = row;
  return { ...line, word };
}

/** Knows whose word each line of a batch is. */
export class WordsOfLines {
  readonly #reading: Reading;
  readonly #thresholds = new Map<string, readonly ApprovalThresholds[]>();

  constructor(reading: Reading) {
    this.#reading = reading;
  }

  /** Reads what has to be known of the stores of these lines. */
  async read(em: EntityManager, lines: Iterable<LineRow>): Promise<void> {
    const { mode, gateway } = this.#reading;
    for (const line of lines) {
      const { storeId, storeApplicationId } = line;
      if (!this.#thresholds.has(nameOfStore(line))) {
        const isShared = storeApplicationId === null;
        this.#thresholds.set(nameOfStore(line), await thresholdsOfStore(em, { mode, gateway, storeId, isShared }));
      }
    }
  }

  of(line: LineRow): FileWord | null {
    const { source, uploaderId, uploadedAt, storeId } = line;
    if (source === 'api') {
      return null;
    }
    const day = this.#reading.calendar.today(uploadedAt);
    return {
      uploadedBy: `${uploaderId ?? 'nobody'} ${day} ${storeId}`,
      thresholds: this.#thresholds.get(nameOfStore(line)) ?? [],
    };
  }
}

function nameOfStore({ storeId, storeApplicationId }: LineRow): string {
  return `${storeApplicationId === null ? 'shared' : 'own'} ${storeId}`;
}

interface Costs {
  readonly costSums: ReadonlyMap<string, bigint>;
  /** Lines that no longer explain themselves, because their sum has become too great. */
  readonly lines: readonly LineRow[];
}

/** Adds up the costs of no charge, over all of their files. */
export async function costsOf(
  em: EntityManager,
  {
    batch,
    words,
    lines,
  }: { readonly batch: Reading; readonly words: WordsOfLines; readonly lines: readonly LineRow[] },
): Promise<Costs> {
  const { mode, gateway, calendar } = batch;
  const costSums = new Map<string, bigint>();
  const overdrawn: bigint[] = [];
  for (const row of lines) {
    const line = withWord(row, words.of(row));
    const { currency, storeId } = line;
    const limitMinor = wordLimit([line], currency);
    const group = costGroupOf(line);
    if (group === null || limitMinor === null || costSums.has(group)) {
      continue;
    }
    const day = calendar.today(row.uploadedAt);
    const span = { from: calendar.startOf(day), before: calendar.startOf(addDays(day, 1)) };
    const word = { mode, gateway, storeId, currency, uploaderId: row.uploaderId, ...span };
    const sumMinor = await sumOfCosts(em, word);
    costSums.set(group, sumMinor);
    if (sumMinor > limitMinor) {
      overdrawn.push(...(await explainedCosts(em, word)));
    }
  }
  const known = new Set(lines.map(({ id }) => id));
  const ids = overdrawn.filter((id) => !known.has(id));
  return { costSums, lines: ids.length === 0 ? [] : await findLinesById(em, { mode, gateway, ids }) };
}
