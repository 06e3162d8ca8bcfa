import type { Statements } from '../../database/statements.ts';
import type { Mode } from '../../domain/mode.ts';
import type { BankEntry } from '../../domain/payouts/bank-entry.ts';
import { entryFingerprint } from './fingerprint.ts';
import { Ordinals } from './ordinals.ts';
import { addEntries } from './store/bank-entries.ts';

/** An entry with its place in its statement file. */
export interface NumberedEntry {
  readonly entry: BankEntry;
  /** From 1, over all statements of the file. */
  readonly lineNumber: number;
  /** Hexadecimal. */
  readonly fingerprint: string;
  /** 1 for the first entry of its file that says this, 2 for an equal one. */
  readonly ordinal: number;
}

/** Numbers the entries of one file. Every entry has to pass, in the order of the file. */
export class EntryNumbering {
  readonly #ordinals = new Ordinals();

  number(entry: BankEntry, lineNumber: number): NumberedEntry {
    const fingerprint = entryFingerprint(entry);
    return { entry, lineNumber, fingerprint, ordinal: this.#ordinals.next(fingerprint) };
  }
}

interface EntriesToStore {
  readonly source: { readonly id: bigint; readonly mode: Mode };
  readonly entries: readonly NumberedEntry[];
}

/** Stores entries in the transaction of the caller. One that is known, from a statement that overlaps, is left out. */
export async function storeEntries(
  statements: Statements,
  { source: { id: fileId, mode }, entries }: EntriesToStore,
): Promise<{ readonly added: number; readonly known: number }> {
  const records = entries.map(({ entry, lineNumber, fingerprint, ordinal }) => ({
    row: lineNumber,
    fingerprint,
    ordinal,
    account: entry.account,
    currency: entry.currency,
    amount: entry.amountMinor.toString(),
    booked: entry.bookedOn,
    value: entry.valueOn,
    reference: entry.bankReference,
    remittance: entry.remittance,
  }));
  const added = await addEntries(statements, { fileId, mode, entries: records });
  return { added, known: entries.length - added };
}
