import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { addDays } from '../../domain/plain-date.ts';
import type { DevFile } from '../../scripts/development/dev-file.ts';
import { logIn, type ApiOperator } from '../trade/operator.ts';
import { TRADING_GATEWAYS } from '../trade/gateways.ts';
import { until } from '../trade/until.ts';
import type { Population } from './population.ts';

/** A run that is interrupted goes on after the heartbeat of its activity has been missed for a minute. */
const RUN_TAKES_AT_MOST_MS = 20 * 60_000;
const TRY_AGAIN_FOR_MS = 120_000;
const PIECE_BYTES = 64 * 1024;
const PIECE_PAUSE_MS = 20;

const Uploaded = z.object({ file: z.object({ reference: z.string() }) });
const File = z.object({ state: z.string() });
const Run = z.object({ state: z.string(), ledgerBalanced: z.boolean() });

export interface DayOrder {
  readonly dev: DevFile;
  readonly population: Population;
  readonly today: string;
  /** The last day of payouts. */
  readonly until: string;
}

/** Does what a person does who closes a day, and repeats every request that was lost. */
export async function closeDay({ dev, population, today, until: last }: DayOrder): Promise<void> {
  const operator = patient(await logIn(dev));
  for (const { gateway, storeId, bytes } of population.files) {
    await upload(operator, `mode=LIVE&gateway=${gateway}&storeId=${storeId}&format=csv&name=${gateway}.csv`, bytes);
  }
  const days = [addDays(last, -14), addDays(last, -7), last, today];
  for (const { name, mapping } of TRADING_GATEWAYS) {
    // A run reads the API of its day and the week before.
    for (const period of mapping === null ? days : [today]) {
      await reconcile(operator, { gateway: name, period });
    }
  }
  await upload(operator, 'mode=LIVE&kind=statement&format=camt053&name=statement.xml', population.statement);
  for (const { name } of TRADING_GATEWAYS) {
    await reconcile(operator, { gateway: name, period: today });
  }
}

async function upload(operator: ApiOperator, query: string, bytes: Uint8Array): Promise<void> {
  const { file } = Uploaded.parse(await operator.upload(`/admin/payout-files?${query}`, bytes));
  await until(
    async () => {
      const { state } = File.parse(await operator.get(`/admin/payout-files/${file.reference}`));
      if (state === 'REFUSED' || state === 'CANCELLED') {
        throw new Error(`the file of ${query} is ${state}`);
      }
      return state === 'IMPORTED';
    },
    { waitMs: RUN_TAKES_AT_MOST_MS },
  );
}

async function reconcile(
  operator: ApiOperator,
  { gateway, period }: { readonly gateway: string; readonly period: string },
): Promise<void> {
  // The request answers within half a minute, whether the run has ended or not. Made again, it waits for the same run.
  await until(
    async () => {
      const run = Run.parse(await operator.post(`/admin/reconciliation/runs?period=${period}&gateway=${gateway}`));
      if (!run.ledgerBalanced || !['RUNNING', 'COMPLETED'].includes(run.state)) {
        throw new Error(`the run of ${gateway} on ${period} is ${run.state}, balanced: ${run.ledgerBalanced}`);
      }
      return run.state === 'COMPLETED';
    },
    { waitMs: RUN_TAKES_AT_MOST_MS },
  );
}

/** Sends a request again until it is answered. An upload takes its time, as it does over a slow line. */
function patient(operator: ApiOperator): ApiOperator {
  return {
    ...operator,
    get: (path) => insist(() => operator.get(path)),
    post: (path, body) => insist(() => operator.post(path, body)),
    upload: (path, bytes) => insist(() => operator.upload(path, bytes instanceof Uint8Array ? slowly(bytes) : bytes)),
  };
}

async function insist<T>(request: () => Promise<T>): Promise<T> {
  const giveUpAt = Date.now() + TRY_AGAIN_FOR_MS;
  for (;;) {
    try {
      return await request();
    } catch (error) {
      if (Date.now() > giveUpAt) {
        throw error;
      }
      await sleep(500);
    }
  }
}

function slowly(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let position = 0;
  return new ReadableStream({
    async pull(controller) {
      if (position >= bytes.length) {
        controller.close();
        return;
      }
      controller.enqueue(bytes.subarray(position, position + PIECE_BYTES));
      position += PIECE_BYTES;
      await sleep(PIECE_PAUSE_MS);
    },
  });
}
