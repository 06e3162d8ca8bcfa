import { expressionBuilder, sql } from 'kysely';
import { recordsOf, rowOf } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import type { Mode } from '../../../domain/mode.ts';

/** An entry as JSON carries it. 64-bit integers are text. */
export interface EntryRecord {
  readonly row: number;
  /** Hexadecimal. */
  readonly fingerprint: string;
  readonly ordinal: number;
  readonly account: string;
  readonly currency: string;
  readonly amount: string;
  readonly booked: string;
  readonly value: string | null;
  readonly reference: string | null;
  readonly remittance: string | null;
}

interface EntriesToAdd {
  readonly mode: Mode;
  readonly fileId: bigint;
  /** A JSON array of `EntryRecord`. */
  readonly entries: string;
}

const ADD = statement((db, $: Given<EntriesToAdd>) => {
  const source = db.selectFrom(
    recordsOf($('entries'), 'w', {
      row: 'integer',
      fingerprint: 'text',
      ordinal: 'integer',
      account: 'text',
      currency: 'text',
      amount: 'bigint',
      booked: 'date',
      value: 'date',
      reference: 'text',
      remittance: 'text',
    }),
  );
  const eb = expressionBuilder(source);
  const row = rowOf('bank_entries', {
    mode: $('mode'),
    fileId: eb.cast<bigint>($('fileId'), 'bigint'),
    fileLine: eb.ref('w.row'),
    fingerprint: eb.fn<Uint8Array>('decode', ['w.fingerprint', sql.lit('hex')]),
    ordinal: eb.ref('w.ordinal'),
    account: eb.ref('w.account'),
    currency: eb.ref('w.currency'),
    amountMinor: eb.ref('w.amount'),
    bookedOn: eb.ref('w.booked'),
    valueOn: eb.ref('w.value'),
    bankReference: eb.ref('w.reference'),
    remittance: eb.ref('w.remittance'),
  });
  return db
    .insertInto('bank_entries')
    .columns(row.columns)
    .expression(source.select(row.values).orderBy('w.fingerprint').orderBy('w.ordinal'))
    .onConflict((conflict) => conflict.columns(['fingerprint', 'ordinal', 'account', 'mode']).doNothing())
    .returning('id');
});

/** Inserts the entries that are not known yet. Returns how many they are. */
export async function addEntries(
  statements: Statements,
  { entries, ...file }: Omit<EntriesToAdd, 'entries'> & { readonly entries: readonly EntryRecord[] },
): Promise<number> {
  if (entries.length === 0) {
    return 0;
  }
  return (await ADD.all(statements, { ...file, entries: JSON.stringify(entries) })).length;
}
