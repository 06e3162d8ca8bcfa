import { setTimeout as sleep } from 'node:timers/promises';
import { intentIn, paymentIn, paymentsIn, type Caller } from './application.ts';
import type { Billed } from './bill-plan.ts';
import { UNSEEN_ACTS } from './dials.ts';
import { actAsPayer, type ComeBack } from './payer.ts';
import type { Answer, Journal } from './journal.ts';
import { decideByHand, type ByHand } from './manual-load.ts';
import { errorCodeOf } from './operators.ts';
import type { Errand } from './plan.ts';
import { decideUnappliedMoney, refundWhenPaid, type Refunds } from './refund-load.ts';
import type { GatewayControl } from './simulator-control.ts';

export interface Load extends Refunds {
  readonly journal: Journal;
  /** By application: the amount above which a manual payment needs two people. */
  readonly thresholds: readonly (number | null)[];
  /** Where payers leave the pages to which they will return. */
  readonly comeBacks: Map<string, ComeBack>;
  readonly billed: Billed;
  readonly control: GatewayControl;
  readonly apiUrl: string;
  readonly modes: readonly ('TEST' | 'LIVE')[];
  readonly stores: Readonly<Record<'TEST' | 'LIVE', string>>;
  /** True once the faults have been over for so long that everyone who still tries gives up. */
  readonly closed: () => boolean;
  /** True once they have been over for so long that no application waits for its payment any more. */
  readonly over: () => boolean;
}

const CREATE_TIMEOUT_MS = 3_000;
const READ_TIMEOUT_MS = 2_000;
const TRY_AGAIN_MS = 500;
const READ_EVERY_MS = 1_000;
/** Does everything that applications and payers do in one round, at the planned times. Failures are expected, and no one gives up early. */
export async function runLoad(load: Load, errands: readonly Errand[]): Promise<void> {
  await Promise.all(
    errands.map(async (errand, index) => {
      await sleep(errand.startMs);
      await run(load, {
        errand,
        address: `10.${Math.floor(index / 250)}.${index % 250}.${addressPart(errand)}`,
      });
    }),
  );
}

interface Running {
  readonly errand: Errand;
  readonly address: string;
}

async function run(load: Load, { errand, address }: Running): Promise<void> {
  const caller = load.callers[errand.app];
  if (caller === undefined) {
    throw new RangeError(`no application ${errand.app}`);
  }
  const otherApi = errand.firstApi === 0 ? 1 : 0;
  if (errand.bill !== null && (await load.billed.get(errand.bill)) === null) {
    load.log.note(`nothing to pay for ${errand.mark}: ${errand.bill} was not billed`);
    return;
  }
  const duplicate =
    errand.repeat === 'at-once'
      ? caller.create(errand, { api: otherApi, kind: 'repeat', timeoutMs: CREATE_TIMEOUT_MS })
      : Promise.resolve();
  const payment =
    errand.contract === 'ownpay'
      ? await intendUntilAnswered(caller, errand, load.closed)
      : await createUntilAnswered(caller, errand, load.closed);
  await duplicate;
  if (payment === null) {
    return;
  }
  let done = false;
  const reading = readAgain(caller, { errand, id: payment.id, closed: () => done || load.closed() });
  if (errand.repeat === 'later' || errand.repeat === 'other-body') {
    const kind = errand.repeat === 'later' ? 'repeat' : 'other-body';
    await caller.create(errand, { api: otherApi, kind, timeoutMs: CREATE_TIMEOUT_MS });
  }
  if (errand.forgery !== null) {
    await forge(load, { errand, address, checkout: payment });
  }
  let deciding = Promise.resolve();
  let isNotified = false;
  const told = (transaction: string, shown: boolean): void => {
    writeDown(load, { errand, transaction, shown });
    deciding = isNotified ? deciding : decideByHand(load.desks, byHand(load, errand, payment.id));
    isNotified = true;
  };
  const { gaveUp, comeBack } = await actAsPayer({
    checkoutUrl: payment.checkoutUrl,
    errand,
    address,
    closed: load.closed,
    told,
  });
  if (comeBack !== null) {
    load.comeBacks.set(errand.mark, comeBack);
  }
  if (gaveUp !== null) {
    load.log.note(`the payer of ${errand.mark} (${errand.script ?? errand.act}) gave up: ${gaveUp}`);
  }
  await deciding;
  done = true;
  await reading;
  const refunding = { errand, paymentId: payment.id, over: load.over, closed: load.closed };
  // A charge that no notice reports is not found before a later query, long after this.
  const isUnseen = UNSEEN_ACTS.some((act) => act === errand.act);
  await Promise.all([refundWhenPaid(load, refunding), isUnseen ? undefined : decideUnappliedMoney(load, refunding)]);
}

/** Describes a payment that operators may have to decide on. */
export function byHand(
  { thresholds, closed }: Pick<Load, 'thresholds' | 'closed'>,
  errand: Errand,
  paymentId: number,
): ByHand {
  return { errand, paymentId, people: (thresholds[errand.app] ?? null) === null ? 1 : 2, closed };
}

interface Written {
  readonly errand: Errand;
  readonly transaction: string;
  readonly shown: boolean;
}

function writeDown({ journal }: Load, { errand: { mark, app, firstApi }, transaction, shown }: Written): void {
  const at = performance.now();
  journal.write({
    mark,
    app,
    kind: 'submission',
    api: firstApi,
    sentAtMs: at,
    answeredAtMs: at,
    status: shown ? 200 : null,
    replayed: false,
    text: transaction,
  });
}

interface Created {
  readonly id: number;
  readonly checkoutUrl: string;
  readonly redirectUrl: string | null;
}

/** Creates a payment as a client that keeps its key and tries both APIs in turn until it has an answer. */
async function createUntilAnswered(caller: Caller, errand: Errand, closed: () => boolean): Promise<Created | null> {
  for (let tries = 0; !closed(); tries += 1) {
    const api = (errand.firstApi + tries) % 2 === 0 ? 0 : 1;
    const answer = await caller.create(errand, {
      api,
      kind: tries === 0 ? 'create' : 'repeat',
      timeoutMs: CREATE_TIMEOUT_MS,
    });
    if (answer.status === 201) {
      return paymentIn(answer);
    }
    if (answer.status === 502 || (errand.bill !== null && isBillSettled(answer))) {
      return null;
    }
    await sleep(TRY_AGAIN_MS);
  }
  return null;
}

/** Creates a payment through OwnPay's API. Its answers do not contain Lenden's id, so the id comes from the application's list. */
async function intendUntilAnswered(caller: Caller, errand: Errand, closed: () => boolean): Promise<Created | null> {
  for (let tries = 0; !closed(); tries += 1) {
    const api = (errand.firstApi + tries) % 2 === 0 ? 0 : 1;
    const kind = tries === 0 ? 'intent' : 'intent-repeat';
    const made = intentIn(await caller.intent(errand, { api, kind, timeoutMs: CREATE_TIMEOUT_MS }));
    if (made !== null) {
      const list = await caller.list(errand, { api, kind: 'list', timeoutMs: READ_TIMEOUT_MS });
      const known = paymentsIn(list)?.find(({ reference }) => reference === made.reference);
      if (known !== undefined) {
        return { id: known.id, checkoutUrl: made.checkoutUrl, redirectUrl: known.redirectUrl };
      }
    }
    await sleep(TRY_AGAIN_MS);
  }
  return null;
}

const BILL_SETTLED: ReadonlySet<string> = new Set(['INVALID_OPERATION_STATE', 'AMOUNT_OUT_OF_BOUNDS']);

/** Returns whether others have already paid the invoice, or so much of it that less than this amount is due. */
export function isBillSettled(answer: Pick<Answer, 'text'>): boolean {
  return BILL_SETTLED.has(errorCodeOf(answer) ?? '');
}

async function readAgain(
  caller: Caller,
  { errand, id, closed }: { errand: Errand; id: number; closed: () => boolean },
): Promise<void> {
  for (let reads = 0; !closed(); reads += 1) {
    await caller.read(errand, id, { api: reads % 2 === 0 ? 0 : 1, kind: 'read', timeoutMs: READ_TIMEOUT_MS });
    await sleep(READ_EVERY_MS);
  }
}

interface Forging {
  readonly errand: Errand;
  readonly address: string;
  readonly checkout: Created;
}

/** Sends a forged callback: someone who knows the order's number claims that it is paid, in the gateway's format but without its secret. */
async function forge(load: Load, { errand, address, checkout }: Forging): Promise<void> {
  const mode = load.modes[errand.app] ?? 'TEST';
  const kind = errand.forgery === 'forged-return' ? 'success' : 'ipn';
  while (!load.closed()) {
    const tranId =
      checkout.redirectUrl === null ? null : await load.control.tranIdOf(checkout.redirectUrl).catch(() => null);
    const form = new URLSearchParams({
      status: errand.forgery === 'early-ipn' ? 'PENDING' : 'VALID',
      tran_id: tranId ?? 'UNKNOWNUNKNOWNUNKNOW',
      val_id: `forged${errand.mark.replaceAll(/\D/g, '')}`,
      amount: (errand.amountMinor / 100).toFixed(2),
      currency: 'BDT',
      store_id: load.stores[mode],
      verify_sign: '0'.repeat(32),
      verify_sign_sha2: '0'.repeat(64),
      verify_key: 'amount,currency,status,store_id,tran_id,val_id',
    });
    const sent = await fetch(`${load.apiUrl}/gateway/sslcommerz/${mode.toLowerCase()}/${kind}`, {
      method: 'POST',
      body: form,
      redirect: 'manual',
      headers: { 'x-forwarded-for': address },
      signal: AbortSignal.timeout(READ_TIMEOUT_MS),
    }).catch(() => null);
    if (sent !== null && sent.status < 500) {
      load.log.fired([errand.forgery ?? 'forged-ipn'], `${errand.forgery} for ${errand.mark}: answered ${sent.status}`);
      return;
    }
    await sleep(TRY_AGAIN_MS);
  }
}

function addressPart({ mark }: Errand): number {
  return (Number(mark.split('-').at(-2) ?? 0) % 250) + 1;
}
