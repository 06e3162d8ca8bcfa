import pg from 'pg';
import { pino } from 'pino';
import { importFile } from '../../core/payouts/import-file.ts';
import { saveNewMapping } from '../../core/payouts/save-mapping.ts';
import { uploadFile } from '../../core/payouts/upload-file.ts';
import { openDatabase } from '../../database/connection.ts';
import { BUSINESS_TIME_ZONE, calendarIn } from '../../domain/calendar.ts';
import { PayoutMapping } from '../../domain/payouts/mapping.ts';
import type { Imported, ImportOrder, Uploaded } from './order.ts';
import { MAPPING, payoutCsv } from './payout-csv.ts';

// A process of its own, whose memory is that of one api that takes a file, or of one worker that imports it.
const order = JSON.parse(process.argv[2] ?? '') as ImportOrder;
const database = await openDatabase({ url: order.databaseUrl, poolSize: 4 });
const deps = {
  database,
  gateways: { names: ['sslcommerz'], defaultStoreId: () => 'teststore' } as never,
  dispatch: { startPayoutImport: () => Promise.resolve() },
  log: pino({ level: 'silent' }),
  calendar: calendarIn(BUSINESS_TIME_ZONE),
};
console.log(
  JSON.stringify('upload' in order ? await upload(order.upload.lines) : await importOf(order.import.reference)),
);
await database.close();

async function upload(lines: number): Promise<Uploaded> {
  const operatorId = await addOperator();
  const caller = {
    view: 'every-app' as const,
    actor: { type: 'USER' as const, id: operatorId, name: 'bench' },
    operator: { id: operatorId },
  };
  await saveNewMapping(deps, caller, {
    gateway: 'sslcommerz',
    storeId: null,
    mapping: PayoutMapping.parse(MAPPING),
  });
  const given = { mode: 'LIVE', kind: 'lines', format: 'csv', gateway: 'sslcommerz', storeId: 'teststore' } as const;
  const { result, ms } = await timed(() =>
    uploadFile({ ...deps, dispatch: deps.dispatch as never }, caller, {
      upload: { ...given, applicationId: null, name: 'settlement.csv', mappingId: null },
      bytes: pieces(lines),
    }),
  );
  return { reference: result.file.reference, ms, maxResidentBytes: maxResidentBytes() };
}

async function importOf(reference: string): Promise<Imported> {
  const { result, ms } = await timed(() => importFile(deps, { reference }));
  return { linesAdded: result.linesAdded, ms, maxResidentBytes: maxResidentBytes() };
}

function maxResidentBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}

async function* pieces(lines: number): AsyncGenerator<Uint8Array> {
  yield* payoutCsv({ lines });
}

async function addOperator(): Promise<bigint> {
  const client = new pg.Client({ connectionString: order.databaseUrl });
  await client.connect();
  const { rows: added } = await client.query<{ id: string }>(
    `insert into operators (email, name, password_hash) values ('bench@example.com', 'Bench', 'x') returning id`,
  );
  await client.end();
  return BigInt(added[0]?.id ?? 0);
}

async function timed<T>(work: () => Promise<T>): Promise<{ result: T; ms: number }> {
  const started = performance.now();
  const result = await work();
  return { result, ms: performance.now() - started };
}
