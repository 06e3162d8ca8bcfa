import type { EntityManager } from '../../database/connection.ts';
import type { Calendar } from '../../domain/calendar.ts';
import type { PayoutAmounts, PayoutBookingKind } from '../../domain/ledger.ts';
import {
  amountsFrom,
  amountsText,
  bookingAlone,
  bookingsOfGroup,
  isNothing,
  type JudgedLine,
  type LineBooking,
  minus,
  plus,
  writtenOff,
} from '../../domain/payouts/booking.ts';
import { keysOf, keysOfMovement } from '../../domain/payouts/choose-movement.ts';
import { judge } from '../../domain/payouts/judge.ts';
import { costsOf, WordsOfLines, withWord } from './words-of-lines.ts';
import { disputedOf } from './disputed-of.ts';
import type {
  LineVerdict,
  MatchSettings,
  Movement,
  MovementVerdict,
  StoredLine,
} from '../../domain/payouts/matching.ts';
import type { Correction } from '../../domain/payouts/reconciliation.ts';
import type { PlainDate } from '../../domain/plain-date.ts';
import { movementOfCharge, movementOfRefund } from './movement-of.ts';
import { installationId, noteNeedsBooking, post } from './store/bookings.ts';
import { findLines, findLinesById, type LineRow, referenceIn } from './store/lines.ts';
import { lockGateway } from './store/locks.ts';
import { type AtGateway, findCharges, findPending, findRefunds } from './store/movements.ts';
import { findCorrections, findResults, type SaidResult, saveResults, type StoredResult } from './store/results.ts';

/** Lines and movements refer to each other in turns. Real books end after two or three; a limit keeps a strange file from looping. */
const ROUNDS_MAX = 20;

export interface Batch extends AtGateway {
  readonly runId: bigint | null;
  readonly settings: MatchSettings;
  /** The gateway's answers never contain the fee: its lines state it. */
  readonly feeAtSettlement: boolean;
  /** The gateway tells of disputes. */
  readonly tellsDisputes: boolean;
  readonly calendar: Calendar;
  readonly asOf: PlainDate;
  /** What is judged, together with everything that it refers to. */
  readonly lines: readonly LineRow[];
  readonly references: readonly string[];
}

/** Whose a movement is. */
interface Owner {
  readonly applicationId: bigint;
  readonly paymentId: bigint;
  readonly refundId: bigint | null;
  readonly unappliedPaymentId: bigint | null;
}

interface Gathered {
  readonly lines: Map<bigint, LineRow>;
  readonly movements: Map<string, Movement>;
  readonly owners: Map<string, Owner>;
  readonly pendingReferences: ReadonlySet<string>;
  readonly corrections: ReadonlyMap<bigint, Correction>;
  readonly words: WordsOfLines;
  readonly costSums: ReadonlyMap<string, bigint>;
}

/**
 * Judges lines and movements with all that they refer to, writes what changes of their results, and posts it, in the caller's transaction. Judging
 * again changes nothing. Batches of one gateway wait for each other, since they may share a movement.
 */
export async function judgeBatch(em: EntityManager, batch: Batch): Promise<{ readonly changed: number }> {
  await lockGateway(em, batch);
  const gathered = await gather(em, batch);
  const judgement = judge(
    {
      movements: [...gathered.movements.values()],
      lines: [...gathered.lines.values()].map((line) => asStored(line, gathered.words)),
      pendingReferences: gathered.pendingReferences,
      corrections: gathered.corrections,
      costSums: gathered.costSums,
    },
    batch,
  );
  const stored = await findResults(em, {
    mode: batch.mode,
    gateway: batch.gateway,
    lineIds: [...gathered.lines.keys()],
    movementKeys: [...gathered.movements.keys()],
  });
  const known = new Known(stored);
  const booked = bookingsOf(judgement.lines, gathered, known);
  const isUnowned = [...gathered.lines.values()].some(({ storeApplicationId }) => storeApplicationId === null);
  const installation = isUnowned ? await installationId(em) : null;
  const said = [
    ...judgement.lines.map((verdict) => sayOfLine(verdict, { gathered, known, booked, installation })),
    ...judgement.movements.flatMap((verdict) => sayOfMovement(verdict, { gathered, known, judged: judgement.lines })),
  ];
  const changed = said.filter((result) => known.differs(result)).sort(byLine);
  await saveResults(em, { mode: batch.mode, gateway: batch.gateway, runId: batch.runId, results: changed });
  await postChanges(em, batch, { changed, known, lines: gathered.lines });
  return { changed: changed.length };
}

async function gather(em: EntityManager, batch: Batch): Promise<Gathered> {
  const { mode, gateway, lines: seeds, references } = batch;
  const lines = new Map(seeds.map((line) => [line.id, line]));
  const movements = new Map<string, Movement>();
  const owners = new Map<string, Owner>();
  const asked = new Set<string>();
  const paymentIds = new Set<bigint>();
  let corrections: ReadonlyMap<bigint, Correction> = new Map();
  const add = (movement: Movement, owner: Owner): void => {
    movements.set(movement.key, movement);
    owners.set(movement.key, owner);
    paymentIds.add(owner.paymentId);
  };
  let next = new Set([...references, ...seeds.flatMap(keysOf)]);
  const words = new WordsOfLines(batch);
  let costSums: ReadonlyMap<string, bigint> = new Map();
  // A line that names nothing may have been corrected too, so there is a first round for it.
  for (let round = 0; round === 0 || (next.size > 0 && round < ROUNDS_MAX); round += 1) {
    const keys = [...next];
    keys.forEach((key) => asked.add(key));
    for (const charge of await findCharges(em, { mode, gateway, keys })) {
      add(movementOfCharge(charge, batch), { ...charge, refundId: null });
    }
    for (const refund of await findRefunds(em, { mode, gateway, keys, paymentIds: [...paymentIds] })) {
      add(movementOfRefund(refund, batch), refund);
    }
    for (const line of await findLines(em, { mode, gateway, keys })) {
      lines.set(line.id, line);
    }
    const known = { mode, gateway, lineIds: [...lines.keys()], movementKeys: [...movements.keys()] };
    corrections = await findCorrections(em, known);
    const ids = [...corrections.keys()].filter((id) => !lines.has(id));
    for (const line of ids.length === 0 ? [] : await findLinesById(em, { mode, gateway, ids })) {
      lines.set(line.id, line);
    }
    const found = [
      ...[...corrections.values()].flatMap((said) => ('account' in said ? [] : (referenceIn(said.movementKey) ?? []))),
      ...[...lines.values()].flatMap(keysOf),
      ...[...movements.values()].flatMap(keysOfMovement),
    ];
    next = new Set(found.filter((key) => !asked.has(key)));
    if (next.size === 0) {
      await words.read(em, lines.values());
      const costs = await costsOf(em, { batch, words, lines: [...lines.values()] });
      costSums = costs.costSums;
      costs.lines.forEach((line) => lines.set(line.id, line));
      next = new Set(costs.lines.flatMap(keysOf).filter((key) => !asked.has(key)));
    }
  }
  await words.read(em, lines.values());
  const pendingReferences = await findPending(em, { mode, gateway, keys: [...asked], paymentIds: [...paymentIds] });
  for (const [key, disputedMinor] of await disputedOf(em, { batch, movements: [...movements.values()], paymentIds })) {
    const movement = movements.get(key);
    if (movement !== undefined) {
      movements.set(key, { ...movement, disputedMinor });
    }
  }
  return { lines, movements, owners, pendingReferences, corrections, words, costSums };
}

/** Returns a line as it is judged. */
function asStored(row: LineRow, words: WordsOfLines): StoredLine {
  return withWord(row, words.of(row));
}

/** The results that are stored, by what they are about. */
class Known {
  private readonly byId: ReadonlyMap<bigint, StoredResult>;
  private readonly byLine = new Map<bigint, StoredResult>();
  private readonly alone = new Map<string, StoredResult>();
  /** Rows of movements that a line has taken over. */
  private readonly taken = new Set<bigint>();

  constructor(stored: readonly StoredResult[]) {
    this.byId = new Map(stored.map((result) => [result.id, result]));
    for (const result of stored) {
      if (result.lineId !== null) {
        this.byLine.set(result.lineId, result);
      } else if (result.movementKey !== null && !result.superseded) {
        this.alone.set(result.movementKey, result);
      }
    }
  }

  get(id: bigint): StoredResult | undefined {
    return this.byId.get(id);
  }

  ofLine(lineId: bigint): StoredResult | undefined {
    return this.byLine.get(lineId);
  }

  /** Returns the row of a movement without a line, unless a line has taken it over. */
  ofMovement(key: string): StoredResult | undefined {
    const found = this.alone.get(key);
    return found !== undefined && !this.taken.has(found.id) ? found : undefined;
  }

  /** Returns the row for a line: its own, or that of its movement, which had none until now. */
  rowFor(lineId: bigint, movementKey: string | null): StoredResult | null {
    const own = this.byLine.get(lineId);
    if (own !== undefined) {
      return own;
    }
    const movement = movementKey === null ? undefined : this.ofMovement(movementKey);
    if (movement !== undefined) {
      this.taken.add(movement.id);
    }
    return movement ?? null;
  }

  differs(said: SaidResult): boolean {
    const stored = said.id === null ? undefined : this.byId.get(said.id);
    return stored === undefined || COMPARED.some((name) => stored[name] !== said[name]);
  }
}

const COMPARED = [
  'lineId',
  'movementKey',
  'period',
  'status',
  'reason',
  'detail',
  'expectedMinor',
  'settledMinor',
  'feeExpectedMinor',
  'feeSettledMinor',
  'applicationId',
  'bookedApplicationId',
  'booked',
  'convertedCurrency',
  'convertedMinor',
  'superseded',
] as const satisfies readonly (keyof StoredResult & keyof SaidResult)[];

function bookingsOf(
  verdicts: readonly LineVerdict[],
  { lines, movements, corrections, words }: Gathered,
  known: Known,
): ReadonlyMap<bigint, LineBooking> {
  const groups = Map.groupBy(verdicts, ({ movementKey }) => movementKey);
  const booked = new Map<bigint, LineBooking>();
  for (const [key, ofGroup] of groups) {
    const judged = ofGroup.flatMap((verdict): JudgedLine[] => {
      const row = lines.get(verdict.lineId);
      if (row === undefined) {
        return [];
      }
      const correction = corrections.get(verdict.lineId);
      const account = correction !== undefined && 'account' in correction ? correction.account : undefined;
      const accepted = isAccepted(known.ofLine(verdict.lineId), saidOf(verdict, row));
      return [{ line: asStored(row, words), verdict, accepted, account }];
    });
    const movement = key === null ? undefined : movements.get(key);
    if (movement !== undefined) {
      bookingsOfGroup(movement, judged).forEach((booking, id) => booked.set(id, booking));
    } else {
      judged.forEach((one) => booked.set(one.line.id, { amounts: bookingAlone(one), converted: null }));
    }
  }
  return booked;
}

interface Saying {
  readonly gathered: Gathered;
  readonly known: Known;
}

function sayOfLine(
  verdict: LineVerdict,
  {
    gathered,
    known,
    booked,
    installation,
  }: Saying & {
    readonly booked: ReadonlyMap<bigint, LineBooking>;
    /** Null: every line belongs to a shop's own store. */
    readonly installation: bigint | null;
  },
): SaidResult {
  const { lineId, movementKey } = verdict;
  const line = gathered.lines.get(lineId);
  if (line === undefined) {
    throw new Error(`line ${lineId} was judged and not gathered`);
  }
  const owner = movementKey === null ? undefined : gathered.owners.get(movementKey);
  const movement = movementKey === null ? undefined : gathered.movements.get(movementKey);
  const applicationId = owner?.applicationId ?? line.storeApplicationId;
  const { amounts = {}, converted = null } = booked.get(lineId) ?? {};
  return {
    id: known.rowFor(lineId, movementKey)?.id ?? null,
    storeId: line.storeId,
    applicationId,
    lineId,
    lineKind: line.kind,
    currency: line.currency,
    movementKind: movement?.kind ?? null,
    ...idsOf(owner),
    gatewayTxnId: line.gatewayTxnId,
    period: line.period,
    ...saidOf(verdict, line),
    accepted: isAccepted(known.ofLine(lineId), saidOf(verdict, line)),
    bookedApplicationId: applicationId ?? installation,
    booked: amountsText(amounts),
    convertedCurrency: converted?.currency ?? null,
    convertedMinor: converted?.amountMinor ?? null,
    superseded: false,
  };
}

/** A movement speaks for itself only while it has no line. */
function sayOfMovement(
  verdict: MovementVerdict,
  { gathered, known, judged }: Saying & { readonly judged: readonly LineVerdict[] },
): SaidResult[] {
  const { movementKey } = verdict;
  const movement = gathered.movements.get(movementKey);
  const owner = gathered.owners.get(movementKey);
  if (movement === undefined || owner === undefined) {
    return [];
  }
  const stored = known.ofMovement(movementKey);
  const hasLine = judged.some((line) => line.movementKey === movementKey);
  if (hasLine && stored === undefined) {
    return [];
  }
  const accepted = !hasLine && isAccepted(stored, { movementKey, ...verdictOf(verdict) });
  return [
    {
      id: stored?.id ?? null,
      storeId: movement.storeId,
      applicationId: owner.applicationId,
      lineId: null,
      lineKind: null,
      currency: movement.currency,
      movementKey,
      movementKind: movement.kind,
      ...idsOf(owner),
      gatewayTxnId: movement.gatewayTxnId,
      period: movement.happenedOn,
      ...verdictOf(verdict),
      bookedApplicationId: accepted ? owner.applicationId : null,
      booked: accepted ? amountsText(writtenOff(movement)) : null,
      convertedCurrency: null,
      convertedMinor: null,
      superseded: hasLine,
      accepted,
    },
  ];
}

function verdictOf({ status, reason, detail, figures }: LineVerdict | MovementVerdict) {
  return {
    status,
    reason,
    detail,
    expectedMinor: figures?.expectedMinor ?? null,
    settledMinor: figures?.settledMinor ?? null,
    feeExpectedMinor: figures?.feeExpectedMinor ?? null,
    feeSettledMinor: figures?.feeSettledMinor ?? null,
  };
}

function saidOf(verdict: LineVerdict, line: LineRow) {
  const { movementKey } = verdict;
  return {
    movementKey,
    ...verdictOf(verdict),
    settledMinor: verdict.figures?.settledMinor ?? line.grossMinor,
  };
}

const ACCEPTED = [
  'movementKey',
  'status',
  'reason',
  'detail',
  'expectedMinor',
  'settledMinor',
  'feeExpectedMinor',
  'feeSettledMinor',
] as const satisfies readonly (keyof StoredResult & keyof SaidResult)[];

/** People accept the difference that they were shown. Another one takes another decision. */
function isAccepted(stored: StoredResult | undefined, said: Pick<SaidResult, (typeof ACCEPTED)[number]>): boolean {
  return (stored?.acceptedAt ?? null) !== null && ACCEPTED.every((name) => stored?.[name] === said[name]);
}

function idsOf(owner: Owner | undefined) {
  return {
    paymentId: owner?.paymentId ?? null,
    refundId: owner?.refundId ?? null,
    unappliedPaymentId: owner?.unappliedPaymentId ?? null,
  };
}

/** In the order of the lines, so that rows are written in it. */
function byLine(a: SaidResult, b: SaidResult): number {
  return Number((a.lineId ?? 0n) - (b.lineId ?? 0n));
}

/** What changes in the books of one application, in one currency, for one payout. */
interface Change {
  readonly applicationId: bigint;
  readonly currency: string;
  readonly payoutId: bigint | null;
  readonly kind: PayoutBookingKind;
  amounts: PayoutAmounts;
  lines: number;
}

async function postChanges(
  em: EntityManager,
  { mode, gateway }: Batch,
  {
    changed,
    known,
    lines,
  }: { readonly changed: readonly SaidResult[]; readonly known: Known; readonly lines: ReadonlyMap<bigint, LineRow> },
): Promise<void> {
  const changes = new Map<string, Change>();
  const add = ({ lineId, ...booked }: Booked, sign: (amounts: PayoutAmounts) => PayoutAmounts): void => {
    const payoutId = lineId === null ? null : (lines.get(lineId)?.payoutId ?? null);
    for (const { applicationId, currency, kind, amounts } of partsOf(booked)) {
      const key = `${applicationId} ${currency} ${payoutId ?? ''} ${kind}`;
      const change = changes.get(key) ?? { applicationId, currency, payoutId, kind, amounts: {}, lines: 0 };
      change.amounts = plus(change.amounts, sign(amounts));
      change.lines += 1;
      changes.set(key, change);
    }
  };
  for (const said of changed) {
    const before = said.id === null ? undefined : known.get(said.id);
    if (before !== undefined) {
      // Of the line and in the currency that it had then: a movement that was written off had no line.
      add(before, minus);
    }
    add(said, (amounts) => amounts);
  }
  const needed = [...changes.values()].filter(({ amounts }) => !isNothing(amounts));
  for (const change of needed.toSorted(inOrder)) {
    await post(em, { mode, gateway, ...change });
  }
  await noteNeedsBooking(em, [...new Set(needed.map(({ payoutId }) => payoutId).filter((id) => id !== null))]);
}

type Booked = Pick<
  StoredResult & SaidResult,
  'lineId' | 'currency' | 'bookedApplicationId' | 'booked' | 'convertedCurrency' | 'convertedMinor'
>;
type Part = Pick<Change, 'applicationId' | 'currency' | 'kind' | 'amounts'>;

/** Returns what a result books: in the currency of its line, and what that covers in the currency of its movement. */
function partsOf({
  bookedApplicationId: applicationId,
  currency,
  booked,
  convertedCurrency,
  convertedMinor,
}: Omit<Booked, 'lineId'>): Part[] {
  if (applicationId === null || booked === null) {
    return [];
  }
  const lines: Part = { applicationId, currency, kind: 'lines', amounts: amountsFrom(booked) };
  return convertedCurrency === null || convertedMinor === null
    ? [lines]
    : [lines, { applicationId, currency: convertedCurrency, kind: 'converted', amounts: { clearing: convertedMinor } }];
}

/** A fixed order, so that first postings of two gateways cannot deadlock over new accounts. */
function inOrder(a: Change, b: Change): number {
  return a.applicationId < b.applicationId
    ? -1
    : a.applicationId > b.applicationId
      ? 1
      : a.currency < b.currency
        ? -1
        : 1;
}
