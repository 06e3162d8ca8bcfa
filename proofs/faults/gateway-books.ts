import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { followLines } from './follow-lines.ts';

const Session = z.object({
  key: z.string(),
  storeId: z.string(),
  tranId: z.string(),
  productName: z.string(),
});
const Entry = z.discriminatedUnion('type', [
  z.object({ type: z.literal('session'), session: Session }),
  z.object({ type: z.literal('outcome'), key: z.string(), outcome: z.object({ status: z.string(), at: z.number() }) }),
  z.object({
    type: z.literal('delivery'),
    delivery: z.object({ id: z.string(), sessionKey: z.string(), body: z.string() }),
  }),
  z.object({ type: z.literal('delivery_attempt'), id: z.string(), answer: z.string(), over: z.boolean() }),
]);
const TOLD: ReadonlySet<string> = new Set(Entry.options.map((option) => option.shape.type.value));
const ChargeLine = z.object({
  kind: z.enum(['charge', 'refund', 'refund_outcome']),
  at: z.iso.datetime(),
  tranId: z.string(),
  valId: z.string(),
  amount: z.string(),
  refundRefId: z.string().default(''),
  refundTransId: z.string().default(''),
  status: z.string().default(''),
});

export interface TakenNotice {
  readonly signed: boolean;
  /** SHA-256 of what was sent, as hexadecimal digits. */
  readonly digest: string;
}

/** A session as the gateway has it in its own books. */
export interface BookedSession {
  readonly key: string;
  readonly tranId: string;
  /** The errand that it was made for: the mark went to the gateway as the product's name. */
  readonly mark: string;
  readonly storeId: string;
  readonly outcome: string | null;
  readonly outcomeAtMs: number | null;
  /** IPNs that were answered with 200: from then on the gateway relies on us. */
  readonly notified: readonly TakenNotice[];
  /** IPNs that the gateway still means to send. */
  readonly unsent: number;
}

export interface BookedCharge {
  readonly tranId: string;
  readonly valId: string;
  readonly atMs: number;
  readonly amountMinor: string;
}

/** A refund that the gateway has accepted. */
export interface BookedRefund {
  readonly tranId: string;
  /** The gateway's own name for it. */
  readonly refId: string;
  /** What the merchant calls it. */
  readonly reference: string;
  readonly atMs: number;
  readonly amountMinor: string;
  /** How it ended at the gateway; null while it is processed. */
  readonly outcome: string | null;
}

export interface GatewayBooks {
  readonly sessions: readonly BookedSession[];
  readonly charges: readonly BookedCharge[];
  readonly refunds: readonly BookedRefund[];
}

export interface BookReader {
  /** What stands in the books now. Each line is read once, since the books of a long run are long. */
  read(): Promise<GatewayBooks>;
}

type OpenSession = { -readonly [Name in keyof Omit<BookedSession, 'notified'>]: BookedSession[Name] } & {
  notified: TakenNotice[];
};

/** Reads what the gateway wrote down, from its own files: no process of ours, and not even the simulator, is asked. */
export function openBooks(directory: string): BookReader {
  const journal = followLines(join(directory, 'sslcommerz', 'journal.jsonl'));
  const chargeLog = followLines(join(directory, 'charges.jsonl'));
  const sessions = new Map<string, OpenSession>();
  const deliveries = new Map<string, TakenNotice & { session: OpenSession }>();
  const charges: BookedCharge[] = [];
  const refunds = new Map<string, BookedRefund>();
  const takeLine = (line: z.infer<typeof ChargeLine>): void => {
    const { kind, tranId, valId, refundRefId: refId, refundTransId: reference } = line;
    const [atMs, amountMinor] = [Date.parse(line.at), minorUnits(line.amount)];
    const known = refunds.get(refId);
    if (kind === 'charge') {
      charges.push({ tranId, valId, atMs, amountMinor });
    } else if (kind === 'refund') {
      refunds.set(refId, { tranId, refId, reference, atMs, amountMinor, outcome: null });
    } else if (known !== undefined) {
      refunds.set(refId, { ...known, outcome: line.status });
    }
  };
  const take = (entry: z.infer<typeof Entry>): void => {
    switch (entry.type) {
      case 'session':
        sessions.set(entry.session.key, opened(entry.session));
        return;
      case 'outcome': {
        const session = sessions.get(entry.key);
        if (session !== undefined) {
          session.outcome = entry.outcome.status;
          session.outcomeAtMs = entry.outcome.at;
        }
        return;
      }
      case 'delivery': {
        const session = sessions.get(entry.delivery.sessionKey);
        if (session !== undefined) {
          const { id, body } = entry.delivery;
          const signed = new URLSearchParams(body).has('verify_sign_sha2');
          deliveries.set(id, { session, signed, digest: createHash('sha256').update(body).digest('hex') });
          session.unsent += 1;
        }
        return;
      }
      case 'delivery_attempt': {
        const delivery = deliveries.get(entry.id);
        if (delivery !== undefined && entry.over) {
          delivery.session.unsent -= 1;
          if (entry.answer === '200') {
            delivery.session.notified.push({ signed: delivery.signed, digest: delivery.digest });
          }
        }
      }
    }
  };
  return {
    async read() {
      for (const line of await journal()) {
        if (isTold(line)) {
          take(Entry.parse(line));
        }
      }
      for (const line of await chargeLog()) {
        takeLine(ChargeLine.parse(line));
      }
      return { sessions: [...sessions.values()], charges, refunds: [...refunds.values()] };
    },
  };
}

function opened({ key, tranId, storeId, productName }: z.infer<typeof Session>): OpenSession {
  return { key, tranId, storeId, mark: productName, outcome: null, outcomeAtMs: null, notified: [], unsent: 0 };
}

function isTold(entry: unknown): boolean {
  return typeof entry === 'object' && entry !== null && 'type' in entry && TOLD.has(String(entry.type));
}

/** Decimal taka to paisa, as text: evidence is JSON. */
export function minorUnits(amount: string): string {
  const [, taka = '', paisa = ''] = /^(\d+)(?:\.(\d{1,2}))?$/.exec(amount) ?? [];
  if (taka === '') {
    throw new Error(`not an amount in the charge log: ${amount}`);
  }
  return (BigInt(taka) * 100n + BigInt(paisa.padEnd(2, '0'))).toString();
}
