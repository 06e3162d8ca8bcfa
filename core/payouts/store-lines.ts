import type { Statements } from '../../database/statements.ts';
import type { Calendar } from '../../domain/calendar.ts';
import type { Mode } from '../../domain/mode.ts';
import type { PayoutLine } from '../../domain/payouts/payout-line.ts';
import type { PlainDate } from '../../domain/plain-date.ts';
import { lineFingerprint } from './fingerprint.ts';
import { JsonRows } from './json-rows.ts';
import { Ordinals } from './ordinals.ts';
import { addLines, findOrAddPayouts, type LineRecord, type PayoutKey } from './store/lines.ts';

/** The row of `payout_files` from which lines come: an upload, or what an API of a gateway said. */
export interface LinesSource {
  readonly id: bigint;
  readonly mode: Mode;
  readonly gateway: string;
  readonly storeId: string;
  readonly storeApplicationId: bigint | null;
  readonly createdAt: Date;
}

/** A line with its place in its source. */
export interface NumberedLine {
  readonly line: PayoutLine;
  /** From 1: the line of the file, or the number of the record in the API's answers. */
  readonly lineNumber: number;
  /** Hexadecimal. */
  readonly fingerprint: string;
  /** 1 for the first line of its source that says this, 2 for an equal one. */
  readonly ordinal: number;
}

/** Numbers the lines of one source. Every line has to pass, in the order of the source, also when the source is read again. */
export class LineNumbering {
  readonly #ordinals = new Ordinals();

  number(line: PayoutLine, lineNumber: number): NumberedLine {
    const fingerprint = lineFingerprint(line);
    return { line, lineNumber, fingerprint, ordinal: this.#ordinals.next(fingerprint) };
  }
}

interface StoredLines {
  readonly added: number;
  /** Lines that an earlier source has said, or an earlier try of this one. */
  readonly known: number;
  /** The days of the lines; null if none was added. */
  readonly firstPeriod: PlainDate | null;
  readonly lastPeriod: PlainDate | null;
}

/** Lines that are stored together. One that is known is left out, so that files may overlap and steps may be repeated. */
export class LineBatch {
  readonly #source: LinesSource;
  readonly #calendar: Pick<Calendar, 'today'>;
  readonly #payouts = new Map<string, PayoutKey & { readonly number: number }>();
  readonly #lines = new JsonRows();
  #firstPeriod: PlainDate | null = null;
  #lastPeriod: PlainDate | null = null;

  constructor(source: LinesSource, calendar: Pick<Calendar, 'today'>) {
    this.#source = source;
    this.#calendar = calendar;
  }

  add(numbered: NumberedLine): void {
    const { line } = numbered;
    const payout = this.#numberOfPayout(payoutKeyOf(line));
    const period = periodOf(line, this.#calendar, this.#source);
    this.#firstPeriod = this.#firstPeriod === null || period < this.#firstPeriod ? period : this.#firstPeriod;
    this.#lastPeriod = this.#lastPeriod === null || period > this.#lastPeriod ? period : this.#lastPeriod;
    this.#lines.add({ ...recordOf(numbered), payout, period } satisfies LineRecord);
  }

  /** Stores the lines with their payouts, in the transaction of the caller. The count and the sum of each payout grow by exactly the lines that are new. */
  async store(statements: Statements): Promise<StoredLines> {
    const { count } = this.#lines;
    if (count === 0) {
      return { added: 0, known: 0, firstPeriod: null, lastPeriod: null };
    }
    const keys = [...this.#payouts.values()];
    const ids = new Map(
      (await findOrAddPayouts(statements, this.#source, keys)).map((payout) => [nameOf(payout), payout.id]),
    );
    const payoutIds = keys.map((key) => ids.get(nameOf(key)) ?? null);
    const { id: fileId, mode, gateway, storeId } = this.#source;
    const added = await addLines(statements, { mode, gateway, storeId, fileId, lines: this.#lines.bytes, payoutIds });
    const days =
      added === 0
        ? { firstPeriod: null, lastPeriod: null }
        : { firstPeriod: this.#firstPeriod, lastPeriod: this.#lastPeriod };
    return { added, known: count - added, ...days };
  }

  /** Forgets the lines. */
  clear(): void {
    this.#payouts.clear();
    this.#lines.clear();
    this.#firstPeriod = null;
    this.#lastPeriod = null;
  }

  #numberOfPayout(key: PayoutKey | null): number | null {
    if (key === null) {
      return null;
    }
    const name = nameOf(key);
    const known = this.#payouts.get(name);
    if (known !== undefined) {
      return known.number;
    }
    const number = this.#payouts.size + 1;
    this.#payouts.set(name, { ...key, number });
    return number;
  }
}

/** A gateway that does not name its payouts makes one a day. */
function payoutKeyOf({ payoutReference: reference, paidOutOn, currency }: PayoutLine): PayoutKey | null {
  const gatewayReference = reference ?? paidOutOn;
  return gatewayReference === null ? null : { gatewayReference, currency };
}

function nameOf({ currency, gatewayReference }: PayoutKey): string {
  return `${currency} ${gatewayReference}`;
}

function periodOf(
  { paidOutOn, occurredAt }: PayoutLine,
  calendar: Pick<Calendar, 'today'>,
  { createdAt }: LinesSource,
): string {
  return paidOutOn ?? calendar.today(occurredAt ?? createdAt);
}

function recordOf({ line, lineNumber, fingerprint, ordinal }: NumberedLine): Omit<LineRecord, 'payout' | 'period'> {
  return {
    row: lineNumber,
    fingerprint,
    ordinal,
    kind: line.kind,
    name: line.payoutReference,
    line: line.lineReference,
    txn: line.gatewayTxnId,
    attempt: line.attemptReference,
    currency: line.currency,
    gross: line.grossMinor.toString(),
    fee: line.feeMinor.toString(),
    tax: line.taxMinor.toString(),
    net: line.netMinor.toString(),
    original: line.originalCurrency,
    rate: line.exchangeRate,
    at: line.occurredAt?.toISOString() ?? null,
    day: line.paidOutOn,
    description: line.description,
  };
}
