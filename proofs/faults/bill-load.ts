import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { parseJson, type Caller } from './application.ts';
import type { Bill, Billed } from './bill-plan.ts';
import type { FaultLog } from './fault-log.ts';
import type { Answer } from './journal.ts';

const TIMEOUT_MS = 3_000;
const AGAIN_MS = 250;
const REPEATS_MAX = 6;

const Invoice = z.object({
  id: z.int(),
  number: z.string().nullable(),
  status: z.string(),
  customerReference: z.string(),
  totalMinor: z.int(),
  amountPaidMinor: z.int(),
  amountDueMinor: z.int(),
  installments: z.array(
    z.object({ dueDate: z.string(), amountMinor: z.int(), amountPaidMinor: z.int(), status: z.string() }),
  ),
});
export type InvoiceView = z.infer<typeof Invoice>;
const OneInvoice = z.object({ data: Invoice });

export function invoiceIn({ text }: Pick<Answer, 'text'>): InvoiceView | null {
  const parsed = OneInvoice.safeParse(parseJson(text));
  return parsed.success ? parsed.data.data : null;
}

export interface Billing {
  readonly callers: readonly Caller[];
  readonly log: FaultLog;
  readonly closed: () => boolean;
}

/** Does everything that applications do with their invoices in one round. Payers of an invoice wait for its id. */
export function startBilling(
  billing: Billing,
  bills: readonly Bill[],
): { readonly billed: Billed; readonly done: Promise<void> } {
  const runs = bills.map((bill) => {
    const { promise, resolve } = Promise.withResolvers<number | null>();
    const run = bring(billing, bill, resolve).finally(() => resolve(null));
    return { mark: bill.mark, id: promise, run };
  });
  return {
    billed: new Map(runs.map(({ mark, id }) => [mark, id])),
    done: Promise.all(runs.map(({ run }) => run)).then(() => undefined),
  };
}

async function bring(billing: Billing, bill: Bill, payable: (id: number) => void): Promise<void> {
  const { callers, log } = billing;
  const caller = callers[bill.app];
  if (caller === undefined) {
    throw new RangeError(`no application ${bill.app}`);
  }
  await sleep(bill.startMs);
  const duplicate = caller.bill(bill, { api: otherThan(bill.firstApi), kind: 'bill-repeat', timeoutMs: TIMEOUT_MS });
  const made = await until(billing, bill, (api, tries) =>
    caller.bill(bill, { api, kind: tries === 0 ? 'bill' : 'bill-repeat', timeoutMs: TIMEOUT_MS }),
  );
  await duplicate;
  const id = made === null ? undefined : invoiceIn(made)?.id;
  if (id === undefined) {
    return;
  }
  if (bill.draftFirst) {
    const issued = await until(billing, bill, (api) =>
      caller.changeBill(bill, { id, change: 'issue' }, { api, kind: 'bill-issue', timeoutMs: TIMEOUT_MS }),
    );
    if (issued === null) {
      return;
    }
  }
  log.fired([`bill:${bill.act}`], `${bill.mark} is billed: ${bill.act}`);
  payable(id);
  if (bill.act === 'voided') {
    await until(billing, bill, (api) =>
      caller.changeBill(bill, { id, change: 'void' }, { api, kind: 'bill-void', timeoutMs: TIMEOUT_MS }),
    );
  }
}

function otherThan(api: 0 | 1): 0 | 1 {
  return api === 0 ? 1 : 0;
}

/** Asks the two APIs in turn until one answers. Returns null when it gives up. */
async function until(
  { closed }: Pick<Billing, 'closed'>,
  { firstApi }: Bill,
  ask: (api: 0 | 1, tries: number) => Promise<Answer>,
): Promise<Answer | null> {
  for (let tries = 0; !closed(); tries += 1) {
    const answer = await ask((firstApi + tries) % 2 === 0 ? 0 : 1, tries);
    if (answer.status !== null && answer.status < 300) {
      return answer;
    }
    await sleep(AGAIN_MS);
  }
  return null;
}

/** After the faults, sends every key once more to both APIs and completes what is not done yet. */
export async function repeatBills({ callers }: Pick<Billing, 'callers'>, bills: readonly Bill[]): Promise<void> {
  await Promise.all(
    bills.map(async (bill) => {
      const caller = callers[bill.app];
      for (const api of [0, 1] as const) {
        const options = { api, timeoutMs: 4 * TIMEOUT_MS } as const;
        const made = await insist(() => caller?.bill(bill, { ...options, kind: 'bill-repeat' }));
        const id = made === null ? undefined : invoiceIn(made)?.id;
        if (id !== undefined && bill.draftFirst && bill.act !== 'voided') {
          await insist(() => caller?.changeBill(bill, { id, change: 'issue' }, { ...options, kind: 'bill-issue' }));
        }
      }
    }),
  );
}

/** Reads each invoice from both APIs. */
export async function lookAtBills(
  { callers }: Pick<Billing, 'callers'>,
  bills: readonly Bill[],
  answers: readonly Answer[],
): Promise<void> {
  await Promise.all(
    bills.flatMap((bill) => {
      const id = answers.filter(({ mark }) => mark === bill.mark).flatMap((answer) => invoiceIn(answer)?.id ?? [])[0];
      return id === undefined
        ? []
        : ([0, 1] as const).map((api) =>
            insist(() => callers[bill.app]?.readBill(bill, id, { api, kind: 'bill-look', timeoutMs: 5 * TIMEOUT_MS })),
          );
    }),
  );
}

async function insist(ask: () => Promise<Answer> | undefined): Promise<Answer | null> {
  for (let tries = 0; tries < REPEATS_MAX; tries += 1) {
    const answer = await ask();
    if (answer !== undefined && answer.status !== null && answer.status < 300) {
      return answer;
    }
    await sleep(AGAIN_MS);
  }
  return null;
}
