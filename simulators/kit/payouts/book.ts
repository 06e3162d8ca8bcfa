import type { ChargeLine } from '../charge-log.ts';
import { addDays, dayAt, isOpen, openDayAfter } from './days.ts';
import { plantInCharges, refundBeyond } from './faults.ts';
import type { FaultCounts, Planted } from './faults.ts';
import { netOf } from './movements.ts';
import type { Identity, Movement, MovementKind, PayoutSource } from './movements.ts';
import { createRandom, lettersFor } from './random.ts';
import type { PayoutSettings } from './settings.ts';
import { portionOf, sumOf } from './units.ts';

export type Payout = {
  id: string;
  owner: string;
  currency: string;
  on: string;
  madeAt: number;
  /** The bank's id of the transfer. */
  bankReference: string;
  lines: readonly Movement[];
  /** The sum of the lines' net amounts. */
  amount: bigint;
  /** A manual payout, whose lines the gateway does not tell, is not. */
  automatic: boolean;
  status: 'pending' | 'paid' | 'failed';
  /** Its file ends in the middle of its last line. */
  truncated: boolean;
};

export type Dispute = {
  id: string;
  owner: string;
  charge: Movement;
  at: number;
  reason: string;
  status: 'needs_response' | 'won' | 'lost';
};

/** What makes payouts, in the order of the journal. With the charge log it determines all of them, also after a restart. */
export type Step = { id: string; at: number } & (
  | {
      type: 'payouts';
      owner: string;
      until: string;
      seed: string;
      /** Charges are taken to be from as many days as this, and not all from today. */
      spreadDays: number;
      automatic: boolean;
      paid: boolean;
      faults: FaultCounts;
      /** How much of the charge log was written. */
      logLength: number;
      settings: PayoutSettings;
    }
  | { type: 'dispute'; owner: string; line: ChargeLine; reason: string; settings: PayoutSettings }
  | { type: 'dispute_closed'; disputeId: string; won: boolean; settings: PayoutSettings }
  | { type: 'payout_ended'; payoutId: string; status: 'paid' | 'failed'; settings: PayoutSettings }
);
type PayoutsStep = Extract<Step, { type: 'payouts' }>;

/** Everything that a gateway has paid out, and owes. */
export type Book = {
  payouts: Map<string, Payout>;
  disputes: Map<string, Dispute>;
  /** What is in no payout yet, by merchant. */
  waiting: Map<string, Movement[]>;
  /** How much of the charge log each merchant's payouts have taken into account. */
  read: Map<string, number>;
  /** The day of the last payout, by merchant and currency. */
  lastOn: Map<string, string>;
};

export function createBook(): Book {
  return { payouts: new Map(), disputes: new Map(), waiting: new Map(), read: new Map(), lastOn: new Map() };
}

export type Made = { payouts: readonly Payout[]; planted: readonly Planted[] };

/** Carries out a step. Returns the payouts that it made, and the faults that it planted in them. */
export function take(book: Book, step: Step, given: { source: PayoutSource; log: readonly ChargeLine[] }): Made {
  switch (step.type) {
    case 'payouts':
      return makePayouts(book, step, given);
    case 'dispute':
      openDispute(book, step, given.source);
      break;
    case 'dispute_closed':
      closeDispute(book, step, given.source);
      break;
    case 'payout_ended':
      endPayout(book, step, given.source);
  }
  return { payouts: [], planted: [] };
}

function waitingOf(book: Book, owner: string): Movement[] {
  const found = book.waiting.get(owner) ?? [];
  book.waiting.set(owner, found);
  return found;
}

function makePayouts(
  book: Book,
  step: PayoutsStep,
  { source, log }: { source: PayoutSource; log: readonly ChargeLine[] },
): Made {
  const { owner, until, seed, faults, settings } = step;
  const waiting = [...waitingOf(book, owner), ...readLog(book, step, { source, log })];
  book.waiting.set(owner, waiting);
  const planted = plantInCharges({ waiting, counts: faults, seed, until, owner, source, settings });
  const made: Payout[] = [];
  const first = waiting.reduce((earliest, { dueOn }) => (dueOn < earliest ? dueOn : earliest), until);
  const negatives = { left: faults.negative ?? 0 };
  for (let on = first; on <= until; on = addDays(on, 1)) {
    if (isOpen(on, settings)) {
      const currencies = [...new Set(waitingOf(book, owner).map(({ currency }) => currency))].toSorted();
      made.push(
        ...currencies.flatMap((currency) => payoutOn(book, { step, source, on, currency, negatives, planted })),
      );
    }
  }
  for (const payout of made.slice(0, faults.truncated ?? 0)) {
    payout.truncated = true;
    planted.push({ fault: 'truncated', expected: null, lineIds: [], payoutId: payout.id });
  }
  return { payouts: made, planted };
}

type Paying = {
  step: PayoutsStep;
  source: PayoutSource;
  on: string;
  currency: string;
  negatives: { left: number };
  planted: Planted[];
};

/** Pays out what is due on a day in a currency: one payout, or none. */
function payoutOn(book: Book, { step, source, on, currency, negatives, planted }: Paying): Payout[] {
  const { owner, settings, seed } = step;
  const key = `${owner} ${currency}`;
  const waiting = waitingOf(book, owner);
  const due = waiting.filter((movement) => movement.currency === currency && movement.dueOn <= on);
  if (due.length === 0 || on <= (book.lastOn.get(key) ?? '')) {
    return [];
  }
  const lines = [...due, ...reserveOf(due, { on, seed, source, settings })];
  const sum = (): bigint => sumOf(lines.map(netOf));
  const turns = negatives.left > 0 && sum() > 0n;
  if (turns) {
    negatives.left -= 1;
    const refund = refundBeyond(sum(), { seed: `${seed} ${owner}`, on, currency, source });
    lines.push(refund);
    planted.push({ fault: 'negative', expected: null, lineIds: [refund.lineId] });
  }
  const amount = sum();
  if (amount === 0n || (amount < 0n && settings.negative === 'carry' && !turns)) {
    return [];
  }
  const paid = new Set(due);
  book.waiting.set(owner, [
    ...waiting.filter((movement) => !paid.has(movement)),
    ...lines
      .filter(({ kind }) => kind === 'reserve_hold')
      .map((hold) => releaseOf(hold, { on, seed, source, settings })),
  ]);
  book.lastOn.set(key, on);
  const letters = lettersFor(`${source.gateway} ${key} ${on} ${seed}`, 24);
  const payout: Payout = {
    id: source.payoutId(letters),
    owner,
    currency,
    on,
    madeAt: step.at,
    bankReference: `BT${lettersFor(`bank ${letters}`, 12).toUpperCase()}`,
    lines,
    amount,
    automatic: step.automatic,
    status: step.paid ? 'paid' : 'pending',
    truncated: false,
  };
  book.payouts.set(payout.id, payout);
  return [payout];
}

type Reserving = { on: string; seed: string; source: PayoutSource; settings: PayoutSettings };

function reserveOf(due: readonly Movement[], { on, seed, source, settings }: Reserving): Movement[] {
  const charges = due.filter(({ kind }) => kind === 'charge');
  const held = portionOf(sumOf(charges.map(({ gross }) => gross)), { of: BigInt(settings.reserveBps), from: 10_000n });
  const [first] = charges;
  if (first === undefined || held <= 0n) {
    return [];
  }
  const letters = lettersFor(`${seed} hold ${on} ${first.lineId}`, 24);
  return [plainMovement('reserve_hold', { on, source, letters, currency: first.currency, gross: -held })];
}

function releaseOf(hold: Movement, { on, seed, source, settings }: Reserving): Movement {
  const dueOn = openDayAfter(addDays(on, settings.reserveDays), 0, settings);
  const letters = lettersFor(`${seed} release ${on} ${hold.lineId}`, 24);
  return plainMovement('reserve_release', { on: dueOn, source, letters, currency: hold.currency, gross: -hold.gross });
}

/** A movement that belongs to no charge. */
function plainMovement(
  kind: MovementKind,
  given: { on: string; source: PayoutSource; letters: string; currency: string; gross: bigint },
): Movement {
  const { on, source, letters, currency, gross } = given;
  const nothing: Identity = { sourceId: '', tranId: '', valId: '', bankTranId: '' };
  const lineId = source.lineId(kind, { sourceId: '', letters });
  const at = Date.parse(`${on}T00:00:00Z`) - source.offsetMinutes * 60_000;
  return { ...nothing, lineId, kind, at, currency, gross, fee: 0n, tax: 0n, dueOn: on };
}

/** Returns what the charge log says of the merchant since the last time. */
function readLog(
  book: Book,
  { owner, logLength, seed, spreadDays, settings }: PayoutsStep,
  { source, log }: { source: PayoutSource; log: readonly ChargeLine[] },
): Movement[] {
  const lines = log.slice(book.read.get(owner) ?? 0, logLength);
  book.read.set(owner, logLength);
  const movements = lines.flatMap((line) =>
    line.gateway === source.gateway && line.storeId === owner ? movementOf(line, { source, settings }) : [],
  );
  if (spreadDays <= 1) {
    return movements;
  }
  return movements.map((movement) => {
    // A charge and its refunds move together, so that no refund precedes its charge.
    const days = createRandom(`${seed} ${movement.bankTranId}`).below(spreadDays);
    const at = movement.at - days * 86_400_000;
    return { ...movement, at, dueOn: dueOn(movement.kind, at, { source, settings }) };
  });
}

type Rules = { source: PayoutSource; settings: PayoutSettings };

function movementOf(line: ChargeLine, rules: Rules): Movement[] {
  switch (line.kind) {
    case 'charge':
      return [movement('charge', line, rules)];
    case 'refund':
      return rules.source.refundsCount === 'at-acceptance' ? [movement('refund', line, rules)] : [];
    case 'refund_outcome':
      if (rules.source.refundsCount === 'at-acceptance') {
        return line.status === 'failed' ? [movement('refund_failure', line, rules)] : [];
      }
      return line.status === 'refunded' ? [movement('refund', line, rules)] : [];
  }
}

const outgoing: ReadonlySet<MovementKind> = new Set(['refund', 'dispute']);

function movement(kind: MovementKind, line: ChargeLine, rules: Rules): Movement {
  const { source, settings } = rules;
  const settled = source.settle(line, settings);
  const sourceId = line.refundRefId ?? line.id;
  const at = Date.parse(line.at);
  return {
    ...settled,
    ...(kind === 'charge' ? {} : { fee: 0n, tax: 0n }),
    gross: outgoing.has(kind) ? -settled.gross : settled.gross,
    lineId: source.lineId(kind, { sourceId, letters: lettersFor(`${source.gateway} ${kind} ${line.id}`, 24) }),
    kind,
    at,
    sourceId,
    tranId: line.tranId,
    valId: line.valId,
    bankTranId: line.bankTranId,
    dueOn: dueOn(kind, at, rules),
  };
}

/** Only charges wait: what the merchant owes is taken at once. */
function dueOn(kind: MovementKind, at: number, { source, settings }: Rules): string {
  return openDayAfter(dayAt(at, source.offsetMinutes), kind === 'charge' ? settings.delayDays : 0, settings);
}

function openDispute(book: Book, step: Extract<Step, { type: 'dispute' }>, source: PayoutSource): void {
  const { owner, line, reason, settings, at } = step;
  const id = source.disputeId(lettersFor(`dispute ${step.id}`, 24));
  const charge = movement('charge', line, { source, settings });
  book.disputes.set(id, { id, owner, charge, at, reason, status: 'needs_response' });
  waitingOf(book, owner).push({
    ...ofDispute('dispute', { id, charge, at, source, settings }),
    gross: -charge.gross,
    fee: BigInt(settings.disputeFee),
  });
}

function closeDispute(book: Book, step: Extract<Step, { type: 'dispute_closed' }>, source: PayoutSource): void {
  const dispute = book.disputes.get(step.disputeId);
  if (dispute?.status !== 'needs_response') {
    return;
  }
  dispute.status = step.won ? 'won' : 'lost';
  if (step.won) {
    waitingOf(book, dispute.owner).push(ofDispute('dispute_reversal', { ...dispute, ...step, id: dispute.id, source }));
  }
}

function ofDispute(
  kind: MovementKind,
  given: { id: string; charge: Movement; at: number; source: PayoutSource; settings: PayoutSettings },
): Movement {
  const { id, charge, at, source, settings } = given;
  const lineId = source.lineId(kind, { sourceId: id, letters: lettersFor(`${kind} ${id}`, 24) });
  return { ...charge, lineId, kind, at, sourceId: id, fee: 0n, tax: 0n, dueOn: dueOn(kind, at, { source, settings }) };
}

/** The money of a failed payout comes back, and is paid out once more. */
function endPayout(book: Book, step: Extract<Step, { type: 'payout_ended' }>, source: PayoutSource): void {
  const payout = book.payouts.get(step.payoutId);
  if (!payout || payout.status === 'failed' || payout.status === step.status) {
    return;
  }
  payout.status = step.status;
  if (step.status === 'failed') {
    const on = openDayAfter(dayAt(step.at, source.offsetMinutes), 0, step.settings);
    const { currency, amount: gross, id } = payout;
    const back = plainMovement('payout_reversal', {
      on,
      source,
      letters: lettersFor(`back ${id}`, 24),
      currency,
      gross,
    });
    waitingOf(book, payout.owner).push({ ...back, sourceId: id });
  }
}
