import { expressionBuilder, type Kysely } from 'kysely';
import { list, type ListPage, type ListSlice, type ValuesOf } from '../../../database/lists.ts';
import type { Statements } from '../../../database/statements.ts';
import type { Tables } from '../../../database/tables.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import type { Mode } from '../../../domain/mode.ts';
import type { PayoutFileState, PayoutSourceKind } from '../../../domain/payouts/payout.ts';

/** An upload that has not ended is no file yet. */
function files(db: Kysely<Tables>) {
  return db
    .selectFrom('payout_files as f')
    .leftJoin('operators as o', 'o.id', 'f.operatorId')
    .select([
      'f.id',
      'f.reference',
      'f.mode',
      'f.gateway',
      'f.storeId',
      'f.storeApplicationId',
      'f.kind',
      'f.format',
      'f.name',
      'f.mappingId',
      'o.name as operatorName',
      'f.createdAt',
      'f.byteCount',
      'f.digest',
      'f.state',
      'f.problem',
      'f.problemText',
      'f.problemLine',
      'f.problemByte',
      'f.rowsRead',
      'f.linesAdded',
      'f.linesKnown',
      'f.linesRejected',
      'f.finishedAt',
    ])
    .where('f.state', '<>', 'UPLOADING');
}

export interface FileFilter {
  readonly mode?: Mode | undefined;
  readonly gateway?: string | undefined;
  readonly storeId?: string | undefined;
  readonly kind?: PayoutSourceKind | undefined;
  readonly state?: PayoutFileState | undefined;
  readonly from?: Date | null | undefined;
  /** Exclusive. */
  readonly before?: Date | null | undefined;
}

const LIST = list((db, $: Given<ValuesOf<FileFilter>>) => {
  const eb = expressionBuilder<Tables & { f: Tables['payout_files'] }, 'f'>();
  return {
    rows: files(db),
    conditions: {
      mode: eb('f.mode', '=', $('mode')),
      gateway: eb('f.gateway', '=', $('gateway')),
      storeId: eb('f.storeId', '=', $('storeId')),
      kind: eb('f.kind', '=', $('kind')),
      state: eb('f.state', '=', $('state')),
      from: eb('f.createdAt', '>=', $('from')),
      before: eb('f.createdAt', '<', $('before')),
    },
    orders: { createdAt: ['f.createdAt', 'f.id'] },
  };
});

export function listFiles(
  statements: Statements,
  { filter, slice }: { readonly filter: FileFilter; readonly slice: ListSlice },
): Promise<ListPage<FileDetail>> {
  return LIST.page(statements, { filter, sortBy: 'createdAt', slice });
}

const READ = statement((db, $: Given<{ reference: string }>) => files(db).where('f.reference', '=', $('reference')));

/** A file as operators see it. */
export type FileDetail = RowOf<typeof READ>;

export async function readFile(statements: Statements, reference: string): Promise<FileDetail | null> {
  return (await READ.first(statements, { reference })) ?? null;
}

const REJECTIONS = list((db, $: Given<ValuesOf<{ fileId: bigint }>>) => {
  const eb = expressionBuilder<Tables, 'payout_file_rejections'>();
  return {
    rows: db.selectFrom('payout_file_rejections').select(['lineNumber', 'code', 'columnName', 'reason']),
    conditions: { fileId: eb('fileId', '=', $('fileId')) },
    orders: { lineNumber: ['lineNumber'] },
  };
});

/** A row of a file that became no line. */
export interface FileRejection {
  readonly lineNumber: number;
  readonly code: string;
  readonly columnName: string | null;
  readonly reason: string;
}

export function listRejections(
  statements: Statements,
  { fileId, slice }: { readonly fileId: bigint; readonly slice: ListSlice },
): Promise<ListPage<FileRejection>> {
  return REJECTIONS.page(statements, { filter: { fileId }, sortBy: 'lineNumber', slice });
}
