import { isCurrency } from '../currency.ts';
import { MAX_AMOUNT_MINOR } from '../money.ts';
import { amountFromText, rateFromText } from './amount-text.ts';
import { dateFromSerial, dateFromText, type ReadDate } from './date-text.ts';
import { impliedRate } from './conversion.ts';
import { plainSpaces } from './digits.ts';
import { headingKey } from './heading.ts';
import { idFromText } from './id-text.ts';
import type { MappedColumns, MappedDirection, MappedMember, PayoutMapping } from './mapping.ts';
import type { PayoutLine, PayoutLineKind } from './payout-line.ts';
import { LineRejected, type Rejection } from './rejection.ts';
import { startOfDay } from './zoned-time.ts';

/** A row of a file: the text of each cell by `headingKey` of its heading. */
export type FileRecord = Pick<ReadonlyMap<string, string>, 'get'>;

/** The longest reference, in UTF-16 units. */
export const REFERENCE_CHARS_MAX = 255;
/** The longest description, in UTF-16 units. */
export const DESCRIPTION_CHARS_MAX = 4096;

interface Reader {
  readonly record: FileRecord;
  readonly mapping: PayoutMapping;
  readonly keys: Keys;
}

/** What a mapping is looked up by, made once for all rows. */
interface Keys {
  readonly headings: ReadonlyMap<string, string>;
  readonly kinds: ReadonlyMap<string, PayoutMapping['kinds'][number]>;
}

const keysOf = new WeakMap<PayoutMapping, Keys>();

interface Cell {
  /** The heading as the mapping spells it. */
  readonly column: string;
  readonly text: string;
}

type AmountMember = 'gross' | 'credit' | 'debit' | 'fee' | 'tax' | 'net';

/** Makes a line of a row, or says why it cannot. It never throws for what a row contains. */
export function mapRecord(record: FileRecord, mapping: PayoutMapping): PayoutLine | Rejection {
  try {
    return lineOf({ record, mapping, keys: keysOf.get(mapping) ?? makeKeys(mapping) });
  } catch (error) {
    if (error instanceof LineRejected) {
      return error.rejection;
    }
    throw error;
  }
}

function makeKeys(mapping: PayoutMapping): Keys {
  const headings = Object.values(mapping.columns).flatMap((column) => column?.headings ?? []);
  const keys: Keys = {
    headings: new Map(headings.map((heading) => [heading, headingKey(heading)])),
    kinds: new Map(mapping.kinds.flatMap((entry) => entry.words.map((word) => [headingKey(word), entry]))),
  };
  keysOf.set(mapping, keys);
  return keys;
}

/** Reports whether `mapRecord` has rejected the row. */
export function isRejection(outcome: PayoutLine | Rejection): outcome is Rejection {
  return 'code' in outcome;
}

function lineOf(reader: Reader): PayoutLine {
  const { kind, direction } = kindOf(reader);
  const currency = currencyOf(reader);
  const amounts = amountsOf(reader, currency, direction);
  const { negativeKind } = reader.mapping.fixed;
  const occurred = dateOf(reader, 'occurredAt');
  return {
    kind: negativeKind !== null && amounts.grossMinor < 0n ? negativeKind : kind,
    payoutReference: idOf(reader, 'payoutReference'),
    lineReference: idOf(reader, 'lineReference'),
    gatewayTxnId: idOf(reader, 'gatewayTxnId'),
    attemptReference: idOf(reader, 'attemptReference'),
    currency,
    ...amounts,
    ...conversionOf(reader, { currency, grossMinor: amounts.grossMinor }),
    occurredAt: occurred === null ? null : (occurred.at ?? startOfDay(reader.mapping.timeZone, occurred.date)),
    paidOutOn: dateOf(reader, 'paidOutOn')?.date ?? null,
    description: descriptionOf(reader),
  };
}

function kindOf(reader: Reader): { kind: PayoutLineKind; direction: MappedDirection } {
  const { fixed } = reader.mapping;
  if (fixed.kind !== null) {
    return { kind: fixed.kind, direction: fixed.direction };
  }
  const cell = cellOf(reader, 'kind');
  const entry = reader.keys.kinds.get(headingKey(cell?.text ?? ''));
  if (entry === undefined) {
    throw new LineRejected('UNKNOWN_KIND', cell?.column ?? null, 'The mapping does not say what this kind of line is.');
  }
  return entry;
}

function currencyOf(reader: Reader): string {
  const { fixed } = reader.mapping;
  if (fixed.currency !== null) {
    return fixed.currency;
  }
  const cell = cellOf(reader, 'currency');
  return checkedCurrency(cell?.text ?? '', cell?.column ?? null);
}

/** A rate that no column states follows from what the payer paid. */
function conversionOf(
  reader: Reader,
  settled: Pick<PayoutLine, 'currency' | 'grossMinor'>,
): Pick<PayoutLine, 'originalCurrency' | 'exchangeRate'> {
  const stated = rateOf(reader);
  const originalCurrency = originalCurrencyOf(reader, settled.currency);
  const paid = cellOf(reader, 'originalAmount');
  if (stated !== null || originalCurrency === null || paid === null || paid.text === '') {
    return { originalCurrency, exchangeRate: stated };
  }
  const paidMinor = checkedAmount(paid, { currency: originalCurrency, mapping: reader.mapping });
  return { originalCurrency, exchangeRate: impliedRate({ originalCurrency, paidMinor }, settled) };
}

/** Returns null if the gateway has not converted the amount: some sources state the currency of each payment. */
function originalCurrencyOf(reader: Reader, currency: string): string | null {
  const cell = cellOf(reader, 'originalCurrency');
  const original = cell === null || cell.text === '' ? null : checkedCurrency(cell.text, cell.column);
  return original === currency ? null : original;
}

function checkedCurrency(text: string, column: string | null): string {
  const code = text.toUpperCase();
  if (!isCurrency(code)) {
    throw new LineRejected('BAD_CURRENCY', column, 'The cell is not the code of a currency.');
  }
  return code;
}

type Amounts = Pick<PayoutLine, 'grossMinor' | 'feeMinor' | 'taxMinor' | 'netMinor'>;

function amountsOf(reader: Reader, currency: string, direction: MappedDirection): Amounts {
  const { signs } = reader.mapping;
  const feeMinor = cost(amountOf(reader, 'fee', currency), signs.fee);
  const taxMinor = cost(amountOf(reader, 'tax', currency), signs.tax);
  const stated = statedGross(reader, currency, direction);
  const net = directed(amountOf(reader, 'net', currency), direction, reader.mapping.columns.net);
  const grossMinor = stated ?? sum(reader, net, feeMinor + taxMinor);
  const netMinor = net ?? checkedSize(grossMinor - feeMinor - taxMinor);
  if (grossMinor - feeMinor - taxMinor !== netMinor) {
    throw new LineRejected('NET_DIFFERS', headingOf(reader, 'net'), 'Gross less fee and tax is not the net amount.');
  }
  return { grossMinor, feeMinor, taxMinor, netMinor };
}

function sum(reader: Reader, net: bigint | null, costs: bigint): bigint {
  if (net === null) {
    throw new LineRejected('MISSING_COLUMN', headingOf(reader, 'net'), 'The file has no column with the amount.');
  }
  return checkedSize(net + costs);
}

function checkedSize(amountMinor: bigint): bigint {
  if (amountMinor > MAX_AMOUNT_MINOR || amountMinor < -MAX_AMOUNT_MINOR) {
    throw new LineRejected('BAD_AMOUNT', null, 'The amounts add up to more than can be recorded.');
  }
  return amountMinor;
}

function statedGross(reader: Reader, currency: string, direction: MappedDirection): bigint | null {
  const { columns } = reader.mapping;
  if (columns.credit === undefined && columns.debit === undefined) {
    return directed(amountOf(reader, 'gross', currency), direction, columns.gross);
  }
  const credit = directed(amountOf(reader, 'credit', currency), 'in', columns.credit) ?? 0n;
  const debit = directed(amountOf(reader, 'debit', currency), 'out', columns.debit) ?? 0n;
  if (credit !== 0n && debit !== 0n) {
    throw new LineRejected('BAD_AMOUNT', headingOf(reader, 'debit'), 'The row has both a credit and a debit.');
  }
  if (isBlank(reader, 'credit') && isBlank(reader, 'debit')) {
    throw new LineRejected('BAD_AMOUNT', headingOf(reader, 'credit'), 'The row has neither a credit nor a debit.');
  }
  return credit + debit;
}

function isBlank(reader: Reader, member: AmountMember): boolean {
  return (cellOf(reader, member)?.text ?? '') === '';
}

/** Returns what we pay: positive, or negative if a cost was returned. */
function cost(amountMinor: bigint | null, sign: 'positive' | 'negative'): bigint {
  const stated = amountMinor ?? 0n;
  return sign === 'positive' ? stated : -stated;
}

function directed(
  amountMinor: bigint | null,
  direction: MappedDirection,
  column: { headings: readonly string[] } | undefined,
): bigint | null {
  if (amountMinor === null || direction === 'as-written') {
    return amountMinor;
  }
  if (amountMinor < 0n) {
    const heading = column?.headings[0] ?? null;
    throw new LineRejected('BAD_AMOUNT', heading, 'The amount is negative where the mapping expects none.');
  }
  return direction === 'in' ? amountMinor : -amountMinor;
}

function amountOf(reader: Reader, member: AmountMember, currency: string): bigint | null {
  const cell = cellOf(reader, member);
  if (cell === null) {
    return null;
  }
  if (cell.text === '' && reader.mapping.columns[member]?.blankIsZero === true) {
    return 0n;
  }
  return checkedAmount(cell, { currency, mapping: reader.mapping });
}

function checkedAmount(
  cell: Cell,
  { currency, mapping }: { readonly currency: string; readonly mapping: PayoutMapping },
): bigint {
  const amount = amountFromText(cell.text, currency, mapping);
  if (typeof amount !== 'bigint') {
    throw new LineRejected('BAD_AMOUNT', cell.column, `The cell is no amount in ${currency}: ${amount}.`);
  }
  return amount;
}

function rateOf(reader: Reader): string | null {
  const cell = cellOf(reader, 'exchangeRate');
  if (cell === null || cell.text === '') {
    return null;
  }
  const rate = rateFromText(cell.text, reader.mapping);
  if (rate === null) {
    throw new LineRejected('BAD_RATE', cell.column, 'The cell is not a positive decimal.');
  }
  return rate;
}

function dateOf(reader: Reader, member: 'occurredAt' | 'paidOutOn'): ReadDate | null {
  const cell = cellOf(reader, member);
  if (cell === null || cell.text === '') {
    return null;
  }
  const { dateOrder: order, timeZone, format } = reader.mapping;
  const serial = format === 'xlsx' ? dateFromSerial(cell.text, { timeZone }) : null;
  const read = serial ?? dateFromText(cell.text, { order, timeZone });
  if (read === null) {
    throw new LineRejected('BAD_DATE', cell.column, `The cell is no date that is written ${order}.`);
  }
  return read;
}

function idOf(reader: Reader, member: MappedMember): string | null {
  const cell = cellOf(reader, member);
  if (cell === null) {
    return null;
  }
  const read = idFromText(cell.text);
  if ('mangled' in read) {
    throw new LineRejected('MANGLED_ID', cell.column, 'A spreadsheet has turned the id into a number.');
  }
  return checkedLength(read.id, REFERENCE_CHARS_MAX, cell.column);
}

function descriptionOf(reader: Reader): string | null {
  const cell = cellOf(reader, 'description');
  return cell === null || cell.text === '' ? null : checkedLength(cell.text, DESCRIPTION_CHARS_MAX, cell.column);
}

function checkedLength(text: string | null, charsMax: number, column: string): string | null {
  if (text !== null && text.length > charsMax) {
    throw new LineRejected('TOO_LONG', column, `The cell has more than ${charsMax} characters.`);
  }
  return text;
}

/** Returns null for a member that the mapping leaves out, or whose optional column the file leaves out. */
function cellOf({ record, mapping, keys }: Reader, member: MappedMember): Cell | null {
  const column = mapping.columns[member];
  if (column === undefined) {
    return null;
  }
  for (const heading of column.headings) {
    const text = record.get(keys.headings.get(heading) ?? '');
    if (text !== undefined) {
      return { column: heading, text: plainSpaces(text) };
    }
  }
  if (column.optional) {
    return null;
  }
  throw new LineRejected('MISSING_COLUMN', column.headings[0] ?? null, 'The row has no such column.');
}

function headingOf({ mapping }: Reader, member: keyof MappedColumns): string | null {
  return mapping.columns[member]?.headings[0] ?? null;
}
