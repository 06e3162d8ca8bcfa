import { later, now } from '../../../database/expressions.ts';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import type { Mode } from '../../../domain/mode.ts';
import type { PayoutFormat, PayoutSourceKind } from '../../../domain/payouts/payout.ts';
import type { FileProblem } from '../files/unreadable-file.ts';

/** An upload without a byte for so long is given up. */
const ABANDONED_AFTER = '15 minutes';

interface NewUpload {
  readonly reference: string;
  readonly mode: Mode;
  readonly gateway: string | null;
  readonly storeId: string | null;
  readonly storeApplicationId: bigint | null;
  readonly kind: PayoutSourceKind;
  readonly format: PayoutFormat;
  readonly name: string;
  readonly mappingId: bigint | null;
  readonly operatorId: bigint;
}

const BEGIN = statement((db, $: Given<NewUpload>) =>
  db
    .insertInto('payout_files')
    .values({
      reference: $('reference'),
      mode: $('mode'),
      gateway: $('gateway'),
      storeId: $('storeId'),
      storeApplicationId: $('storeApplicationId'),
      kind: $('kind'),
      format: $('format'),
      name: $('name'),
      mappingId: $('mappingId'),
      operatorId: $('operatorId'),
      state: 'UPLOADING',
      nextSweepAt: later(ABANDONED_AFTER),
    })
    .returning('id'),
);

/** Inserts the row of a file whose bytes come next. Nobody sees it before the last one. */
export async function beginUpload(statements: Statements, upload: NewUpload): Promise<bigint> {
  const row = await BEGIN.first(statements, upload);
  if (row === undefined) {
    throw new Error('the row of the upload was not written');
  }
  return row.id;
}

const ADD_CHUNK = statement((db, $: Given<{ fileId: bigint; number: number; bytes: Uint8Array; size: number }>) =>
  db
    .with('file', (q) =>
      q
        .updateTable('payout_files')
        .set((eb) => ({
          byteCount: eb('byteCount', '+', eb.cast<bigint>($('size'), 'bigint')),
          nextSweepAt: later(ABANDONED_AFTER),
        }))
        .where('id', '=', $('fileId'))
        .where('state', '=', 'UPLOADING')
        .returning('id'),
    )
    .insertInto('payout_file_chunks')
    .columns(['fileId', 'number', 'bytes'])
    .expression((eb) =>
      eb
        .selectFrom('file')
        .select((file) => [
          'file.id',
          file.cast<number>($('number'), 'integer').as('number'),
          file.cast<Uint8Array>($('bytes'), 'bytea').as('bytes'),
        ]),
    )
    .returning('number'),
);

/** Adds the next bytes. Returns false if the upload was given up meanwhile. */
export async function addChunk(
  statements: Statements,
  chunk: { readonly fileId: bigint; readonly number: number; readonly bytes: Uint8Array },
): Promise<boolean> {
  return (await ADD_CHUNK.first(statements, { ...chunk, size: chunk.bytes.length })) !== undefined;
}

const SAME = statement((db, $: Given<{ id: bigint; digest: Uint8Array }>) =>
  db
    .selectFrom('payout_files as f')
    .innerJoin('payout_files as n', (join) =>
      join
        .onRef('n.mode', '=', 'f.mode')
        .onRef('n.gateway', 'is not distinct from', 'f.gateway')
        .onRef('n.storeId', 'is not distinct from', 'f.storeId')
        .onRef('n.mappingId', 'is not distinct from', 'f.mappingId'),
    )
    .select('f.reference')
    .where('n.id', '=', $('id'))
    .where('f.digest', '=', $('digest'))
    .where('f.state', '<>', 'CANCELLED'),
);

/** Returns the reference of the file that has the same bytes and the same mapping as an upload, if there is one. */
export async function sameFile(
  statements: Statements,
  upload: { readonly id: bigint; readonly digest: Uint8Array },
): Promise<string | null> {
  return (await SAME.first(statements, upload))?.reference ?? null;
}

const END = statement((db, $: Given<{ id: bigint; digest: Uint8Array }>) =>
  db
    .updateTable('payout_files')
    .set({ digest: $('digest'), state: 'UPLOADED', nextSweepAt: later('1 minute'), updatedAt: now })
    .where('id', '=', $('id'))
    .where('state', '=', 'UPLOADING')
    .returning('id'),
);

/** Makes an upload a file. Returns false if it was given up meanwhile; fails with SQLSTATE 23505 if the same file exists. */
export async function endUpload(
  statements: Statements,
  upload: { readonly id: bigint; readonly digest: Uint8Array },
): Promise<boolean> {
  return (await END.first(statements, upload)) !== undefined;
}

/** Chunks of 1 MiB, so that a transaction stays short. */
const CHUNKS_REMOVED_MAX = 200;

const REMOVE_CHUNKS = statement((db, $: Given<{ fileId: bigint }>) =>
  db
    .deleteFrom('payout_file_chunks as c')
    .where('c.fileId', '=', $('fileId'))
    .where('c.number', 'in', (eb) =>
      eb
        .selectFrom('payout_file_chunks')
        .select('number')
        .where('fileId', '=', $('fileId'))
        .orderBy('number')
        .limit(CHUNKS_REMOVED_MAX),
    )
    .where('c.fileId', 'in', (eb) => eb.selectFrom('payout_files').select('id').where('state', '=', 'UPLOADING'))
    .returning('c.number'),
);

const REMOVE = statement((db, $: Given<{ fileId: bigint }>) =>
  db.deleteFrom('payout_files').where('id', '=', $('fileId')).where('state', '=', 'UPLOADING').returning('id'),
);

/** Removes some bytes of an upload that never ended, and its row with the last of them. Returns true once nothing is left. */
export async function removeUpload(statements: Statements, fileId: bigint): Promise<boolean> {
  if ((await REMOVE_CHUNKS.all(statements, { fileId })).length === CHUNKS_REMOVED_MAX) {
    return false;
  }
  await REMOVE.all(statements, { fileId });
  return true;
}

const READ_CHUNK = statement((db, $: Given<{ fileId: bigint; number: number }>) =>
  db
    .selectFrom('payout_file_chunks')
    .select('bytes')
    .where('fileId', '=', $('fileId'))
    .where('number', '=', $('number')),
);

export async function readChunk(
  statements: Statements,
  chunk: { readonly fileId: bigint; readonly number: number },
): Promise<Uint8Array | null> {
  return (await READ_CHUNK.first(statements, chunk))?.bytes ?? null;
}

const TAKE_UP = statement((db, $: Given<{ reference: string }>) =>
  db
    .updateTable('payout_files as f')
    .set((eb) => ({
      state: eb
        .case()
        .when('f.state', '=', 'UPLOADED')
        .then('IMPORTING' as const)
        .else(eb.ref('f.state'))
        .end(),
      updatedAt: now,
    }))
    .where('f.reference', '=', $('reference'))
    .where('f.state', '<>', 'UPLOADING')
    .returning((eb) => [
      'f.id',
      'f.reference',
      'f.mode',
      'f.gateway',
      'f.storeId',
      'f.storeApplicationId',
      'f.kind',
      'f.format',
      'f.state',
      'f.problem',
      'f.createdAt',
      'f.rowsRead',
      'f.linesAdded',
      'f.linesKnown',
      'f.linesRejected',
      eb.selectFrom('payout_mappings as m').select('m.mapping').whereRef('m.id', '=', 'f.mappingId').as('mapping'),
    ]),
);

/** A file as its import sees it. `mapping` is JSON. */
export type FileToImport = RowOf<typeof TAKE_UP>;

/** Begins or continues the import of a file. A file that has ended stays as it is. Returns null if there is none. */
export async function takeUpFile(statements: Statements, reference: string): Promise<FileToImport | null> {
  return (await TAKE_UP.first(statements, { reference })) ?? null;
}

export interface ImportStep {
  readonly fileId: bigint;
  /** Where the step began. */
  readonly rowsBefore: number;
  readonly added: number;
  readonly known: number;
  readonly rejected: number;
  /** The days of the lines that were added. */
  readonly firstPeriod: string | null;
  readonly lastPeriod: string | null;
}

const ADVANCE = statement((db, $: Given<ImportStep>) =>
  db
    .updateTable('payout_files')
    .set((eb) => {
      const [added, known, rejected] = (['added', 'known', 'rejected'] as const).map((name) =>
        eb.cast<number>($(name), 'integer'),
      ) as [ReturnType<typeof eb.cast<number>>, ReturnType<typeof eb.cast<number>>, ReturnType<typeof eb.cast<number>>];
      return {
        rowsRead: eb(eb('rowsRead', '+', added), '+', eb(known, '+', rejected)),
        linesAdded: eb('linesAdded', '+', added),
        linesKnown: eb('linesKnown', '+', known),
        linesRejected: eb('linesRejected', '+', rejected),
        // They leave out nulls.
        firstPeriod: eb.fn<string | null>('least', ['firstPeriod', eb.cast<string | null>($('firstPeriod'), 'date')]),
        lastPeriod: eb.fn<string | null>('greatest', ['lastPeriod', eb.cast<string | null>($('lastPeriod'), 'date')]),
        nextSweepAt: later('5 minutes'),
        updatedAt: now,
      };
    })
    .where('id', '=', $('fileId'))
    .where('state', '=', 'IMPORTING')
    .where('rowsRead', '=', $('rowsBefore'))
    .returning('id'),
);

/** Moves the position of an import, in the transaction of what it stored. Returns false if the file was cancelled, or if another worker was faster. */
export async function advanceImport(statements: Statements, step: ImportStep): Promise<boolean> {
  return (await ADVANCE.first(statements, step)) !== undefined;
}

interface Ending {
  readonly fileId: bigint;
  readonly rowsBefore: number;
  readonly state: 'IMPORTED' | 'REFUSED';
  readonly problem: FileProblem | null;
  readonly problemText: string | null;
  readonly problemLine: number | null;
  readonly problemByte: bigint | null;
}

const END_IMPORT = statement((db, $: Given<Ending>) =>
  db
    .updateTable('payout_files')
    .set({
      state: $('state'),
      problem: $('problem'),
      problemText: $('problemText'),
      problemLine: $('problemLine'),
      problemByte: $('problemByte'),
      finishedAt: now,
      updatedAt: now,
    })
    .where('id', '=', $('fileId'))
    .where('state', '=', 'IMPORTING')
    .where('rowsRead', '=', $('rowsBefore'))
    .returning('id'),
);

/** Ends an import. Returns false if the file was cancelled, or if another worker was faster. */
export async function endImport(statements: Statements, ending: Ending): Promise<boolean> {
  return (await END_IMPORT.first(statements, ending)) !== undefined;
}

const CANCEL = statement((db, $: Given<{ reference: string }>) =>
  db
    .updateTable('payout_files')
    .set({ state: 'CANCELLED', finishedAt: now, updatedAt: now })
    .where('reference', '=', $('reference'))
    .where('state', 'in', ['UPLOADED', 'IMPORTING'])
    .returning('id'),
);

/** Cancels an import that has not ended. Returns its id, or null. */
export async function cancelFile(statements: Statements, reference: string): Promise<bigint | null> {
  return (await CANCEL.first(statements, { reference }))?.id ?? null;
}
