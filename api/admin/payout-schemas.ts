import { z } from 'zod';
import { SHIPPED_NAMES } from '../../core/payouts/save-mapping.ts';
import { FILE_FORMATS } from '../../core/payouts/file-bytes-max.ts';
import { MODES } from '../../domain/mode.ts';
import { PayoutMapping } from '../../domain/payouts/mapping.ts';
import { PAYOUT_FILE_STATES, PAYOUT_FORMATS, PAYOUT_SOURCE_KINDS } from '../../domain/payouts/payout.ts';
import { IdText, text } from '../http/fields.ts';
import { listQuery } from '../http/paging.ts';
import { ModeFilter, Moment } from './filters.ts';

/** Media types of files. A browser chooses one by the file's name. */
export const FILE_TYPES = [
  'application/octet-stream',
  'text/csv',
  'text/plain',
  'application/xml',
  'text/xml',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
] as const;

const GatewayName = z.string().regex(/^[a-z0-9-]{1,40}$/, 'is not the name of a gateway');
const StoreId = text(120);
const FileState = z.enum(PAYOUT_FILE_STATES).exclude(['UPLOADING']);

export const UploadQuery = z.object({
  mode: ModeFilter,
  kind: z
    .enum(['lines', 'statement'], 'must be lines or statement')
    .default('lines')
    .describe('`lines` of payouts of a gateway, or a `statement` of a bank account.'),
  format: z.enum(FILE_FORMATS, `must be ${FILE_FORMATS.join(', ')}`),
  gateway: GatewayName.optional().describe('Required for `lines`.'),
  storeId: StoreId.optional().describe('Required for `lines`.'),
  applicationId: IdText.optional().describe(
    'The owner of the store, where several applications have one of this name.',
  ),
  name: text(255).describe('The name of the file, for people.'),
  mappingId: IdText.optional().describe('A saved mapping. Without it, the newest one of the store or its gateway.'),
});

export const FilesQuery = z.object({
  ...listQuery(['createdAt']),
  mode: ModeFilter.optional(),
  gateway: GatewayName.optional(),
  storeId: StoreId.optional(),
  kind: z.enum(PAYOUT_SOURCE_KINDS, `must be ${PAYOUT_SOURCE_KINDS.join(', ')}`).optional(),
  state: FileState.optional(),
  from: Moment.optional().describe('Only files that came at or after this time. A date starts at midnight UTC.'),
  to: Moment.optional().describe('Only files that came at or before this time. A date includes the whole day.'),
});

export const FileParams = z.object({ reference: z.string().regex(/^pof_[0-9A-Za-z]{22}$/, 'is not a file') });

export const PayoutFile = z
  .object({
    reference: z.string(),
    mode: z.enum(MODES),
    gateway: z.string().nullable().describe('Null for a bank statement.'),
    storeId: z.string().nullable(),
    storeApplicationId: z.int().nullable().describe('The owner of the store; null for the installation.'),
    kind: z.enum(PAYOUT_SOURCE_KINDS),
    format: z.enum(PAYOUT_FORMATS),
    name: z.string(),
    mappingId: z.int().nullable(),
    uploadedBy: z.string().nullable(),
    createdAt: z.iso.datetime(),
    bytes: z.int(),
    sha256: z.string().nullable(),
    state: FileState.describe(
      '`REFUSED`: the file cannot be read to its end; what stands before the fault was stored. So was what a `CANCELLED` import had reached.',
    ),
    problem: z
      .object({
        code: z.string(),
        reason: z.string(),
        line: z.int().nullable(),
        byte: z.int().nullable(),
      })
      .nullable(),
    rowsRead: z.int().describe('Grows while the file is imported.'),
    linesAdded: z.int(),
    linesKnown: z.int().describe('Lines that another file has said already.'),
    linesRejected: z.int(),
    finishedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'PayoutFile' });

export const UploadedFile = z
  .object({
    file: PayoutFile,
    alreadyKnown: z.boolean().describe('Whether the same bytes were uploaded before with the same mapping.'),
  })
  .meta({ id: 'UploadedPayoutFile' });

export const RejectionsQuery = z.object(listQuery(['lineNumber']));

export const PayoutRejection = z
  .object({
    line: z.int().describe('From 1: the line of the file, or the row of the sheet.'),
    code: z.string(),
    column: z.string().nullable(),
    reason: z.string(),
  })
  .meta({ id: 'PayoutRejection' });

export const MappingsQuery = z.object({
  ...listQuery(['id']),
  gateway: GatewayName.optional(),
  storeId: StoreId.optional(),
});

/** A mapping as it is stored, with every default. Its rules are in domain/payouts/mapping.ts. */
const StoredMapping = z.looseObject({ version: z.int(), format: z.string() });

export const MappingVersion = z
  .object({
    id: z.int(),
    gateway: z.string(),
    storeId: z.string().nullable().describe('Null: every store at the gateway that has none of its own.'),
    version: z.int(),
    mapping: StoredMapping,
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'PayoutMappingVersion' });

export const ShippedMapping = z
  .object({ name: z.enum(SHIPPED_NAMES), mapping: StoredMapping })
  .meta({ id: 'ShippedPayoutMapping' });

export const SaveMapping = z
  .object({
    gateway: GatewayName,
    storeId: StoreId.nullable().default(null),
    mapping: PayoutMapping,
  })
  .meta({ id: 'SavePayoutMapping' });
