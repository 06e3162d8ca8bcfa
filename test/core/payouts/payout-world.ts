import { pino } from 'pino';
import { cancelImport, importFile, type ImportOptions } from '../../../core/payouts/import-file.ts';
import { saveNewMapping } from '../../../core/payouts/save-mapping.ts';
import { uploadFile, type Upload } from '../../../core/payouts/upload-file.ts';
import { openDatabase, openOrm, type Database, type PooledDatabase } from '../../../database/connection.ts';
import { BUSINESS_TIME_ZONE, calendarIn } from '../../../domain/calendar.ts';
import { PayoutMapping, type PayoutMappingInput } from '../../../domain/payouts/mapping.ts';
import type { PayoutImportOutcome } from '../../../workflows/messages/payout-import.ts';
import { createTestDatabase } from '../../support/database.ts';
import { registryOf } from '../../support/gateways.ts';

type Row = Record<string, unknown>;

/** A plain mapping: every member of a line that the tests look at has a column. */
export const MAPPING: PayoutMappingInput = {
  version: 1,
  format: 'csv',
  columns: {
    payoutReference: { headings: ['payout'], optional: true },
    lineReference: { headings: ['id'] },
    gross: { headings: ['gross'] },
    fee: { headings: ['fee'], optional: true, blankIsZero: true },
    occurredAt: { headings: ['at'], optional: true },
    paidOutOn: { headings: ['day'], optional: true },
    description: { headings: ['text'], optional: true },
  },
  fixed: { currency: 'BDT', kind: 'CHARGE' },
  dateOrder: 'year-first',
};

export interface PayoutWorld {
  readonly database: PooledDatabase;
  readonly dispatched: string[];
  rows(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  upload(
    text: string | Uint8Array | AsyncIterable<Uint8Array>,
    options?: Partial<Upload>,
  ): Promise<{ reference: string; isKnown: boolean }>;
  import(reference: string, options?: Partial<ImportOptions>, database?: Database): Promise<PayoutImportOutcome>;
  cancel(reference: string): Promise<PayoutImportOutcome>;
  /** Everything that imports have stored, without ids, references and times. */
  stored(): Promise<{ lines: Row[]; payouts: Row[]; files: Row[]; rejections: Row[]; entries: Row[] }>;
  close(): Promise<void>;
}

export async function openPayoutWorld(): Promise<PayoutWorld> {
  const { url, drop } = await createTestDatabase();
  const world = await openPayoutWorldAt(url);
  return {
    ...world,
    async close() {
      await world.close();
      await drop();
    },
  };
}

/** Opens the world on a database of the caller, who drops it. */
export async function openPayoutWorldAt(url: string, mapping: Partial<PayoutMappingInput> = {}): Promise<PayoutWorld> {
  const database = await openDatabase({ url, poolSize: 4 });
  const owner = await openOrm({ url, role: 'owner', poolSize: 2 });
  const rows = (sql: string, values: readonly unknown[] = []): Promise<Row[]> =>
    owner.em.fork().execute<Row[]>(sql, [...values]);
  const [operator] = await rows(
    `insert into operators (email, name, password_hash) values ('finance@example.com', 'Finance', 'x') returning id::text`,
  );
  const operatorId = BigInt(String(operator?.['id']));
  const dispatched: string[] = [];
  const deps = {
    database,
    gateways: registryOf(),
    dispatch: {
      startPayoutImport: ({ reference }: { reference: string }) => {
        dispatched.push(reference);
        return Promise.resolve();
      },
    } as never,
    log: pino({ level: 'silent' }),
    calendar: calendarIn(BUSINESS_TIME_ZONE),
  };
  const caller = {
    view: 'every-app' as const,
    actor: { type: 'USER' as const, id: operatorId, name: 'finance@example.com' },
    operator: { id: operatorId },
  };
  await saveNewMapping(deps, caller, {
    gateway: 'sslcommerz',
    storeId: null,
    mapping: PayoutMapping.parse({ ...MAPPING, ...mapping }),
  });
  return {
    database,
    dispatched,
    rows,
    async upload(text, options = {}) {
      const upload: Upload = {
        mode: 'LIVE',
        kind: 'lines',
        format: 'csv',
        gateway: 'sslcommerz',
        storeId: 'teststore',
        applicationId: null,
        name: 'file.csv',
        mappingId: null,
        ...options,
      };
      const bytes =
        typeof text === 'string' || text instanceof Uint8Array ? inPieces(Buffer.from(text as Uint8Array), 700) : text;
      const { file, isKnown } = await uploadFile(deps, caller, { upload, bytes });
      return { reference: file.reference, isKnown };
    },
    import: (reference, options = {}, over = database) =>
      importFile({ ...deps, database: over }, { reference, rowsAtOnce: 3, ...options }),
    cancel: (reference) => cancelImport(deps, reference),
    async stored() {
      return {
        lines: await rows(
          `select encode(l.fingerprint, 'hex') as fingerprint, l.ordinal, l.file_line, l.period::text, l.kind, l.line_reference, l.net_minor::text,
             p.gateway_reference
           from payout_lines l left join payouts p on p.id = l.payout_id order by 1, 2`,
        ),
        payouts: await rows(
          `select gateway_reference, currency, lines, lines_minor::text, arrives_on::text, status, bank_minor::text from payouts order by 1, 2`,
        ),
        files: await rows(
          `select name, state, problem, problem_line, problem_byte::text, rows_read, lines_added, lines_known, lines_rejected from payout_files order by id`,
        ),
        rejections: await rows(
          `select line_number, code, column_name from payout_file_rejections order by file_id, line_number`,
        ),
        entries: await rows(
          `select account, amount_minor::text, booked_on::text, ordinal from bank_entries order by account, booked_on, amount_minor, ordinal`,
        ),
      };
    },
    async close() {
      await database.close();
      await owner.close();
    },
  };
}

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) {
    yield bytes.subarray(start, start + size);
  }
}

/** A database whose transactions of the sweeper's role die after so many: before the commit, or right after it. */
export function dyingAfter(database: Database, transactions: number, when: 'before' | 'after'): Database {
  let left = transactions;
  return {
    ...database,
    async withSystem(work) {
      left -= 1;
      if (left >= 0) {
        return database.withSystem(work);
      }
      if (when === 'after') {
        await database.withSystem(work);
        throw new Error('the process has died');
      }
      return database.withSystem(async (em) => {
        await work(em);
        throw new Error('the process has died');
      });
    },
  };
}
