import type { Router } from '@koa/router';
import type { Context } from 'koa';
import type { ChargeLine, ChargeLog } from '../charge-log.ts';
import { ownerNamed } from '../control.ts';
import { BodyError, readJsonObject } from '../form-body.ts';
import type { Dispute, Payout } from './book.ts';
import { addDays, dayAt, isDay } from './days.ts';
import type { PayoutDesk } from './desk.ts';
import { payoutFaults } from './faults.ts';
import type { FaultCounts, PayoutFault, Planted } from './faults.ts';
import { csvFile, delimiters, encodings, xlsxFile } from './files.ts';
import type { PayoutColumns } from './files.ts';
import { disputeView, lineView, payoutView, plantedView } from './views.ts';

export type PayoutControl = {
  base: string;
  desk: PayoutDesk;
  charges: ChargeLog;
  /** The member that names the merchant, in the gateway's own word. */
  ownerMember: string;
  columns(options: { bangla: boolean }): PayoutColumns;
  /** Is told of what has changed, once it is on disk. */
  onPayouts?(payouts: readonly Payout[]): void;
  onPayoutEnded?(payout: Payout): void;
  onDispute?(dispute: Dispute): void;
};

type Body = Readonly<Record<string, unknown>>;

const untilDays = 31;
const daysMax = 366;
const faultsMax = 10_000;

/** Registers the routes that make payouts and disputes, show them, and offer them as files. */
export function payoutRoutes(router: Router, control: PayoutControl): void {
  const { base, desk } = control;
  const { source } = desk;
  router.post(`${base}/payouts`, (ctx) => makePayouts(ctx, control));
  router.get(`${base}/payouts`, (ctx) => {
    ctx.body = chosenPayouts(ctx, control).map((payout) => payoutView(payout, source));
  });
  router.get(`${base}/payouts/files/:name`, (ctx) => sendFile(ctx, control));
  router.get(`${base}/payouts/:id`, (ctx) => {
    const payout = payoutNamed(ctx, desk);
    ctx.body = { ...payoutView(payout, source), lines: payout.lines.map((line) => lineView(line, source)) };
  });
  router.post(`${base}/payouts/:id/:end`, (ctx) => endPayout(ctx, control));
  router.post(`${base}/disputes`, (ctx) => openDispute(ctx, control));
  router.get(`${base}/disputes`, (ctx) => {
    ctx.body = [...desk.book().disputes.values()].map((dispute) => disputeView(dispute, source));
  });
  router.post(`${base}/disputes/:id/close`, (ctx) => closeDispute(ctx, control));
}

async function makePayouts(ctx: Context, control: PayoutControl): Promise<void> {
  const { desk, charges, onPayouts } = control;
  const { source } = desk;
  const body = await readJsonObject(ctx.req);
  const owner = ownerIn(body, control);
  const today = dayAt(Date.now(), source.offsetMinutes);
  const { until = addDays(today, untilDays), seed = '1', spreadDays = 1, automatic = true, paid = true } = body;
  if (!isDay(until) || until > addDays(today, daysMax)) {
    throw new BodyError(400, `until is a day like 2026-11-24, at most ${daysMax} days from now`);
  }
  if (typeof seed !== 'string' || seed.length > 100) {
    throw new BodyError(400, 'seed is a text of at most 100 characters');
  }
  if (typeof spreadDays !== 'number' || !Number.isInteger(spreadDays) || spreadDays < 1 || spreadDays > daysMax) {
    throw new BodyError(400, `spreadDays is a whole number from 1 to ${daysMax}`);
  }
  if (typeof automatic !== 'boolean' || typeof paid !== 'boolean') {
    throw new BodyError(400, 'automatic and paid are true or false');
  }
  const faults = faultsIn(body['faults'] ?? {}, source.namesCurrency);
  const { payouts, planted } = await desk.take({
    type: 'payouts',
    owner,
    until,
    seed,
    spreadDays,
    automatic,
    paid,
    faults,
    logLength: charges.lines().length,
    settings: desk.settings(owner),
  });
  onPayouts?.(payouts);
  const book = desk.book();
  ctx.status = 201;
  ctx.body = {
    seed,
    until,
    payouts: payouts.map((payout) => payoutView(payout, source)),
    faults: planted.map((one) => plantedView(one, book, source)),
    notPlanted: notPlanted(faults, planted),
    waiting: (book.waiting.get(owner) ?? []).map((line) => lineView(line, source)),
  };
}

function faultsIn(value: unknown, namesCurrency: boolean): FaultCounts {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new BodyError(400, 'faults is an object like {"missing": 1}');
  }
  for (const [name, count] of Object.entries(value)) {
    if (!Object.hasOwn(payoutFaults, name)) {
      throw new BodyError(400, `The faults are ${Object.keys(payoutFaults).join(', ')}`);
    }
    if (typeof count !== 'number' || !Number.isInteger(count) || count < 0 || count > faultsMax) {
      throw new BodyError(400, `faults.${name} is a whole number up to ${faultsMax}`);
    }
    if (name === 'currency' && count > 0 && !namesCurrency) {
      throw new BodyError(400, 'The files of this gateway name no currency');
    }
  }
  return value;
}

/** How many of each fault found no charge or payout to be planted in. */
function notPlanted(faults: FaultCounts, planted: readonly Planted[]): FaultCounts {
  const left = (Object.entries(faults) as [PayoutFault, number][]).map(
    ([fault, count]) => [fault, count - planted.filter((one) => one.fault === fault).length] as const,
  );
  return Object.fromEntries(left.filter(([, count]) => count > 0));
}

async function endPayout(ctx: Context, { desk, onPayoutEnded }: PayoutControl): Promise<void> {
  await readJsonObject(ctx.req);
  const { id, owner } = payoutNamed(ctx, desk);
  const end = String(ctx['params']['end']);
  if (end !== 'pay' && end !== 'fail') {
    throw new BodyError(404, 'The actions are pay, fail');
  }
  const settings = desk.settings(owner);
  await desk.take({ type: 'payout_ended', payoutId: id, status: end === 'pay' ? 'paid' : 'failed', settings });
  const payout = payoutNamed(ctx, desk);
  onPayoutEnded?.(payout);
  ctx.body = payoutView(payout, desk.source);
}

async function openDispute(ctx: Context, control: PayoutControl): Promise<void> {
  const { desk, charges, onDispute } = control;
  const body = await readJsonObject(ctx.req);
  const { charge, reason = 'fraudulent' } = body;
  const line = charges.lines().findLast((line) => isCharge(line, desk.source.gateway, charge));
  if (!line) {
    throw new BodyError(404, 'charge is the transaction id of a charge, or the merchant’s own reference of it');
  }
  if (typeof reason !== 'string' || !/^[a-z_]{1,40}$/.test(reason)) {
    throw new BodyError(400, 'reason is a word like fraudulent');
  }
  const before = new Set(desk.book().disputes.keys());
  await desk.take({ type: 'dispute', owner: line.storeId, line, reason, settings: desk.settings(line.storeId) });
  const dispute = [...desk.book().disputes.values()].find(({ id }) => !before.has(id));
  if (!dispute) {
    throw new Error('The dispute that was just made is gone');
  }
  onDispute?.(dispute);
  ctx.status = 201;
  ctx.body = disputeView(dispute, desk.source);
}

function isCharge({ kind, gateway, tranId, bankTranId, id }: ChargeLine, of: string, name: unknown): boolean {
  return kind === 'charge' && gateway === of && (name === tranId || name === bankTranId || name === id);
}

async function closeDispute(ctx: Context, { desk, onDispute }: PayoutControl): Promise<void> {
  const { won } = await readJsonObject(ctx.req);
  const dispute = desk.book().disputes.get(String(ctx['params']['id']));
  if (!dispute) {
    throw new BodyError(404, 'There is no such dispute');
  }
  if (typeof won !== 'boolean') {
    throw new BodyError(400, 'won is true if the merchant gets the money back, and false if not');
  }
  if (dispute.status === 'needs_response') {
    await desk.take({ type: 'dispute_closed', disputeId: dispute.id, won, settings: desk.settings(dispute.owner) });
    onDispute?.(dispute);
  }
  ctx.body = disputeView(dispute, desk.source);
}

async function sendFile(ctx: Context, control: PayoutControl): Promise<void> {
  const { encoding = 'utf-8', delimiter = ',', headings = 'en' } = ctx.query;
  const known = encodings.find((one) => one === encoding);
  if (known === undefined || !delimiters.some((one) => one === delimiter) || typeof delimiter !== 'string') {
    throw new BodyError(400, `encoding is one of ${encodings.join(', ')}; delimiter is a comma, a semicolon or a tab`);
  }
  const payouts = chosenPayouts(ctx, control);
  const columns = control.columns({ bangla: headings === 'bn' });
  switch (ctx['params']['name']) {
    case 'lines.csv':
      ctx.type = 'text/csv';
      ctx.body = csvFile(payouts, columns, { delimiter, encoding: known });
      return;
    case 'lines.xlsx':
      ctx.type = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';
      ctx.body = Buffer.from(await xlsxFile(payouts, columns));
      return;
    default:
      throw new BodyError(404, 'The files are lines.csv, lines.xlsx');
  }
}

/** Returns the payouts of a merchant, of a window of days or with an id, by day. */
function chosenPayouts(ctx: Context, control: PayoutControl): Payout[] {
  const { payout, from, to, ...others } = ctx.query;
  const owner = others[control.ownerMember];
  return [...control.desk.book().payouts.values()]
    .filter((one) => owner === undefined || one.owner === owner)
    .filter(({ id }) => payout === undefined || id === payout)
    .filter(({ on }) => (typeof from !== 'string' || on >= from) && (typeof to !== 'string' || on <= to))
    .toSorted((left, right) => (left.on < right.on ? -1 : left.on > right.on ? 1 : 0));
}

function payoutNamed(ctx: Context, desk: PayoutDesk): Payout {
  const payout = desk.book().payouts.get(String(ctx['params']['id']));
  if (!payout) {
    throw new BodyError(404, 'There is no such payout');
  }
  return payout;
}

function ownerIn(body: Body, { desk, ownerMember }: PayoutControl): string {
  return ownerNamed(desk.owners, { idOf: (owner) => owner, id: body[ownerMember], member: ownerMember });
}
