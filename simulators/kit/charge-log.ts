import { join } from 'node:path';
import { openDurableLog } from './durable-log.ts';

/**
 * A line about what really happened to the payer's money. The simulator writes it independently of Lenden, so a ledger can be compared with it. There
 * is one line for each charge, each accepted refund and each refund's outcome.
 */
export type ChargeLine = {
  kind: 'charge' | 'refund' | 'refund_outcome';
  gateway: string;
  /** Unique across all lines. A line whose id was already written is not written again. */
  id: string;
  /** RFC 3339 with Z. */
  at: string;
  storeId: string;
  tranId: string;
  valId: string;
  bankTranId: string;
  /** Decimal text in `currency`: what the gateway took from the payer, or gave back. */
  amount: string;
  currency: string;
  /** Decimal text in `currency`: what the merchant receives after the fee. Charges only. */
  storeAmount?: string;
  /** What the merchant asked for, in the merchant's own currency. Charges only. */
  requestedAmount?: string;
  requestedCurrency?: string;
  refundRefId?: string;
  refundTransId?: string;
  /** How a refund ended. Outcome lines only. */
  status?: string;
};

export type ChargeLog = {
  /** Writes the line unless its id is already present, so that a replay after a crash completes the log. */
  add(line: ChargeLine): void;
  lines(): readonly ChargeLine[];
  settled(): Promise<void>;
  reset(suffix: string): Promise<void>;
  close(): Promise<void>;
};

/** Opens `charges.jsonl` in the data folder. */
export async function openChargeLog(dataDir: string): Promise<ChargeLog> {
  const { log, entries } = await openDurableLog<ChargeLine>(join(dataDir, 'charges.jsonl'));
  let lines = entries;
  let ids = new Set(entries.map((line) => line.id));
  return {
    add(line) {
      if (!ids.has(line.id)) {
        ids.add(line.id);
        lines.push(line);
        log.append(line);
      }
    },
    lines: () => lines,
    settled: log.settled,
    async reset(suffix) {
      lines = [];
      ids = new Set();
      await log.rotate(suffix);
    },
    close: log.close,
  };
}
