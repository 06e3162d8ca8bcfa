import { join } from 'node:path';
import { openDurableLog } from './durable-log.ts';

/**
 * What truly happened to the payer's money, told by the simulator itself: the independent witness that a ledger is
 * compared with. One line for each charge, for each accepted refund and for how that refund ended.
 */
type ChargeLine = {
  kind: 'charge' | 'refund' | 'refund_outcome';
  gateway: string;
  /** Unique over all lines: a line that was already written is never written again. */
  id: string;
  /** RFC 3339 with Z. */
  at: string;
  storeId: string;
  tranId: string;
  valId: string;
  bankTranId: string;
  /** Decimal text in `currency`: what was taken from the payer, or given back. */
  amount: string;
  currency: string;
  /** Decimal text in `currency`: what the merchant is to receive after the fee; charges only. */
  storeAmount?: string;
  /** What the merchant asked for, in the merchant's own currency; charges only. */
  requestedAmount?: string;
  requestedCurrency?: string;
  refundRefId?: string;
  refundTransId?: string;
  /** How a refund ended; outcome lines only. */
  status?: string;
};

export type ChargeLog = {
  /** Writes the line unless one with its id is there, so that replaying after a crash completes the log. */
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
