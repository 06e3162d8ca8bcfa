import { decimalOf } from '../payouts/units.ts';
import type { Entry, Statement } from './statement.ts';

/** Writes statements as SWIFT MT940, one after the other, without an envelope. */
export function mt940(statements: readonly Statement[]): string {
  return statements.map(statementText).join('');
}

function statementText(statement: Statement): string {
  const { id, account, currency, from, to, opening, closing, entries } = statement;
  const lines = [
    `:20:${id}`,
    `:25:${account}`,
    ':28C:1/1',
    `:60F:${mark(opening)}${shortDay(from)}${currency}${sizeOf(opening, statement)}`,
    ...entries.flatMap((entry) => entryLines(entry, statement)),
    `:62F:${mark(closing)}${shortDay(to)}${currency}${sizeOf(closing, statement)}`,
    '-',
  ];
  return `${lines.join('\r\n')}\r\n`;
}

function entryLines({ on, amount, bankReference, text }: Entry, statement: Statement): string[] {
  const day = shortDay(on);
  return [
    `:61:${day}${day.slice(2)}${mark(amount)}${sizeOf(amount, statement)}NTRFNONREF//${bankReference}`,
    `:86:${text}`,
  ];
}

function mark(amount: bigint): string {
  return amount < 0n ? 'D' : 'C';
}

function shortDay(day: string): string {
  return day.slice(2).replaceAll('-', '');
}

/** SWIFT writes a comma before the decimals, also when there are none. */
function sizeOf(amount: bigint, { places }: Statement): string {
  const size = decimalOf(amount < 0n ? -amount : amount, places);
  return places === 0 ? `${size},` : size.replace('.', ',');
}
