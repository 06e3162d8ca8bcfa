import { Readable } from 'node:stream';
import { z } from 'zod';
import { cancelUploaded, openContent } from '../../core/payouts/operator-files.ts';
import { FILE_BYTES_MAX } from '../../core/payouts/file-bytes-max.ts';
import { uploadFile } from '../../core/payouts/upload-file.ts';
import { statementGaps, type StatementGap } from '../../core/payouts/store/bank-statements.ts';
import { listFiles, listRejections, readFile, type FileDetail } from '../../core/payouts/store/file-list.ts';
import { notFound } from '../../domain/errors.ts';
import { toJsonInteger } from '../../domain/money.ts';
import { paginationOf, sliceOf } from '../http/paging.ts';
import type { OperatorCaller } from './caller.ts';
import type { AdminDependencies } from './dependencies.ts';
import { momentRange } from './filters.ts';
import {
  FILE_TYPES,
  FileParams,
  FilesQuery,
  PayoutFile,
  PayoutRejection,
  RejectionsQuery,
  UploadedFile,
  UploadQuery,
} from './payout-schemas.ts';
import { gapView } from './payout-views.ts';
import { adminRoute, type AdminRoute } from './route.ts';

const TAG = 'Payouts';

/** Returns the routes for payout files and bank statements. They belong to whole stores, so only operators of every application see them. */
export function payoutFileRoutes(deps: AdminDependencies): AdminRoute[] {
  return [upload(deps), list(deps), one(deps), content(deps), rejections(deps), cancel(deps)];
}

function upload(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/admin/payout-files',
    operationId: 'uploadPayoutFile',
    tag: TAG,
    summary: 'Upload a payout file or a bank statement, and import it',
    description:
      'The body is the file, unchanged: CSV up to 1 GiB, XLSX up to 50 MiB, a statement up to 16 MiB. The import runs afterwards; the file shows how far it is. The same bytes with the same mapping are imported once: uploaded again, they answer 200 with the file that exists.',
    permission: 'reconciliation:manage',
    everyApp: true,
    query: UploadQuery,
    bytes: { types: FILE_TYPES, bytesMax: FILE_BYTES_MAX.csv },
    response: { status: 201, alsoStatus: 200, schema: UploadedFile },
    errors: [],
    handler: async ({ caller, query, bytes }) => {
      const { mode, kind, format, name } = query;
      const { gateway = null, storeId = null, applicationId = null, mappingId = null } = query;
      const { file, isKnown } = await uploadFile(deps, caller, {
        upload: { mode, kind, format, name, gateway, storeId, applicationId, mappingId },
        bytes,
      });
      const shown = await fileView(deps, caller, file);
      return { status: isKnown ? 200 : 201, data: { file: shown, alreadyKnown: isKnown } };
    },
  });
}

function list(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/payout-files',
    operationId: 'listPayoutFiles',
    tag: TAG,
    summary: 'List payout files and bank statements',
    permission: 'report:read',
    everyApp: true,
    query: FilesQuery,
    response: { status: 200, schema: z.array(PayoutFile), list: true },
    errors: [],
    handler: async ({ caller, query }) => {
      const slice = sliceOf(query, 'createdAt');
      const { mode, gateway, storeId, kind, state } = query;
      const filter = { mode, gateway, storeId, kind, state, ...momentRange(query) };
      const page = await deps.database.withOperator(caller.view, (em) => listFiles(em, { filter, slice }));
      return { status: 200, data: await fileViews(deps, caller, page.rows), pagination: paginationOf(slice, page) };
    },
  });
}

function one(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/payout-files/{reference}',
    operationId: 'getPayoutFile',
    tag: TAG,
    summary: 'Retrieve a payout file and the progress of its import',
    permission: 'report:read',
    everyApp: true,
    params: FileParams,
    response: { status: 200, schema: PayoutFile },
    errors: ['RESOURCE_NOT_FOUND'],
    handler: async ({ caller, params }) => ({
      status: 200,
      data: await fileView(deps, caller, await find(deps, caller, params.reference)),
    }),
  });
}

function content(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/payout-files/{reference}/content',
    operationId: 'getPayoutFileContent',
    tag: TAG,
    summary: 'Download a payout file as it was uploaded, byte for byte',
    description: 'A spreadsheet may execute what the file contains.',
    permission: 'report:read',
    everyApp: true,
    params: FileParams,
    response: { status: 200, schema: z.string(), contentType: 'application/octet-stream' },
    errors: ['RESOURCE_NOT_FOUND'],
    handler: async ({ caller, params: { reference } }) => ({
      status: 200,
      headers: { 'Content-Disposition': `attachment; filename="${reference}.bin"` },
      stream: Readable.from(await openContent(deps, caller, reference)),
    }),
  });
}

function rejections(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/payout-files/{reference}/rejections',
    operationId: 'listPayoutFileRejections',
    tag: TAG,
    summary: 'List the rows of a payout file that could not be read, with the reason',
    permission: 'report:read',
    everyApp: true,
    params: FileParams,
    query: RejectionsQuery,
    response: { status: 200, schema: z.array(PayoutRejection), list: true },
    errors: ['RESOURCE_NOT_FOUND'],
    handler: async ({ caller, params, query }) => {
      const slice = sliceOf({ order: 'ASC', ...query }, 'lineNumber');
      const { id: fileId } = await find(deps, caller, params.reference);
      const page = await deps.database.withOperator(caller.view, (em) => listRejections(em, { fileId, slice }));
      const data = page.rows.map(({ lineNumber: line, code, columnName: column, reason }) => ({
        line,
        code,
        column,
        reason,
      }));
      return { status: 200, data, pagination: paginationOf(slice, page) };
    },
  });
}

function cancel(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/admin/payout-files/{reference}/cancel',
    operationId: 'cancelPayoutFile',
    tag: TAG,
    summary: 'Cancel the import of a payout file; what it has stored stays',
    permission: 'reconciliation:manage',
    everyApp: true,
    params: FileParams,
    response: { status: 200, schema: PayoutFile },
    errors: ['RESOURCE_NOT_FOUND', 'INVALID_OPERATION_STATE'],
    handler: async ({ caller, params }) => ({
      status: 200,
      data: await fileView(deps, caller, await cancelUploaded(deps, caller, params.reference)),
    }),
  });
}

async function find(deps: AdminDependencies, { view }: OperatorCaller, reference: string): Promise<FileDetail> {
  const file = await deps.database.withOperator(view, (em) => readFile(em, reference));
  if (file === null) {
    throw notFound('payout file');
  }
  return file;
}

async function fileViews(
  deps: AdminDependencies,
  { view }: OperatorCaller,
  files: readonly FileDetail[],
): Promise<z.infer<typeof PayoutFile>[]> {
  const statements = files.filter(({ kind }) => kind === 'statement').map(({ id }) => id);
  const gaps = await deps.database.withOperator(view, (em) => statementGaps(em, statements));
  const byFile = Map.groupBy(gaps, ({ fileId }) => fileId);
  return files.map((file) => viewOf(file, byFile.get(file.id) ?? []));
}

async function fileView(
  deps: AdminDependencies,
  caller: OperatorCaller,
  file: FileDetail,
): Promise<z.infer<typeof PayoutFile>> {
  const [shown] = await fileViews(deps, caller, [file]);
  if (shown === undefined) {
    throw new Error('one file has one view');
  }
  return shown;
}

function viewOf({ problem, state, ...file }: FileDetail, gaps: readonly StatementGap[]): z.infer<typeof PayoutFile> {
  if (state === 'UPLOADING') {
    throw new Error('an upload that has not ended is no file');
  }
  return {
    reference: file.reference,
    mode: file.mode,
    gateway: file.gateway,
    storeId: file.storeId,
    storeApplicationId: file.storeApplicationId === null ? null : toJsonInteger(file.storeApplicationId),
    kind: file.kind,
    format: file.format,
    name: file.name,
    mappingId: file.mappingId === null ? null : toJsonInteger(file.mappingId),
    uploadedBy: file.operatorName,
    createdAt: file.createdAt.toISOString(),
    bytes: toJsonInteger(file.byteCount),
    sha256: file.digest === null ? null : Buffer.from(file.digest).toString('hex'),
    state,
    problem:
      problem === null
        ? null
        : {
            code: problem,
            reason: file.problemText ?? '',
            line: file.problemLine,
            byte: file.problemByte === null ? null : toJsonInteger(file.problemByte),
          },
    warnings: gaps.map(gapView),
    rowsRead: file.rowsRead,
    linesAdded: file.linesAdded,
    linesKnown: file.linesKnown,
    linesRejected: file.linesRejected,
    finishedAt: file.finishedAt?.toISOString() ?? null,
  };
}
