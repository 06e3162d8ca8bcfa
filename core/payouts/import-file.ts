import { constraintOf, sqlStateOf } from '../../database/connection.ts';
import { MissingRow } from '../../database/missing-row.ts';
import type { BankEntry } from '../../domain/payouts/bank-entry.ts';
import { PayoutMapping } from '../../domain/payouts/mapping.ts';
import type { PayoutImportOutcome } from '../../workflows/messages/payout-import.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { readManyLines, type ReadLine } from './files/payout-lines.ts';
import { readStatements } from './files/statements.ts';
import { UnreadableFile } from './files/unreadable-file.ts';
import { matchEntries } from './match-entries.ts';
import { EntryNumbering, storeEntries, type NumberedEntry } from './store-entries.ts';
import { LineBatch, LineNumbering, type LinesSource } from './store-lines.ts';
import { addStatements } from './store/bank-statements.ts';
import { advanceImport, cancelFile, endImport, takeUpFile, type FileToImport } from './store/files.ts';
import { addRejections, type RejectedRow } from './store/lines.ts';
import { storedBytes } from './stored-bytes.ts';
import { Throttle } from './throttle.ts';

type ImportDependencies = Pick<CoreDependencies, 'database' | 'calendar' | 'log'>;

export interface ImportOptions {
  readonly reference: string;
  /** Called after each step with the rows that are done. */
  readonly onProgress?: (rowsRead: number) => void;
  /** Stops the import between two steps. A later call goes on. */
  readonly signal?: AbortSignal;
  /** The largest step. */
  readonly rowsAtOnce?: number;
}

/** A heading may be as long as a row. */
const COLUMN_NAME_CHARS_MAX = 200;

type Row = ReadLine | { readonly lineNumber: number; readonly kind: 'entry'; readonly entry: BankEntry };

/** Rows that are stored in one transaction. */
interface Step {
  rows: number;
  /** Null for a bank statement. */
  readonly lines: LineBatch | null;
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
  readonly #throttle: Throttle;
  /** The rows that are stored. */
  #position: number;
  #step: Step;
  /** A batch that is stored, for the next step. */
  #spare: LineBatch | null = null;
  /** The step before, which is stored meanwhile. */
  #storing: Promise<void> = Promise.resolve();

  constructor(deps: ImportDependencies, file: FileToImport, options: ImportOptions) {
    this.#deps = deps;
    this.#file = file;
    this.#options = options;
    this.#throttle = new Throttle(deps);
    this.#position = file.rowsRead;
    this.#step = this.#emptyStep();
  }

  async run(): Promise<void> {
    const refusal = await this.#readAndStore().catch(refusalOf);
    const { mode } = this.#file;
    await matchEntries(this.#deps, { mode, signal: this.#options.signal });
    await this.#end(refusal);
  }

  /** Returns why the file cannot be read to its end, if so. What stands before the fault is stored too. */
  async #readAndStore(): Promise<UnreadableFile | null> {
    try {
      const refusal = await this.#read().catch((error: unknown) => {
        if (error instanceof UnreadableFile) {
          return error;
        }
        throw error;
      });
      await this.#storeStep();
      return refusal;
    } finally {
      await this.#storing;
    }
  }

  /** Reads all rows, also those that are stored: equal ones among them count. */
  async #read(): Promise<null> {
    const { rowsAtOnce = Infinity, signal } = this.#options;
    const stored = this.#file.rowsRead;
    let read = 0;
    await this.#throttle.rest(signal);
    for await (const rows of this.#rows()) {
      for (const row of rows) {
        read += 1;
        this.#take(row, { isStored: read <= stored });
        const atOnce = Math.min(rowsAtOnce, this.#throttle.rowsAtOnce);
        if (this.#step.rows >= atOnce) {
          await this.#storeStep();
        } else if (read < stored && read % atOnce === 0) {
          await this.#throttle.rest(signal);
        }
      }
    }
    return null;
  }

  /** Stores the step, once the one before is stored. The next one is read meanwhile, unless payments need the time. */
  async #storeStep(): Promise<void> {
    await this.#storing;
    const step = this.#step;
    this.#step = this.#emptyStep();
    this.#storing = this.#store(step);
    // Whoever waits for it next learns of the failure.
    this.#storing.catch(() => undefined);
    if (this.#throttle.isResting) {
      await this.#storing;
    }
    await this.#throttle.rest(this.#options.signal);
  }

  #emptyStep(): Step {
    return { rows: 0, lines: this.#emptyBatch(), entries: [], rejected: [] };
  }

  #emptyBatch(): LineBatch | null {
    const spare = this.#spare;
    this.#spare = null;
    return spare ?? (this.#file.kind === 'lines' ? new LineBatch(sourceOf(this.#file), this.#deps.calendar) : null);
  }

  async *#rows(): AsyncGenerator<Iterable<Row>> {
    const { id, mode, kind, format, mapping } = this.#file;
    const bytes = storedBytes(this.#deps.database.withSystem, id);
    if (kind === 'statement') {
      const statements = await readStatements(bytes, format);
      await this.#deps.database.withSystem((em) => addStatements(em, { mode, fileId: id, statements }));
      const entries = statements.flatMap((statement) => statement.entries);
      yield entries.map((entry, index) => ({ lineNumber: index + 1, kind: 'entry', entry }));
      return;
    }
    if (mapping === null) {
      throw new Error('a file of payout lines has no mapping');
    }
    yield* readManyLines(bytes, PayoutMapping.parse(JSON.parse(mapping)));
  }

  #take(row: Row, { isStored }: { readonly isStored: boolean }): void {
    const { lineNumber } = row;
    const line = row.kind === 'line' ? this.#lineNumbering.number(row.line, lineNumber) : null;
    const entry = row.kind === 'entry' ? this.#entryNumbering.number(row.entry, lineNumber) : null;
    if (isStored) {
      return;
    }
    this.#step.rows += 1;
    if (line !== null) {
      this.#step.lines?.add(line);
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

  /** Stores a step and the position behind it. */
  async #store({ rows, lines, entries, rejected }: Step): Promise<void> {
    const { signal, onProgress } = this.#options;
    signal?.throwIfAborted();
    const rowsBefore = this.#position;
    const { id: fileId } = this.#file;
    await this.#deps.database.withSystem(async (em) => {
      const stored =
        lines === null
          ? { ...(await storeEntries(em, { source: this.#file, entries })), firstPeriod: null, lastPeriod: null }
          : await lines.store(em);
      await addRejections(em, { fileId, rejections: rejected });
      if (!(await advanceImport(em, { fileId, rowsBefore, ...stored, rejected: rejected.length }))) {
        throw new Overtaken();
      }
    });
    lines?.clear();
    this.#spare = lines;
    this.#position += rows;
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

/** Each amount can be recorded, but the sum of a payout's cannot: the type refuses it (SQLSTATE 22003), or the table does. */
function refusalOf(error: unknown): UnreadableFile {
  if (sqlStateOf(error) === '22003' || constraintOf(error) === 'payouts_sums_check') {
    return new UnreadableFile('AMOUNTS_TOO_LARGE', 'The amounts of a payout add up to more than can be recorded.');
  }
  throw error;
}
