import { z } from 'zod';
import type { RecordedSession, SessionReader } from '../booked.ts';
import { followEntries } from './entries.ts';

const Fault = z.object({
  kind: z.string(),
  times: z.int().optional(),
  set: z.record(z.string(), z.string()).optional(),
});
const Script = z.object({
  when: z.string().optional(),
  faults: z.object({ verify: z.array(Fault).default([]) }).default({ verify: [] }),
});
type Script = z.infer<typeof Script>;
const Entry = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('order'),
    order: z.object({ ref: z.string(), merchantId: z.string(), orderId: z.string() }),
  }),
  z.object({ type: z.literal('purchase'), ref: z.string(), script: Script }),
  z.object({ type: z.literal('stage'), ref: z.string(), stage: z.string() }),
  z.object({ type: z.literal('outcome'), ref: z.string(), outcome: z.object({ status: z.string() }) }),
]);

/** Maps the outcomes to the names that gateways with notices use. */
const OUTCOMES: Readonly<Record<string, string>> = {
  Success: 'VALID',
  Failed: 'FAILED',
  Aborted: 'CANCELLED',
  Cancelled: 'CANCELLED',
};

/**
 * Reads the orders that were completed; the others have no payment page. Nagad posts no notices, and only the database rows know what the orders are
 * for.
 */
export function readNagadOrders(file: string): SessionReader {
  const added = followEntries(file, Entry);
  const begun = new Map<string, { readonly merchantId: string; readonly orderId: string }>();
  const orders = new Map<string, RecordedSession>();
  const scripts = new Map<string, Script>();
  const end = (ref: string, outcome: string): void => {
    const order = orders.get(ref);
    if (order !== undefined) {
      orders.set(ref, { ...order, outcome });
    }
  };
  const take = (entry: z.infer<typeof Entry>): void => {
    switch (entry.type) {
      case 'order':
        begun.set(entry.order.ref, entry.order);
        return;
      case 'purchase': {
        const order = begun.get(entry.ref);
        if (order !== undefined) {
          scripts.set(entry.ref, entry.script);
          orders.set(entry.ref, { ...completed(entry.ref, order), outcomeIsSaid: isSaid(entry.script) });
        }
        return;
      }
      case 'stage':
        if (entry.stage === 'InProgress' && scripts.get(entry.ref)?.when === 'never') {
          end(entry.ref, 'PROCESSING');
        }
        return;
      case 'outcome':
        end(entry.ref, OUTCOMES[entry.outcome.status] ?? entry.outcome.status);
    }
  };
  return async () => {
    (await added()).forEach(take);
    return [...orders.values()];
  };
}

function completed(key: string, { merchantId, orderId }: { merchantId: string; orderId: string }) {
  return {
    gateway: 'nagad',
    key,
    tranId: orderId,
    storeId: merchantId,
    mark: '',
    outcome: null,
    notified: [],
    unsent: 0,
  } as const;
}

/** Returns false if no verification ever tells how the order ended, or if it never ends. */
function isSaid({ when, faults }: Script): boolean {
  return (
    when !== 'never' && !faults.verify.some(({ times, set }) => times === undefined && set?.['status'] !== undefined)
  );
}
