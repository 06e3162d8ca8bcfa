import { z } from 'zod';
import { SHIPPED_NAMES } from '../../core/payouts/save-mapping.ts';
import { FILE_FORMATS } from '../../core/payouts/file-bytes-max.ts';
import { MODES } from '../../domain/mode.ts';
import { PayoutMapping } from '../../domain/payouts/mapping.ts';
import {
  PAYOUT_FILE_STATES,
  PAYOUT_FORMATS,
  PAYOUT_SOURCE_KINDS,
  PAYOUT_STATUSES,
} from '../../domain/payouts/payout.ts';
import { PAYOUT_LINE_KINDS } from '../../domain/payouts/payout-line.ts';
import { isPlainDate } from '../../domain/plain-date.ts';
import { freeText, IdText, isComparable, text } from '../http/fields.ts';
import { listQuery } from '../http/paging.ts';
import { PendingChanges } from './change-schemas.ts';
import { ModeFilter, Moment } from './filters.ts';
import { MinorSum } from './schemas.ts';

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
    warnings: z
      .array(z.object({ code: z.literal('BALANCE_GAP'), account: z.string(), reason: z.string() }))
      .describe(
        'What is wrong with a file that was imported all the same, as things are now. `BALANCE_GAP`: a statement does not open with the balance with which the one before it closed.',
      ),
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

/** Enough for the first lines of a CSV, and for a whole small XLSX, which cannot be read in part. */
export const PREVIEW_BYTES_MAX = 1024 * 1024;

export const PreviewQuery = z.object({
  shipped: z
    .enum(SHIPPED_NAMES, `must be ${SHIPPED_NAMES.join(', ')}`)
    .optional()
    .describe('A mapping that Lenden ships.'),
  mappingId: IdText.optional().describe('A saved mapping.'),
  mapping: z.string().min(2).max(12_000).optional().describe('A mapping as JSON, not saved yet.'),
});

/** Minor units. */
const Minor = z.int();

const LINE = {
  kind: z.enum(PAYOUT_LINE_KINDS),
  payoutReference: z.string().nullable(),
  lineReference: z.string().nullable(),
  gatewayTxnId: z.string().nullable(),
  attemptReference: z.string().nullable(),
  currency: z.string(),
  grossMinor: Minor,
  feeMinor: Minor,
  taxMinor: Minor,
  netMinor: Minor,
  originalCurrency: z.string().nullable(),
  exchangeRate: z.string().nullable(),
  occurredAt: z.iso.datetime().nullable(),
  paidOutOn: z.iso.date().nullable(),
  description: z.string().nullable(),
};

export const PayoutPreview = z
  .object({
    headings: z.array(z.string()).describe('As the file spells them.'),
    lines: z.array(z.object({ line: z.int(), ...LINE })).describe('The first lines as they would be stored.'),
    rejections: z.array(PayoutRejection),
    problem: PayoutFile.shape.problem.describe('Why the file cannot be read with this mapping.'),
    fitting: z.array(z.string()).describe('Shipped mappings whose columns the file has.'),
  })
  .meta({ id: 'PayoutPreview' });

const Day = z.iso.date('must be a date').refine((day) => isComparable(Date.parse(day)), 'is not a date');

export const PayoutsQuery = z.object({
  ...listQuery(['id']),
  mode: ModeFilter.optional().describe('LIVE unless given.'),
  gateway: GatewayName.optional(),
  storeId: StoreId.optional(),
  status: z.enum(PAYOUT_STATUSES, `must be ${PAYOUT_STATUSES.join(', ')}`).optional(),
  from: Day.optional().describe('Only payouts that arrive on or after this day.'),
  to: Day.optional().describe('Only payouts that arrive on or before this day.'),
});

export const PayoutParams = z.object({ reference: z.string().regex(/^po_[0-9A-Za-z]{22}$/, 'is not a payout') });

/** A sum may be greater than a JSON number holds exactly. */

const PAYOUT = {
  reference: z.string(),
  mode: z.enum(MODES),
  gateway: z.string(),
  storeId: z.string(),
  storeApplicationId: z.int().nullable(),
  gatewayReference: z.string().describe('The gateway’s name of it; where it gives none, the day.'),
  currency: z.string(),
  status: z.enum(PAYOUT_STATUSES),
  arrivesOn: z.iso.date().nullable(),
  lines: z.int(),
  linesMinor: MinorSum.describe('The sum of the net amounts of its lines, in minor units as text, as all sums.'),
  statedMinor: MinorSum.nullable().describe('What the gateway says.'),
  bankMinor: MinorSum.nullable().describe('What the bank or an operator says.'),
  residualMinor: MinorSum.nullable().describe(
    'What no line explains: the bank’s amount, or else the gateway’s, less the lines. Null if neither is known.',
  ),
  itemized: z.boolean().describe('Whether its lines can be known at all.'),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
};
export const Payout = z.object(PAYOUT).meta({ id: 'Payout' });

export const PayoutDetail = z
  .object({
    ...PAYOUT,
    bankReference: z.string().nullable(),
    kinds: z.array(
      z.object({
        kind: z.enum(PAYOUT_LINE_KINDS),
        lines: z.int(),
        grossMinor: MinorSum,
        feeMinor: MinorSum,
        taxMinor: MinorSum,
        netMinor: MinorSum,
      }),
    ),
    pendingChanges: PendingChanges,
  })
  .meta({ id: 'PayoutDetail' });

export const PayoutLinesQuery = z.object(listQuery(['id']));

export const PayoutLine = z
  .object({
    id: z.int(),
    file: z.string().describe('The file that said it first.'),
    fileLine: z.int(),
    ordinal: z.int().describe('2 for the second of two equal lines of one file.'),
    period: z.iso.date().describe('The day whose reconciliation takes it up.'),
    ...LINE,
  })
  .meta({ id: 'PayoutLine' });

/** Far above any transfer, and low enough that its difference from the lines of a payout still fits a JSON integer. */
const BANK_MINOR_MAX = 1_000_000_000_000_000;

export const BankAmount = z
  .object({
    amountMinor: z
      .int()
      .min(-BANK_MINOR_MAX, 'is too small')
      .max(BANK_MINOR_MAX, 'is too large')
      .describe('In the currency of the payout; negative if the bank took it.'),
    arrivedOn: z.iso.date('must be a date').refine(isPlainDate, 'must be a date from 1970 on'),
    reason: freeText(500),
  })
  .meta({ id: 'PayoutBankAmount' });

export const EntriesQuery = z.object({
  ...listQuery(['id']),
  mode: ModeFilter.optional().describe('LIVE unless given.'),
  account: text(120).optional(),
  matched: z.enum(['true', 'false'], 'must be true or false').optional(),
  from: Day.optional().describe('Only entries booked on or after this day.'),
  to: Day.optional().describe('Only entries booked on or before this day.'),
});

export const BankEntry = z
  .object({
    id: z.int(),
    mode: z.enum(MODES),
    file: z.string(),
    account: z.string(),
    currency: z.string(),
    amountMinor: Minor.describe('Positive if it came to us.'),
    bookedOn: z.iso.date(),
    valueOn: z.iso.date().nullable(),
    bankReference: z.string().nullable(),
    remittance: z.string().nullable(),
    payout: z.string().nullable().describe('The payout that it names. Null if it names none, or several.'),
    candidates: z
      .array(z.string())
      .describe(
        'Payouts of the same amount around the same day. Lenden never assigns an entry by its amount: a person decides.',
      ),
  })
  .meta({ id: 'BankEntry' });
