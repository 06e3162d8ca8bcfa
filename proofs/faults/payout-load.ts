import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { BUSINESS_TIME_ZONE, calendarIn } from '../../domain/calendar.ts';
import { addDays } from '../../domain/plain-date.ts';
import { workflowIds } from '../../workflows/messages/names.ts';
import { parseJson } from './application.ts';
import type { FaultLog } from './fault-log.ts';
import type { Owner } from './owner.ts';
import { PAYOUT_STORES, type PayoutDesk, type PayoutStore } from './payout-desk.ts';
import { randomFrom, type Random } from './random.ts';
import type { Unsettled } from './settle.ts';
import type { TimeLapse } from './time-lapse.ts';

/** A run reads the gateway's API for its day and the week before, so two of them see everything that was paid out by then. */
const LAST_PAYOUT_AFTER_DAYS = 7;
const AMID_FAULTS_TIMEOUT_MS = 4_000;
const TIMEOUT_MS = 30_000;
const CLOSING_MS = 90_000;
const LOOK_MS = 200;
/** Ends the pauses of activities and the time limits of those whose worker has died. */
const STEP_MS = 20_000;

const Run = z.object({ data: z.object({ state: z.string() }) });
const Uploaded = z.object({ data: z.object({ file: z.object({ reference: z.string() }) }) });

export interface PayoutLoad {
  readonly desk: PayoutDesk;
  readonly owner: Owner;
  readonly lapse: TimeLapse;
  readonly log: FaultLog;
  readonly seed: string;
  readonly round: number;
  /** The business day on which the round began. */
  readonly beganOn: string;
}

/** Which day is run, and until when gateways pay out. */
function daysOf(): { readonly today: string; readonly until: string } {
  const today = calendarIn(BUSINESS_TIME_ZONE).today(new Date());
  return { today, until: addDays(today, LAST_PAYOUT_AFTER_DAYS) };
}

function randomOf({ seed, round }: PayoutLoad): Random {
  return randomFrom(BigInt(seed), round, 7);
}

/** Returns the business day. */
export function businessDay(): string {
  return daysOf().today;
}

/** While faults strike, gateways pay out what they took so far, and a person uploads files and reconciles, at either API. */
export async function payOutAmidFaults(load: PayoutLoad, closed: () => boolean): Promise<void> {
  const random = randomOf(load);
  const { today, until } = daysOf();
  while (!closed()) {
    for (const store of random.shuffled(PAYOUT_STORES)) {
      if (closed()) {
        return;
      }
      const api = random.pick([0, 1] as const);
      await payOut(load, store, { random, until }).catch((error: unknown) =>
        load.log.note(`no payout: ${String(error)}`),
      );
      await upload(load, store, api, AMID_FAULTS_TIMEOUT_MS);
      await load.desk.ask(api, { ...runOf(store, today), timeoutMs: AMID_FAULTS_TIMEOUT_MS });
      load.log.note(`${store.gateway} ${store.mode} was reconciled amid the faults`);
    }
    await sleep(LOOK_MS);
  }
}

/** Faults that the gateway itself makes in its payouts, each in every second call. */
const GATEWAY_FAULTS = ['missing', 'duplicated', 'late', 'amount', 'foreign', 'split', 'fee', 'negative'] as const;

async function payOut(
  { desk, seed, round }: PayoutLoad,
  store: PayoutStore,
  { random, until }: { readonly random: Random; readonly until: string },
): Promise<void> {
  const faults = Object.fromEntries(GATEWAY_FAULTS.filter(() => random.chance(0.5)).map((name) => [name, 1]));
  await desk.payOut(store, { seed: `${seed}-${round}-${random.between(0, 1_000_000)}`, until, faults });
}

/** Returns the reference of the file, or null if no answer came. */
async function upload({ desk }: PayoutLoad, store: PayoutStore, api: 0 | 1, timeoutMs: number): Promise<string | null> {
  const { gateway, mode, storeId, mapping } = store;
  if (mapping === null) {
    return null;
  }
  const path = `/admin/payout-files?mode=${mode}&gateway=${gateway}&storeId=${storeId}&format=csv&name=${gateway}.csv`;
  const text = await desk.fileOf(store).catch(() => null);
  if (text === null) {
    return null;
  }
  const answer = Uploaded.safeParse(parseJson((await desk.ask(api, { method: 'POST', path, text, timeoutMs })).text));
  return answer.success ? answer.data.data.file.reference : null;
}

function runOf({ gateway, mode }: PayoutStore, period: string) {
  const path = `/admin/reconciliation/runs?period=${period}&gateway=${gateway}&mode=${mode}`;
  return { method: 'POST', path } as const;
}

/** What every gateway said in the end. */
export interface PaidOut {
  readonly unsettled: readonly Unsettled[];
  /** The gateways' files, for which the rows of each count. */
  readonly files: readonly { readonly store: PayoutStore; readonly rows: number }[];
}

/** After the faults, everything is paid out, uploaded and reconciled. Each request is repeated until it is answered. */
export async function closeTheBooks(load: PayoutLoad): Promise<PaidOut> {
  const random = randomOf(load);
  const { today, until } = daysOf();
  const deadline = Date.now() + CLOSING_MS;
  const unsettled: Unsettled[] = [];
  const files: { store: PayoutStore; rows: number }[] = [];
  await Promise.all(
    PAYOUT_STORES.map(async (store) => {
      await payOut(load, store, { random, until });
      files.push({ store, rows: rowsIn(await load.desk.fileOf(store)) });
      const api = random.pick([0, 1] as const);
      if (store.mapping !== null) {
        unsettled.push(...(await imported(load, { deadline, upload: () => upload(load, store, api, TIMEOUT_MS) })));
      }
      const days = new Set([load.beganOn, today]);
      if (store.mapping === null) {
        unsettled.push(...(await reconciled(load, { store, period: until, api, deadline })));
        await stateLess(load, { store, api, today });
      } else {
        const statement = await load.desk.statementOf(store);
        const path = `/admin/payout-files?mode=${store.mode}&kind=statement&format=camt053&name=${store.gateway}.xml`;
        const send = (): ReturnType<PayoutDesk['ask']> =>
          load.desk.ask(api, { method: 'POST', path, text: statement, timeoutMs: TIMEOUT_MS });
        unsettled.push(...(await imported(load, { deadline, upload: async () => referenceIn(await send()) })));
      }
      // A run that was interrupted amid the faults goes on, and may have passed what has come since. The second one begins anew.
      for (const period of [...days, ...days]) {
        unsettled.push(...(await reconciled(load, { store, period, api, deadline })));
      }
      load.log.note(`${store.gateway} ${store.mode} is reconciled`);
    }),
  );
  return { unsettled, files };
}

/** A person says that the bank received a hundred units less of one payout than its lines add up to. */
async function stateLess(
  { desk, owner }: PayoutLoad,
  {
    store: { gateway, mode },
    api,
    today,
  }: { readonly store: PayoutStore; readonly api: 0 | 1; readonly today: string },
): Promise<void> {
  const [payout] = await owner.run<{ reference: string; minor: string }>(
    `select reference, (lines_minor - 100)::text as minor from payouts
     where gateway = ? and mode = ? and status = 'PAID' and lines > 0 and bank_minor = lines_minor order by id desc limit 1`,
    [gateway, mode],
  );
  if (payout !== undefined) {
    const path = `/admin/payouts/${payout.reference}/bank-amount`;
    const json = { amountMinor: Number(payout.minor), arrivedOn: today, reason: 'the statement of the bank' };
    await desk.ask(api, { method: 'POST', path, json, timeoutMs: TIMEOUT_MS });
  }
}

/** Counts neither the headings nor a sum at the end. */
function rowsIn(file: string): number {
  const [, ...rows] = file.trim().split(/\r?\n/);
  return rows.filter((row) => !row.startsWith('Total,')).length;
}

function referenceIn({ text }: { readonly text: string }): string | null {
  const answer = Uploaded.safeParse(parseJson(text));
  return answer.success ? answer.data.data.file.reference : null;
}

async function imported(
  { owner, lapse, log }: PayoutLoad,
  { deadline, upload: send }: { readonly deadline: number; readonly upload: () => Promise<string | null> },
): Promise<Unsettled[]> {
  let reference: string | null = null;
  while (Date.now() < deadline) {
    reference ??= await send();
    const rows = await owner.run<{ state: string }>(
      `select state from payout_files where reference = ? and state in ('IMPORTED', 'REFUSED', 'CANCELLED')`,
      [reference ?? ''],
    );
    if (rows.length > 0) {
      return [];
    }
    if (reference !== null) {
      await lapse
        .forward(workflowIds.payoutImport(reference), STEP_MS)
        .catch((error: unknown) => log.note(String(error)));
    }
    await sleep(LOOK_MS);
  }
  return [{ what: 'the import of a payout file', waited: reference ?? 'an upload' }];
}

async function reconciled(
  { desk, lapse, log }: PayoutLoad,
  {
    store,
    period,
    api,
    deadline,
  }: { readonly store: PayoutStore; readonly period: string; readonly api: 0 | 1; readonly deadline: number },
): Promise<Unsettled[]> {
  const id = workflowIds.reconciliation({ ...store, period });
  while (Date.now() < deadline) {
    const asking = desk.ask(api, { ...runOf(store, period), timeoutMs: TIMEOUT_MS });
    // A run whose worker has died goes on when its activity is timed out.
    const answered = asking.then(
      () => true,
      () => true,
    );
    while (!(await Promise.race([answered, sleep(LOOK_MS * 5, false)]))) {
      await lapse.forward(id, STEP_MS).catch((error: unknown) => log.note(String(error)));
    }
    const run = Run.safeParse(parseJson((await asking).text));
    if (run.success && run.data.data.state === 'COMPLETED') {
      return [];
    }
    await sleep(LOOK_MS);
  }
  return [{ what: 'a run', waited: id }];
}
