import { join } from 'node:path';
import { z } from 'zod';
import { SIMULATED_NAMES, type RecordedCharge, type RecordedRefund, type RecordedSession } from './booked.ts';
import { followLines } from './follow-lines.ts';
import { GATEWAYS } from './gateways.ts';

const ChargeLine = z.object({
  kind: z.enum(['charge', 'refund', 'refund_outcome']),
  gateway: z.enum(SIMULATED_NAMES),
  at: z.iso.datetime(),
  tranId: z.string(),
  valId: z.string(),
  amount: z.string(),
  refundRefId: z.string().default(''),
  refundTransId: z.string().default(''),
  status: z.string().default(''),
});

export interface GatewayBooks {
  readonly sessions: readonly RecordedSession[];
  readonly charges: readonly RecordedCharge[];
  readonly refunds: readonly RecordedRefund[];
}

export interface BookReader {
  /** Returns the current records. Each line is read only once, because the files of a long run are long. */
  read(): Promise<GatewayBooks>;
}

/** Returns the marks of the errands by the attempt references of their orders. */
export type MarksOf = (orders: readonly string[]) => Promise<ReadonlyMap<string, string>>;

/** Reads the gateways' records from their files. It asks neither Lenden's processes nor the simulator. */
export function openBooks(directory: string, marksOf: MarksOf): BookReader {
  const readers = Object.entries(GATEWAYS).map(([name, { readSessions }]) =>
    readSessions(join(directory, name, 'journal.jsonl')),
  );
  const chargeLog = followLines(join(directory, 'charges.jsonl'));
  const marks = new Map<string, string>();
  const charges: RecordedCharge[] = [];
  const refunds = new Map<string, RecordedRefund>();
  const takeLine = (line: z.infer<typeof ChargeLine>): void => {
    const { kind, gateway, tranId, valId, refundRefId: refId, refundTransId: reference } = line;
    const [atMs, amountMinor] = [Date.parse(line.at), minorUnits(line.amount)];
    const known = refunds.get(refId);
    if (kind === 'charge') {
      charges.push({ gateway, tranId, valId, atMs, amountMinor });
    } else if (kind === 'refund') {
      refunds.set(refId, { tranId, refId, reference, atMs, amountMinor, outcome: null });
    } else if (known !== undefined) {
      refunds.set(refId, { ...known, outcome: line.status });
    }
  };
  const marked = async (sessions: readonly RecordedSession[]): Promise<RecordedSession[]> => {
    const nameless = sessions.filter(({ mark, tranId }) => mark === '' && !marks.has(tranId));
    if (nameless.length > 0) {
      (await marksOf(nameless.map(({ tranId }) => tranId))).forEach((mark, order) => marks.set(order, mark));
    }
    return sessions.map((session) => ({ ...session, mark: session.mark || (marks.get(session.tranId) ?? '') }));
  };
  return {
    async read() {
      const sessions: RecordedSession[] = [];
      for (const read of readers) {
        sessions.push(...(await read()));
      }
      for (const line of await chargeLog()) {
        takeLine(ChargeLine.parse(line));
      }
      return { sessions: await marked(sessions), charges, refunds: [...refunds.values()] };
    },
  };
}

/** Converts decimal taka to paisa, as text because evidence is JSON. */
export function minorUnits(amount: string): string {
  const [, taka = '', paisa = ''] = /^(\d+)(?:\.(\d{1,2}))?$/.exec(amount) ?? [];
  if (taka === '') {
    throw new Error(`not an amount in the charge log: ${amount}`);
  }
  return (BigInt(taka) * 100n + BigInt(paisa.padEnd(2, '0'))).toString();
}
