import { isCurrency } from '../../../domain/currency.ts';
import { MAX_AMOUNT_MINOR, minorFromDecimalText } from '../../../domain/money.ts';
import type { BankEntry, BankStatement } from '../../../domain/payouts/bank-entry.ts';
import { addDays, isPlainDate, type PlainDate } from '../../../domain/plain-date.ts';
import { balanced } from './balanced.ts';
import { decoded } from './decode.ts';
import { type PhysicalLine, physicalLines } from './physical-lines.ts';
import { STATEMENT_LIMITS, type StatementLimits } from './statement-limits.ts';
import { UnreadableFile } from './unreadable-file.ts';

/** A field with its continuation lines. */
interface Field {
  readonly lineNumber: number;
  readonly tag: string;
  readonly lines: string[];
}

interface Balance {
  readonly amountMinor: bigint;
  readonly currency: string;
  /** Null if the date is impossible. */
  readonly on: PlainDate | null;
}

/** A statement whose closing balance is not read yet. */
interface Open {
  readonly statementReference: string;
  account: string | null;
  opening: Balance | null;
  entries: BankEntry[];
}

const TAG = /^:(\d{2}[A-Z]?):(.*)$/;
/** SWIFT's envelope around a message. */
const ENVELOPE = /^(?:\{[1-5S]:.*|-(?:\}.*)?)$/;
const BALANCE = /^([CD])(\d{6})([A-Z]{3})(\d{1,15}),(\d{0,12})$/;
const ENTRY = /^(\d{6})(\d{4})?(RC|RD|C|D)[A-Z]?(\d{1,15}),(\d{0,12})([NFS][A-Z0-9]{3})((?:(?!\/\/).)*)(?:\/\/(.*))?$/;
/** SWIFT wraps text at this width, in the middle of words. */
const WRAPPED_CHARS = 65;
const LINE_CHARS_MAX = 4096;
const REMITTANCE_CHARS_MAX = 4096;

/**
 * Reads the statements of a SWIFT MT940 file, with or without its envelope. A page of a statement (`:60M:`, `:62M:`) is a statement of its own.
 * Sources: SWIFT, MT940 format specifications.
 *
 * @throws UnreadableFile also if balances and entries do not agree
 */
export async function readMt940(
  bytes: AsyncIterable<Uint8Array>,
  limits: Pick<StatementLimits, 'fileBytes' | 'entries'> = STATEMENT_LIMITS,
): Promise<readonly BankStatement[]> {
  const statements: BankStatement[] = [];
  let open: Open | null = null;
  let count = 0;
  for (const field of await fieldsOf(bytes, limits)) {
    if (field.tag === '20') {
      refuseUnfinished(open, field);
      open = { statementReference: field.lines.join('').trim(), account: null, opening: null, entries: [] };
    } else if (open !== null && /^62[FM]$/.test(field.tag)) {
      statements.push(closed(open, balanceOf(field), field));
      open = null;
    } else if (open !== null) {
      take(open, field);
      count += field.tag === '61' ? 1 : 0;
    } else if (isOfStatement(field)) {
      throw bad('A field stands outside of a statement', field);
    }
    if (count > limits.entries) {
      throw new UnreadableFile('TOO_MANY_LINES', `The file has more than ${limits.entries} entries.`, field);
    }
  }
  refuseUnfinished(open, { lineNumber: 1 });
  if (statements.length === 0) {
    throw new UnreadableFile('BAD_STATEMENT', 'The file has no MT940 statement.');
  }
  return statements;
}

/** `:64:` and `:65:`, available balances, and a last `:86:` may follow the closing balance. */
function isOfStatement({ tag }: Field): boolean {
  return tag === '61' || tag.startsWith('60') || tag.startsWith('62') || tag === '25';
}

function refuseUnfinished(open: Open | null, place: { lineNumber: number }): void {
  if (open !== null) {
    throw new UnreadableFile('BALANCE_MISSING', 'A statement has no closing balance.', place);
  }
}

async function fieldsOf(
  bytes: AsyncIterable<Uint8Array>,
  limits: Pick<StatementLimits, 'fileBytes' | 'entries'>,
): Promise<Field[]> {
  const fields: Field[] = [];
  for await (const lines of physicalLines(decoded(bytes, limits.fileBytes), LINE_CHARS_MAX)) {
    for (const line of lines) {
      addLine(fields, line);
    }
  }
  return fields;
}

function addLine(fields: Field[], { number: lineNumber, text, tooLong }: PhysicalLine): void {
  if (tooLong) {
    throw bad('A line is too long', { lineNumber });
  }
  const [, tag, first = ''] = TAG.exec(text.replace(/^\{.*\{4:/, '')) ?? [];
  if (tag !== undefined) {
    fields.push({ lineNumber, tag, lines: [first] });
  } else if (text.trim() !== '' && !ENVELOPE.test(text)) {
    const field = fields.at(-1);
    if (field === undefined) {
      throw bad('The file does not begin with a field', { lineNumber });
    }
    field.lines.push(text);
  }
}

function take(open: Open, field: Field): void {
  if (field.tag === '25' || field.tag === '25P') {
    open.account = field.lines[0]?.trim() ?? null;
  } else if (field.tag === '60F' || field.tag === '60M') {
    open.opening = balanceOf(field);
  } else if (field.tag === '61') {
    open.entries.push(entryOf(open, field));
  } else if (field.tag === '86') {
    describe(open, field);
  }
}

function closed(open: Open, closing: Balance, field: Field): BankStatement {
  const { statementReference, account, opening, entries } = open;
  if (opening === null || account === null) {
    throw new UnreadableFile('BALANCE_MISSING', 'A statement has no account or no opening balance.', field);
  }
  if (opening.currency !== closing.currency) {
    throw bad('The balances are in two currencies', field);
  }
  return balanced({
    statementReference,
    account,
    currency: opening.currency,
    openingMinor: opening.amountMinor,
    openedOn: opening.on,
    closingMinor: closing.amountMinor,
    closedOn: closing.on,
    entries,
  });
}

function balanceOf(field: Field): Balance {
  const [, mark, date = '', currency = '', whole = '', decimals = ''] = BALANCE.exec(field.lines.join('').trim()) ?? [];
  if (!isCurrency(currency)) {
    throw bad('A balance cannot be read', field);
  }
  const amountMinor = amountOf(`${whole},${decimals}`, currency, field);
  const on = fullDate(date);
  return { amountMinor: mark === 'D' ? -amountMinor : amountMinor, currency, on: isPlainDate(on) ? on : null };
}

function entryOf({ account, opening }: Open, field: Field): BankEntry {
  const match = ENTRY.exec(field.lines[0]?.trim() ?? '');
  if (match === null || account === null || opening === null) {
    throw bad('An entry cannot be read', field);
  }
  const [, value = '', booked, mark = '', whole, decimals, , reference = '', bankReference = ''] = match;
  const valueOn = dateOf(value, field);
  const amountMinor = amountOf(`${whole},${decimals}`, opening.currency, field);
  const told = [reference.trim(), ...field.lines.slice(1).map((line) => line.trim())];
  return {
    account,
    currency: opening.currency,
    // RD, the reversal of a debit, brings money back.
    amountMinor: mark === 'C' || mark === 'RD' ? amountMinor : -amountMinor,
    bookedOn: booked === undefined ? valueOn : bookingDate(booked, valueOn, field),
    valueOn,
    bankReference: bankReference.trim() === '' ? null : bankReference.trim(),
    remittance: told.filter((text) => text !== '' && text !== 'NONREF').join(' ') || null,
  };
}

/** `:86:` describes the entry above it. One above all entries describes the statement, and is left out. */
function describe(open: Open, field: Field): void {
  const entry = open.entries.pop();
  if (entry === undefined) {
    return;
  }
  const text = field.lines.reduce((text, line, index) => {
    const above = field.lines[index - 1] ?? '';
    return text + (index === 0 || above.length >= WRAPPED_CHARS ? '' : ' ') + line;
  }, '');
  const remittance = [entry.remittance ?? '', text.trim()].filter((part) => part !== '').join(' ');
  if (remittance.length > REMITTANCE_CHARS_MAX) {
    throw bad('The text of an entry is too long', field);
  }
  open.entries.push({ ...entry, remittance: remittance === '' ? null : remittance });
}

/** @param text - with a comma before the decimals, of which there may be none: `1234,` */
function amountOf(text: string, currency: string, field: Field): bigint {
  const [whole = '', decimals = ''] = text.split(',');
  const amountMinor = minorFromDecimalText(decimals === '' ? whole : `${whole}.${decimals}`, currency, 'exact');
  if (amountMinor === null || amountMinor > MAX_AMOUNT_MINOR) {
    throw bad(`An amount is not one in ${currency}`, field);
  }
  return amountMinor;
}

function dateOf(text: string, field: { lineNumber: number }): PlainDate {
  const date = fullDate(text);
  if (!isPlainDate(date)) {
    throw bad('An entry has an impossible date', field);
  }
  return date;
}

/** @param text - such as `261124` */
function fullDate(text: string): string {
  return `20${text.slice(0, 2)}-${text.slice(2, 4)}-${text.slice(4, 6)}`;
}

/** A booking date has no year: it is the one in which the date is nearest to the value date. */
function bookingDate(monthAndDay: string, valueOn: PlainDate, field: Field): PlainDate {
  const [month, day] = [monthAndDay.slice(0, 2), monthAndDay.slice(2)];
  const year = Number(valueOn.slice(0, 4));
  const near = [year - 1, year, year + 1]
    .map((candidate) => `${candidate}-${month}-${day}`)
    .find((date) => isPlainDate(date) && date > addDays(valueOn, -183) && date <= addDays(valueOn, 183));
  if (near === undefined) {
    throw bad('An entry has an impossible booking date', field);
  }
  return near;
}

function bad(what: string, place: { lineNumber: number }): UnreadableFile {
  return new UnreadableFile('BAD_STATEMENT', `${what}.`, place);
}
