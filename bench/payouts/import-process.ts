import pg from 'pg';
import { pino } from 'pino';
import { importFile } from '../../core/payouts/import-file.ts';
import { saveNewMapping } from '../../core/payouts/save-mapping.ts';
import { uploadFile } from '../../core/payouts/upload-file.ts';
import { openDatabase } from '../../database/connection.ts';
import { BUSINESS_TIME_ZONE, calendarIn } from '../../domain/calendar.ts';
import { PayoutMapping } from '../../domain/payouts/mapping.ts';
import { registryOf } from '../../test/support/gateways.ts';
import type { ImportOrder, Imported } from './order.ts';

const LINES_OF_PIECE = 1_000;
const PAYOUTS = 100;

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
  gateways: registryOf(),
  dispatch: { startPayoutImport: () => Promise.resolve() },
  log: pino({ level: 'silent' }),
  calendar: calendarIn(BUSINESS_TIME_ZONE),
};
await saveNewMapping(deps, caller, {
  gateway: 'sslcommerz',
  storeId: null,
  mapping: PayoutMapping.parse({
    version: 1,
    format: 'csv',
    columns: {
      payoutReference: { headings: ['payout'] },
      attemptReference: { headings: ['attempt'] },
      gatewayTxnId: { headings: ['txn'] },
      gross: { headings: ['gross'] },
      fee: { headings: ['fee'] },
      net: { headings: ['net'] },
      occurredAt: { headings: ['at'] },
      paidOutOn: { headings: ['day'] },
    },
    fixed: { currency: 'BDT', kind: 'CHARGE' },
    dateOrder: 'year-first',
  }),
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
    bytes: rows(),
  });
  return file.reference;
}

async function* rows(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('payout,attempt,txn,gross,fee,net,at,day\n');
  for (let first = 0; first < lines; first += LINES_OF_PIECE) {
    const count = Math.min(LINES_OF_PIECE, lines - first);
    yield Buffer.from(Array.from({ length: count }, (_, index) => row(first + index)).join(''));
  }
}

function row(number: number): string {
  const name = number.toString(36).padStart(20, 'A');
  const at = new Date(Date.UTC(2026, 9, 1) + number * 1_000).toISOString().slice(0, 19).replace('T', ' ');
  const payout = `SETTLE-${1_000 + (number % PAYOUTS)}`;
  return `${payout},${name},TXN${name},${100 + (number % 900)}.00,2.50,${97 + (number % 900)}.50,${at},2026-11-03\n`;
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
