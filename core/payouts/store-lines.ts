import type { Statements } from '../../database/statements.ts';
import type { Calendar } from '../../domain/calendar.ts';
import type { Mode } from '../../domain/mode.ts';
import type { PayoutLine } from '../../domain/payouts/payout-line.ts';
import { payoutReference } from '../../domain/references.ts';
import { lineFingerprint } from './fingerprint.ts';
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
  readonly fingerprint: Buffer;
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

interface LinesToStore {
  readonly source: LinesSource;
  readonly lines: readonly NumberedLine[];
}

interface StoredLines {
  readonly added: number;
  /** Lines that an earlier source has said, or an earlier try of this one. */
  readonly known: number;
}

/**
 * Stores lines with their payouts, in the transaction of the caller. A line that is known is left out, so that files may overlap and steps may be
 * repeated. The count and the sum of each payout grow by exactly the lines that are new.
 */
export async function storeLines(
  statements: Statements,
  calendar: Pick<Calendar, 'today'>,
  { source, lines }: LinesToStore,
): Promise<StoredLines> {
  const keys = new Map<string, PayoutKey>();
  for (const { line } of lines) {
    const key = payoutKeyOf(line);
    if (key !== null) {
      keys.set(nameOf(key), key);
    }
  }
  const wanted = [...keys.values()].map((key) => ({ ...key, reference: payoutReference() }));
  const payouts = new Map(
    (await findOrAddPayouts(statements, source, wanted)).map((payout) => [nameOf(payout), payout.id.toString()]),
  );
  const { id: fileId, mode, gateway, storeId } = source;
  const records = lines.map((numbered): LineRecord => {
    const key = payoutKeyOf(numbered.line);
    return {
      ...recordOf(numbered),
      payout: key === null ? null : (payouts.get(nameOf(key)) ?? null),
      period: periodOf(numbered.line, calendar, source),
    };
  });
  const added = await addLines(statements, { mode, gateway, storeId, fileId, lines: records });
  return { added, known: lines.length - added };
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
    fingerprint: fingerprint.toString('hex'),
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
