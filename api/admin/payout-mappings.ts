import { z } from 'zod';
import { previewFile, type Preview } from '../../core/payouts/preview-file.ts';
import { SHIPPED_NAMES, saveNewMapping } from '../../core/payouts/save-mapping.ts';
import { listMappings, readMapping, type MappingVersion as Version } from '../../core/payouts/store/mappings.ts';
import { DomainError, notFound } from '../../domain/errors.ts';
import { toJsonInteger } from '../../domain/money.ts';
import { PayoutMapping } from '../../domain/payouts/mapping.ts';
import { SHIPPED_MAPPINGS } from '../../domain/payouts/shipped-mappings.ts';
import { paginationOf, sliceOf } from '../http/paging.ts';
import type { OperatorCaller } from './caller.ts';
import type { AdminDependencies } from './dependencies.ts';
import { lineView } from './payout-views.ts';
import {
  FILE_TYPES,
  MappingsQuery,
  MappingVersion,
  PayoutPreview,
  PREVIEW_BYTES_MAX,
  PreviewQuery,
  SaveMapping,
  ShippedMapping,
} from './payout-schemas.ts';
import { adminRoute, type AdminRoute } from './route.ts';

const TAG = 'Payouts';

/** Returns the routes for mappings: how the columns of a gateway's payout files become lines. */
export function payoutMappingRoutes(deps: AdminDependencies): AdminRoute[] {
  return [list(deps), shipped(), save(deps), preview(deps)];
}

function list(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/payout-mappings',
    operationId: 'listPayoutMappings',
    tag: TAG,
    summary: 'List the saved mappings, newest first',
    description: 'The newest version of a store is the current one. A store without its own uses that of its gateway.',
    permission: 'report:read',
    everyApp: true,
    query: MappingsQuery,
    response: { status: 200, schema: z.array(MappingVersion), list: true },
    errors: [],
    handler: async ({ caller, query }) => {
      const slice = sliceOf(query, 'id');
      const { gateway, storeId } = query;
      const page = await deps.database.withOperator(caller.view, (em) =>
        listMappings(em, { filter: { gateway, storeId }, slice }),
      );
      return { status: 200, data: page.rows.map(versionView), pagination: paginationOf(slice, page) };
    },
  });
}

function shipped(): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/payout-mappings/shipped',
    operationId: 'listShippedPayoutMappings',
    tag: TAG,
    summary: 'List the mappings that Lenden ships, to start from',
    permission: 'report:read',
    everyApp: true,
    response: { status: 200, schema: z.array(ShippedMapping) },
    errors: [],
    handler: () =>
      Promise.resolve({
        status: 200,
        data: SHIPPED_NAMES.map((name) => ({ name, mapping: { ...SHIPPED_MAPPINGS[name] } })),
      }),
  });
}

function save(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/admin/payout-mappings',
    operationId: 'savePayoutMapping',
    tag: TAG,
    summary: 'Save a new version of a mapping',
    description: 'Files that were read with an older version keep it.',
    permission: 'reconciliation:manage',
    everyApp: true,
    body: SaveMapping,
    response: { status: 201, schema: MappingVersion },
    errors: [],
    handler: async ({ caller, body }) => ({ status: 201, data: versionView(await saveNewMapping(deps, caller, body)) }),
  });
}

function preview(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/admin/payout-mappings/preview',
    operationId: 'previewPayoutFile',
    tag: TAG,
    summary: 'Read the beginning of a file with a mapping, and store nothing',
    description:
      'The body is the beginning of a CSV, or a whole XLSX, of at most 1 MiB. Name the mapping by one of the three parameters.',
    permission: 'reconciliation:manage',
    everyApp: true,
    query: PreviewQuery,
    bytes: { types: FILE_TYPES, bytesMax: PREVIEW_BYTES_MAX },
    response: { status: 200, schema: PayoutPreview },
    errors: ['RESOURCE_NOT_FOUND'],
    handler: async ({ caller, query, bytes }) => {
      const mapping = await mappingOf(deps, caller, query);
      const pieces: Uint8Array[] = [];
      for await (const piece of bytes) {
        pieces.push(piece);
      }
      return { status: 200, data: previewView(await previewFile(Buffer.concat(pieces), mapping)) };
    },
  });
}

async function mappingOf(
  { database }: AdminDependencies,
  { view }: OperatorCaller,
  { shipped: name, mappingId, mapping }: z.infer<typeof PreviewQuery>,
): Promise<PayoutMapping> {
  if ([name, mappingId, mapping].filter((given) => given !== undefined).length !== 1) {
    throw invalid('mapping', 'name one mapping: by shipped, mappingId or mapping');
  }
  if (name !== undefined) {
    return SHIPPED_MAPPINGS[name];
  }
  if (mappingId === undefined) {
    return parsed(mapping ?? '');
  }
  const saved = await database.withOperator(view, (em) => readMapping(em, mappingId));
  if (saved === null) {
    throw notFound('mapping');
  }
  return PayoutMapping.parse(JSON.parse(saved.mapping));
}

function parsed(text: string): PayoutMapping {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw invalid('mapping', 'is not JSON');
  }
  const { success, data, error } = PayoutMapping.safeParse(json);
  if (!success) {
    const [issue] = error.issues;
    throw invalid(['mapping', ...(issue?.path ?? [])].join('.'), issue?.message ?? 'is no mapping');
  }
  return data;
}

function invalid(field: string, message: string): DomainError {
  return new DomainError('VALIDATION_ERROR', 'the request is not valid', { fields: { [field]: message } });
}

function previewView({ headings, lines, rejections, problem, fitting }: Preview): z.infer<typeof PayoutPreview> {
  return {
    headings: [...headings],
    lines: lines.map(({ lineNumber, line }) => ({ line: lineNumber, ...lineView(line) })),
    rejections: rejections.map(({ lineNumber, rejection }) => ({ line: lineNumber, ...rejection })),
    problem:
      problem === null
        ? null
        : { code: problem.problem, reason: problem.message, line: problem.lineNumber, byte: problem.byteOffset },
    fitting: [...fitting],
  };
}

function versionView({ id, gateway, storeId, version, mapping, createdAt }: Version): z.infer<typeof MappingVersion> {
  return {
    id: toJsonInteger(id),
    gateway,
    storeId,
    version,
    mapping: JSON.parse(mapping) as z.infer<typeof MappingVersion>['mapping'],
    createdAt: createdAt.toISOString(),
  };
}
