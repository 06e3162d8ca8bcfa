import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { importFile } from '../../../core/payouts/import-file.ts';
import { BUSINESS_TIME_ZONE, calendarIn } from '../../../domain/calendar.ts';
import { createLogger } from '../../../runtime/logger.ts';
import { until } from '../../support/until.ts';
import { bearer, openOperatorWorld, type Answer, type OperatorWorld } from './operator-world.ts';

let world: OperatorWorld;
const tokens: Record<string, string> = {};

const MAPPING = {
  version: 1,
  format: 'csv',
  columns: {
    payoutReference: { headings: ['payout'] },
    lineReference: { headings: ['id'] },
    net: { headings: ['net'] },
    paidOutOn: { headings: ['day'] },
    description: { headings: ['text'], optional: true },
  },
  fixed: { currency: 'BDT', kind: 'CHARGE' },
  dateOrder: 'year-first',
};
const CSV = 'payout,id,net,day,text\nPAYOUT-7001,a,100.00,2026-11-03,=1+1\nPAYOUT-7001,b,nothing,2026-11-03,\n';

beforeAll(async () => {
  world = await openOperatorWorld();
  const app = await world.api.register({ name: 'Theirs' });
  await world.addOperator({ email: 'owner@example.com' });
  await world.addOperator({ email: 'finance@example.com', role: 'Finance' });
  await world.addOperator({ email: 'viewer@example.com', role: 'Viewer' });
  await world.addOperator({ email: 'scoped@example.com', role: 'Finance', applicationId: app.applicationId });
  for (const name of ['finance', 'viewer', 'scoped']) {
    tokens[name] = await world.logIn(`${name}@example.com`);
  }
  const saved = await send('POST', '/admin/payout-mappings', { gateway: 'sslcommerz', mapping: MAPPING });
  expect(saved).toMatchObject({ status: 201, data: { version: 1, storeId: null } });
});
afterAll(() => world.close());

const send = (method: string, path: string, body?: unknown, as = 'finance'): Promise<Answer> =>
  world.send({ method, path, headers: bearer(tokens[as] ?? ''), ...(body === undefined ? {} : { body }) });

const QUERY = 'mode=LIVE&gateway=sslcommerz&storeId=teststore&format=csv&name=november.csv';
const upload = (bytes: string | Buffer, query = QUERY, type = 'text/csv'): Promise<Answer> =>
  world.send({
    method: 'POST',
    path: `/admin/payout-files?${query}`,
    headers: { ...bearer(tokens['finance'] ?? ''), 'content-type': type },
    body: Buffer.from(bytes as string),
  });

const importNow = (reference: string) =>
  importFile(
    {
      database: world.database,
      calendar: calendarIn(BUSINESS_TIME_ZONE),
      log: createLogger({ service: 'test', level: 'silent' }),
    },
    { reference },
  );

interface Uploaded {
  readonly file: { readonly reference: string; readonly sha256: string; readonly state: string };
  readonly alreadyKnown: boolean;
}

test('a file is uploaded, imported and read back word for word', async () => {
  // Finance must be able to show later what a gateway said.
  const answer = await upload(CSV);
  expect(answer).toMatchObject({ status: 201, data: { alreadyKnown: false, file: { state: 'UPLOADED' } } });
  const { file } = answer.data as Uploaded;
  expect(file.sha256).toBe(createHash('sha256').update(CSV).digest('hex'));
  expect(world.api.dispatch.imports).toContain(file.reference);
  await importNow(file.reference);
  expect((await send('GET', `/admin/payout-files/${file.reference}`, undefined, 'viewer')).data).toMatchObject({
    state: 'IMPORTED',
    rowsRead: 2,
    linesAdded: 1,
    linesRejected: 1,
  });
  expect((await send('GET', `/admin/payout-files/${file.reference}/rejections`)).data).toEqual([
    { line: 3, code: 'BAD_AMOUNT', column: 'net', reason: expect.any(String) },
  ]);
  const content = await send('GET', `/admin/payout-files/${file.reference}/content`);
  expect(content.bytes.equals(Buffer.from(CSV))).toBe(true);
  expect(content.headers).toMatchObject({
    'content-type': 'application/octet-stream',
    'content-disposition': `attachment; filename="${file.reference}.bin"`,
  });
  const audited = await world.api.sql<{ action: string }>(
    `select action from audit_logs where target_id = ? order by id`,
    [file.reference],
  );
  expect(audited.map(({ action }) => action)).toEqual(['payout-file.uploaded', 'payout-file.downloaded']);
  expect((await send('GET', '/admin/payout-files?state=IMPORTED&kind=lines')).data).toMatchObject([
    { name: 'november.csv' },
  ]);
  expect((await send('POST', `/admin/payout-files/${file.reference}/cancel`)).code).toBe('INVALID_OPERATION_STATE');
  const again = await upload(CSV, QUERY.replace('november', 'renamed'));
  expect(again).toMatchObject({ status: 200, data: { alreadyKnown: true, file: { reference: file.reference } } });
});

test('payouts show their sums, lines and what no line explains, and a person states what the bank received', async () => {
  // A payout that does not add up must say by how much.
  const [payout] = (await send('GET', '/admin/payouts?from=2026-11-03&to=2026-11-03')).data as { reference: string }[];
  const path = `/admin/payouts/${payout?.reference}`;
  expect((await send('GET', path)).data).toMatchObject({
    gatewayReference: 'PAYOUT-7001',
    linesMinor: '10000',
    bankMinor: null,
    residualMinor: null,
    status: 'EXPECTED',
    kinds: [{ kind: 'CHARGE', lines: 1, netMinor: '10000' }],
  });
  expect((await send('GET', `${path}/lines`)).data).toMatchObject([
    { lineReference: 'a', description: '=1+1', ordinal: 1 },
  ]);
  const body = { amountMinor: 9_900, arrivedOn: '2026-11-04', reason: 'Seen in the account' };
  expect((await send('POST', `${path}/bank-amount`, body, 'viewer')).code).toBe('FORBIDDEN');
  expect((await send('POST', `${path}/bank-amount`, { ...body, arrivedOn: '2026-02-30' })).status).toBe(400);
  expect((await send('POST', `${path}/bank-amount`, { ...body, amountMinor: 1e15 + 1 })).status).toBe(400);
  expect((await send('POST', `${path}/bank-amount`, body)).data).toMatchObject({
    bankMinor: '9900',
    residualMinor: '-100',
    status: 'PAID',
    arrivesOn: '2026-11-04',
  });
});

test('a bank statement assigns an entry that names a payout, and offers one of the same amount', async () => {
  // An amount alone must never decide, and a reference counts only as a whole.
  const entry = (credit: string, text: string): string => `:61:2611041104C${credit}NTRFNONREF\r\n:86:${text}\r\n`;
  const csv = ['payout,id,net,day', 'PAYOUT-8001,n1,60.00,2026-11-03', 'PAYOUT-8002,n2,44.00,2026-11-03', ''].join(
    '\n',
  );
  await importNow(((await upload(csv)).data as Uploaded).file.reference);
  const statement = [
    ':20:STMT1\r\n:25:BD0001\r\n:28C:1/1\r\n:60F:C261103BDT0,00\r\n',
    entry('25,00', 'SETTLEMENT payout-8001 PART 1'),
    entry('35,00', 'SETTLEMENT PAYOUT-8001 PART 2'),
    entry('44,00', 'SETTLEMENT PAYOUT-80021'),
    entry('9,00', 'PAYOUT-8001 AND PAYOUT-8002'),
    ':62F:C261104BDT113,00\r\n',
  ].join('');
  const uploaded = await upload(
    statement,
    'mode=LIVE&kind=statement&format=mt940&name=bank.sta',
    'application/octet-stream',
  );
  expect(uploaded.status).toBe(201);
  const { reference } = (uploaded.data as Uploaded).file;
  expect(await importNow(reference)).toMatchObject({ state: 'IMPORTED', linesAdded: 4 });
  const payouts = (await send('GET', '/admin/payouts?status=PAID')).data as { gatewayReference: string }[];
  expect(payouts.find(({ gatewayReference }) => gatewayReference === 'PAYOUT-8001')).toMatchObject({
    bankMinor: '6000',
    residualMinor: '0',
  });
  const entries = (await send('GET', '/admin/bank-entries?matched=false')).data as { amountMinor: number }[];
  expect(entries.toSorted((a, b) => a.amountMinor - b.amountMinor)).toMatchObject([
    { amountMinor: 900, payout: null, candidates: [] },
    { amountMinor: 4_400, payout: null, candidates: [expect.stringMatching(/^po_/)] },
  ]);
  const named = (await send('GET', '/admin/bank-entries?matched=true')).data as { payout: string }[];
  const body = { amountMinor: 1, arrivedOn: '2026-11-04', reason: 'no' };
  expect((await send('POST', `/admin/payouts/${named[0]?.payout}/bank-amount`, body)).code).toBe(
    'INVALID_OPERATION_STATE',
  );
});

test('a payout that is named only by its day is offered for an entry of its amount, and no entry is assigned to it', async () => {
  // A day stands in the text of any entry.
  const lines = await upload('payout,id,net,day\n,q1,77.00,2026-10-05\n');
  await importNow((lines.data as Uploaded).file.reference);
  const text = `:20:S\r\n:25:BD0003\r\n:28C:1/1\r\n:60F:C261006BDT0,00\r\n:61:261006C77,00NTRFNONREF\r\n:86:PAYOUT 2026-10-05\r\n:62F:C261006BDT77,00\r\n`;
  const statement = await upload(text, 'mode=LIVE&kind=statement&format=mt940&name=b.sta', 'application/octet-stream');
  await importNow((statement.data as Uploaded).file.reference);
  const payouts = (await send('GET', '/admin/payouts?to=2026-10-05')).data as { reference: string }[];
  expect(payouts).toMatchObject([{ gatewayReference: '2026-10-05', bankMinor: null }]);
  const entries = await send('GET', '/admin/bank-entries?matched=false&account=BD0003');
  expect(entries.data).toMatchObject([{ amountMinor: 7_700, payout: null, candidates: [payouts[0]?.reference] }]);
});

test('a bank statement that does not go on where the last one ended is imported, and says so', async () => {
  const query = 'mode=LIVE&kind=statement&format=mt940&name=bank.sta';
  const shown: unknown[] = [];
  for (const [day, opening, closing] of [
    ['261203', '100,00', '100,00'],
    ['261204', '90,00', '90,00'],
  ] as const) {
    const text = `:20:S\r\n:25:BD0002\r\n:28C:1/1\r\n:60F:C${day}BDT${opening}\r\n:62F:C${day}BDT${closing}\r\n`;
    const { reference } = ((await upload(text, query, 'application/octet-stream')).data as Uploaded).file;
    await importNow(reference);
    shown.push((await send('GET', `/admin/payout-files/${reference}`)).data);
  }
  const warning = {
    code: 'BALANCE_GAP',
    account: 'BD0002',
    reason: expect.stringContaining(
      'opens at 90.00 BDT on 2026-12-04, but the one before it closed at 100.00 BDT on 2026-12-03',
    ),
  };
  expect(shown).toMatchObject([
    { state: 'IMPORTED', warnings: [] },
    { state: 'IMPORTED', warnings: [warning] },
  ]);
  const list = await send('GET', '/admin/payout-files?kind=statement');
  expect((list.data as unknown[])[0]).toMatchObject({ warnings: [warning] });
});

describe('a preview', () => {
  const preview = (query: string, bytes: string | Buffer = CSV): Promise<Answer> =>
    world.send({
      method: 'POST',
      path: `/admin/payout-mappings/preview?${query}`,
      headers: { ...bearer(tokens['finance'] ?? ''), 'content-type': 'text/csv' },
      body: Buffer.from(bytes as string),
    });

  test('shows lines, rejections and headings, and stores nothing', async () => {
    // Finance must see what a mapping does before any row counts.
    const files = await world.api.sql('select id from payout_files');
    const answer = await preview(`mapping=${encodeURIComponent(JSON.stringify(MAPPING))}`);
    expect(answer.data).toMatchObject({
      headings: ['payout', 'id', 'net', 'day', 'text'],
      lines: [{ line: 2, netMinor: 10_000, paidOutOn: '2026-11-03' }],
      rejections: [{ line: 3, code: 'BAD_AMOUNT', column: 'net' }],
      problem: null,
      fitting: [],
    });
    expect(await world.api.sql('select id from payout_files')).toHaveLength(files.length);
  });

  test('says which shipped mapping has the columns of the file', async () => {
    // An operator need not know what a gateway calls its export.
    const csv = 'transactionID,cr_amount,tran_date,sett_date\nx,10.00,2026-11-01,2026-11-02\n';
    expect((await preview('shipped=bkash', csv)).data).toMatchObject({
      lines: [],
      problem: { code: 'MISSING_COLUMN' },
      fitting: ['sslcommerz'],
    });
  });

  test.each([
    ['', 'mapping'],
    ['shipped=stripe&mappingId=1', 'mapping'],
    ['mapping=%7B', 'mapping'],
    [`mapping=${encodeURIComponent('{"version":1,"format":"pdf"}')}`, 'mapping.format'],
  ])('with %j names the field that is wrong', async (query, field) => {
    // Otherwise people search for a mistake in the file.
    const answer = await preview(query);
    expect(answer).toMatchObject({ status: 400, code: 'VALIDATION_ERROR' });
    expect(answer.text).toContain(`"${field}"`);
  });

  test('of too many bytes, or of a mapping that is not saved, is refused', async () => {
    // A preview is held in memory.
    expect((await preview('shipped=stripe', Buffer.alloc(1024 * 1024 + 1, 'x'))).code).toBe('PAYLOAD_TOO_LARGE');
    expect((await preview('mappingId=999')).code).toBe('RESOURCE_NOT_FOUND');
  });
});

describe('a hostile upload', () => {
  test.each([
    ['no bytes', '', QUERY, 'text/csv', 'VALIDATION_ERROR'],
    ['JSON', '{}', QUERY, 'application/json', 'UNSUPPORTED_MEDIA_TYPE'],
    ['no type', 'x', QUERY, '', 'UNSUPPORTED_MEDIA_TYPE'],
    ['an unknown gateway', 'x', QUERY.replace('sslcommerz', 'paypal'), 'text/csv', 'VALIDATION_ERROR'],
    ['an unknown store', 'x', QUERY.replace('teststore', 'other'), 'text/csv', 'VALIDATION_ERROR'],
    ['an unknown parameter', 'x', `${QUERY}&colour=red`, 'text/csv', 'VALIDATION_ERROR'],
    ['NUL in the name', 'x', QUERY.replace('november', 'a%00b'), 'text/csv', 'VALIDATION_ERROR'],
    [
      'a statement of a store',
      'x',
      QUERY.replace('format=csv', 'format=mt940&kind=statement'),
      'text/csv',
      'VALIDATION_ERROR',
    ],
    [
      'a statement that is too large',
      Buffer.alloc(16 * 1024 * 1024 + 1, ' '),
      'mode=LIVE&kind=statement&format=mt940&name=x',
      'text/plain',
      'PAYLOAD_TOO_LARGE',
    ],
  ])('with %s is refused and leaves nothing', async (_what, bytes, query, type, code) => {
    // Whatever comes must neither stay nor be imported.
    const count = async () => (await world.api.sql('select id from payout_files')).length;
    const before = await count();
    const answer = await upload(bytes, query, type);
    expect(answer.code).toBe(code);
    expect(await count()).toBe(before);
  });

  test('that breaks off leaves no half file', async () => {
    // A client that dies in the middle must not leave rows that look like a file.
    const { port } = new URL(world.origin);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write(
      `POST /api/v1/admin/payout-files?${QUERY} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${tokens['finance']}\r\nContent-Type: text/csv\r\nContent-Length: 5000000\r\n\r\n`,
    );
    socket.write(Buffer.alloc(2_500_000, 'x'));
    await until(async () => (await world.api.sql(`select number from payout_file_chunks where number = 1`)).length > 0);
    socket.destroy();
    await until(
      async () => (await world.api.sql(`select id from payout_files where state = 'UPLOADING'`)).length === 0,
    );
    expect(await world.api.sql(`select number from payout_file_chunks where number = 1`)).toEqual([]);
  });

  test('of NUL, of a broken character or of a huge cell is refused or rejected with its place', async () => {
    // Encodings are refused, never guessed.
    const told = async (bytes: Buffer) => importNow(((await upload(bytes)).data as Uploaded).file.reference);
    expect(await told(Buffer.from(`${CSV}PAYOUT-1\0\n`))).toMatchObject({ state: 'REFUSED', problem: 'BAD_ENCODING' });
    expect(await told(Buffer.from([0xff, 0xfe, 0x00, 0xd8, 0x0a, 0x00]))).toMatchObject({ problem: 'BAD_ENCODING' });
    expect(await told(Buffer.from(`${CSV}P,c,1.00,2026-11-03,${'x'.repeat(5_000)}\n`))).toMatchObject({
      state: 'IMPORTED',
      linesRejected: 2,
    });
  });
});

test('operators of one application see neither files, payouts, entries nor mappings', async () => {
  // Files belong to whole stores, so they hold other applications' payments.
  for (const path of ['/admin/payout-files', '/admin/payouts', '/admin/bank-entries', '/admin/payout-mappings']) {
    expect((await send('GET', path, undefined, 'scoped')).code).toBe('FORBIDDEN');
  }
});

test('a mapping that contradicts itself is refused with the field', async () => {
  // A mapping decides what every amount means.
  const mapping = { ...MAPPING, fixed: { currency: 'BDT' } };
  const answer = await send('POST', '/admin/payout-mappings', { gateway: 'sslcommerz', mapping });
  expect(answer).toMatchObject({ status: 400, code: 'VALIDATION_ERROR' });
  const shipped = await send('GET', '/admin/payout-mappings/shipped');
  expect((shipped.data as { name: string }[]).map(({ name }) => name)).toEqual([
    'sslcommerz',
    'bkash',
    'nagad',
    'stripe',
    'bank',
  ]);
  const next = await send('POST', '/admin/payout-mappings', {
    gateway: 'sslcommerz',
    storeId: 'teststore',
    mapping: MAPPING,
  });
  expect(next.data).toMatchObject({ version: 1, storeId: 'teststore' });
  expect((await send('GET', '/admin/payout-mappings?gateway=sslcommerz')).data).toMatchObject([
    { storeId: 'teststore' },
    { storeId: null },
  ]);
});
