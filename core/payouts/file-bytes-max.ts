import type { PayoutFormat } from '../../domain/payouts/payout.ts';
import { FILE_LIMITS } from './files/file-limits.ts';
import { STATEMENT_LIMITS } from './files/statement-limits.ts';
import { XLSX_BYTES_MAX } from './files/xlsx-rows.ts';

/** The formats in which files come. */
export const FILE_FORMATS = ['csv', 'xlsx', 'camt053', 'mt940'] as const satisfies readonly PayoutFormat[];
export type FileFormat = (typeof FILE_FORMATS)[number];

/** The most bytes of a file, by its format. */
export const FILE_BYTES_MAX = {
  csv: FILE_LIMITS.fileBytes,
  xlsx: XLSX_BYTES_MAX,
  camt053: STATEMENT_LIMITS.fileBytes,
  mt940: STATEMENT_LIMITS.fileBytes,
} as const satisfies Readonly<Record<FileFormat, number>>;
