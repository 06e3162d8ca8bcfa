import { z } from 'zod';
import type { RecordedSession, SessionReader } from '../booked.ts';
import { followEntries } from './entries.ts';

const Entry = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('payment'),
    payment: z.object({
      id: z.string(),
      username: z.string(),
      invoice: z.string(),
      script: z.object({ endedStatus: z.literal('named').optional() }),
    }),
  }),
  z.object({ type: z.literal('ended'), id: z.string(), end: z.object({ status: z.string() }) }),
]);

/** Maps the outcomes to the names that gateways with notices use. */
const OUTCOMES: Readonly<Record<string, string>> = {
  Completed: 'VALID',
  Failed: 'FAILED',
  Cancelled: 'CANCELLED',
  Expired: 'EXPIRED',
};

/** Reads payments of the tokenized checkout. bKash posts no notices about them here, and only the database rows know what they are for. */
export function readBkashPayments(file: string): SessionReader {
  const added = followEntries(file, Entry);
  const payments = new Map<string, RecordedSession>();
  return async () => {
    for (const entry of await added()) {
      if (entry.type === 'payment') {
        const { id, username, invoice, script } = entry.payment;
        payments.set(id, {
          gateway: 'bkash',
          key: id,
          tranId: invoice,
          storeId: username,
          mark: '',
          outcome: null,
          outcomeIsSaid: script.endedStatus === 'named',
          notified: [],
          unsent: 0,
        });
      } else {
        const known = payments.get(entry.id);
        if (known !== undefined) {
          const outcome = OUTCOMES[entry.end.status] ?? entry.end.status;
          payments.set(entry.id, { ...known, outcome });
        }
      }
    }
    return [...payments.values()];
  };
}
