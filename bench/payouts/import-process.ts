import pg from 'pg';
import { pino } from 'pino';
import { importFile } from '../../core/payouts/import-file.ts';
import { saveNewMapping } from '../../core/payouts/save-mapping.ts';
import { uploadFile } from '../../core/payouts/upload-file.ts';
import { openDatabase } from '../../database/connection.ts';
import { BUSINESS_TIME_ZONE, calendarIn } from '../../domain/calendar.ts';
import { PayoutMapping } from '../../domain/payouts/mapping.ts';
import type { ImportOrder, Imported } from './order.ts';
import { MAPPING, payoutCsv } from './payout-csv.ts';

// A process of its own, whose memory is that of one worker that imports.
const { databaseUrl, lines } = JSON.parse(process.argv[2] ?? '') as ImportOrder;
const database = await openDatabase({ url: databaseUrl, poolSize: 4 });
const operatorId = await addOperator();
const caller = {
  view: 'every-app' as const,
  actor: { type: 'USER' as const, id: operatorId, name: 'bench' },
  operator: { id: operatorId },
};
const deps = {
  database,
  gateways: { names: ['sslcommerz'], defaultStoreId: () => 'teststore' } as never,
  dispatch: { startPayoutImport: () => Promise.resolve() },
  log: pino({ level: 'silent' }),
  calendar: calendarIn(BUSINESS_TIME_ZONE),
};
await saveNewMapping(deps, caller, {
  gateway: 'sslcommerz',
  storeId: null,
  mapping: PayoutMapping.parse(MAPPING),
});

const uploaded = await timed(() => upload('settlement.csv'));
const imported = await timed(() => importFile(deps, { reference: uploaded.result }));
const outcome: Imported = {
  uploadMs: uploaded.ms,
  importMs: imported.ms,
  maxResidentBytes: process.resourceUsage().maxRSS * 1024,
  linesAdded: imported.result.linesAdded,
};
console.log(JSON.stringify(outcome));
await database.close();

async function upload(name: string): Promise<string> {
  const given = { mode: 'LIVE', kind: 'lines', format: 'csv', gateway: 'sslcommerz', storeId: 'teststore' } as const;
  const { file } = await uploadFile({ ...deps, dispatch: deps.dispatch as never }, caller, {
    upload: { ...given, applicationId: null, name, mappingId: null },
    bytes: pieces(),
  });
  return file.reference;
}

async function* pieces(): AsyncGenerator<Uint8Array> {
  yield* payoutCsv({ lines });
}

async function addOperator(): Promise<bigint> {
  const client = new pg.Client({ connectionString: databaseUrl });
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
