import { sqlStateOf } from '../../database/connection.ts';
import { MissingRow } from '../../database/missing-row.ts';
import type { BankEntry } from '../../domain/payouts/bank-entry.ts';
import { PayoutMapping } from '../../domain/payouts/mapping.ts';
import type { PayoutImportOutcome } from '../../workflows/messages/payout-import.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { readPayoutLines, type ReadLine } from './files/payout-lines.ts';
import { readStatements } from './files/statements.ts';
import { UnreadableFile } from './files/unreadable-file.ts';
import { matchEntries } from './match-entries.ts';
import { EntryNumbering, storeEntries, type NumberedEntry } from './store-entries.ts';
import { LineNumbering, storeLines, type LinesSource, type NumberedLine } from './store-lines.ts';
import { advanceImport, cancelFile, endImport, takeUpFile, type FileToImport } from './store/files.ts';
import { addRejections, type RejectedRow } from './store/lines.ts';
import { storedBytes } from './stored-bytes.ts';

type ImportDependencies = Pick<CoreDependencies, 'database' | 'calendar' | 'log'>;

export interface ImportOptions {
  readonly reference: string;
  /** Called after each step with the rows that are done. */
  readonly onProgress?: (rowsRead: number) => void;
  /** Stops the import between two steps. A later call goes on. */
  readonly signal?: AbortSignal;
  readonly rowsAtOnce?: number;
}

/** A transaction of so many rows takes a fraction of a second. */
const ROWS_AT_ONCE = 1_000;
/** A heading may be as long as a row. */
const COLUMN_NAME_CHARS_MAX = 200;

type Row = ReadLine | { readonly lineNumber: number; readonly kind: 'entry'; readonly entry: BankEntry };

interface Step {
  readonly lines: NumberedLine[];
  readonly entries: NumberedEntry[];
  readonly rejected: RejectedRow[];
}

/** The file was cancelled, or another worker imports it. Undoes the transaction of the step. */
class Overtaken extends Error {}

/**
 * Stores the lines or entries of a file, each step of rows in one transaction with the file's position. A call that dies at any moment leaves whole
 * steps behind, and the next one reads the file again from its beginning, skips what is stored and goes on: the result is the same.
 *
 * @throws MissingRow
 */
export async function importFile(deps: ImportDependencies, options: ImportOptions): Promise<PayoutImportOutcome> {
  const { database } = deps;
  const { reference } = options;
  const file = await database.withSystem((em) => takeUpFile(em, reference));
  if (file === null) {
    throw new MissingRow('payout file', reference);
  }
  if (file.state === 'IMPORTING') {
    try {
      await new FileImport(deps, file, options).run();
    } catch (error) {
      if (!(error instanceof Overtaken)) {
        throw error;
      }
    }
  }
  return outcomeOf(deps, reference);
}

/** Ends an import that has not ended; what it has stored stays. */
export async function cancelImport(deps: ImportDependencies, reference: string): Promise<PayoutImportOutcome> {
  await deps.database.withSystem((em) => cancelFile(em, reference));
  return outcomeOf(deps, reference);
}

async function outcomeOf({ database }: ImportDependencies, reference: string): Promise<PayoutImportOutcome> {
  const file = await database.withSystem((em) => takeUpFile(em, reference));
  if (file === null) {
    throw new MissingRow('payout file', reference);
  }
  const { state, problem, rowsRead, linesAdded, linesKnown, linesRejected } = file;
  if (state === 'UPLOADING' || state === 'UPLOADED' || state === 'IMPORTING') {
    throw new Error('the import has not ended: another worker goes on with it');
  }
  return { state, problem, rowsRead, linesAdded, linesKnown, linesRejected };
}

class FileImport {
  readonly #deps: ImportDependencies;
  readonly #file: FileToImport;
  readonly #options: ImportOptions;
  readonly #lineNumbering = new LineNumbering();
  readonly #entryNumbering = new EntryNumbering();
  /** The rows that are stored. */
  #position: number;
  #step: Step = { lines: [], entries: [], rejected: [] };
  #stepRows = 0;

  constructor(deps: ImportDependencies, file: FileToImport, options: ImportOptions) {
    this.#deps = deps;
    this.#file = file;
    this.#options = options;
    this.#position = file.rowsRead;
  }

  async run(): Promise<void> {
    const refusal = await this.#readAndStore().catch(refusalOf);
    const { mode } = this.#file;
    await matchEntries(this.#deps, { mode, signal: this.#options.signal });
    await this.#end(refusal);
  }

  /** Returns why the file cannot be read to its end, if so. What stands before the fault is stored too. */
  async #readAndStore(): Promise<UnreadableFile | null> {
    const refusal = await this.#read().catch((error: unknown) => {
      if (error instanceof UnreadableFile) {
        return error;
      }
      throw error;
    });
    await this.#store();
    return refusal;
  }

  /** Reads all rows, also those that are stored: equal ones among them count. */
  async #read(): Promise<null> {
    const { rowsAtOnce = ROWS_AT_ONCE } = this.#options;
    let read = 0;
    for await (const row of this.#rows()) {
      read += 1;
      this.#take(row, { isStored: read <= this.#file.rowsRead });
      if (this.#stepRows >= rowsAtOnce) {
        await this.#store();
      }
    }
    return null;
  }

  async *#rows(): AsyncGenerator<Row> {
    const { id, kind, format, mapping } = this.#file;
    const bytes = storedBytes(this.#deps.database.withSystem, id);
    if (kind === 'statement') {
      let lineNumber = 0;
      for (const { entries } of await readStatements(bytes, format)) {
        for (const entry of entries) {
          lineNumber += 1;
          yield { lineNumber, kind: 'entry', entry };
        }
      }
      return;
    }
    if (mapping === null) {
      throw new Error('a file of payout lines has no mapping');
    }
    yield* readPayoutLines(bytes, PayoutMapping.parse(JSON.parse(mapping)));
  }

  #take(row: Row, { isStored }: { readonly isStored: boolean }): void {
    const { lineNumber } = row;
    const line = row.kind === 'line' ? this.#lineNumbering.number(row.line, lineNumber) : null;
    const entry = row.kind === 'entry' ? this.#entryNumbering.number(row.entry, lineNumber) : null;
    if (isStored) {
      return;
    }
    this.#stepRows += 1;
    if (line !== null) {
      this.#step.lines.push(line);
    } else if (entry !== null) {
      this.#step.entries.push(entry);
    } else if (row.kind === 'rejected') {
      const { code, column, reason } = row.rejection;
      this.#step.rejected.push({
        row: lineNumber,
        code,
        column: column?.slice(0, COLUMN_NAME_CHARS_MAX) ?? null,
        reason,
      });
    }
  }

  /** Stores the step and the position behind it. */
  async #store(): Promise<void> {
    const { signal, onProgress } = this.#options;
    signal?.throwIfAborted();
    const { lines, entries, rejected } = this.#step;
    const rowsBefore = this.#position;
    const { id: fileId } = this.#file;
    await this.#deps.database.withSystem(async (em) => {
      const stored =
        this.#file.kind === 'statement'
          ? await storeEntries(em, { source: this.#file, entries })
          : await storeLines(em, this.#deps.calendar, { source: sourceOf(this.#file), lines });
      await addRejections(em, { fileId, rejections: rejected });
      if (!(await advanceImport(em, { fileId, rowsBefore, ...stored, rejected: rejected.length }))) {
        throw new Overtaken();
      }
    });
    this.#position += this.#stepRows;
    this.#step = { lines: [], entries: [], rejected: [] };
    this.#stepRows = 0;
    onProgress?.(this.#position);
  }

  async #end(refusal: UnreadableFile | null): Promise<void> {
    const ended = await this.#deps.database.withSystem((em) =>
      endImport(em, {
        fileId: this.#file.id,
        rowsBefore: this.#position,
        state: refusal === null ? 'IMPORTED' : 'REFUSED',
        problem: refusal?.problem ?? null,
        problemText: refusal?.message ?? null,
        problemLine: refusal?.lineNumber ?? null,
        problemByte:
          refusal?.byteOffset === undefined || refusal.byteOffset === null ? null : BigInt(refusal.byteOffset),
      }),
    );
    if (!ended) {
      throw new Overtaken();
    }
  }
}

function sourceOf({ id, mode, gateway, storeId, storeApplicationId, createdAt }: FileToImport): LinesSource {
  if (gateway === null || storeId === null) {
    throw new Error('a file of payout lines has no store');
  }
  return { id, mode, gateway, storeId, storeApplicationId, createdAt };
}

/** Each amount can be recorded, but the sum of a payout's cannot: SQLSTATE 22003. */
function refusalOf(error: unknown): UnreadableFile {
  if (sqlStateOf(error) === '22003') {
    return new UnreadableFile('AMOUNTS_TOO_LARGE', 'The amounts of a payout add up to more than can be recorded.');
  }
  throw error;
}
