import { daysOfImport } from '../../../core/payouts/days-of-import.ts';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { dyingAfter, openPayoutWorld, type PayoutWorld } from './payout-world.ts';

let world: PayoutWorld;
beforeEach(async () => {
  world = await openPayoutWorld();
});
afterEach(() => world.close());

const HEAD = 'payout,id,gross,fee,at,day,text';
const file = (...rows: string[]): string => [HEAD, ...rows, ''].join('\n');
const ROWS = [
  'P1,a,100.00,2.50,2026-11-01 10:00,2026-11-03,',
  'P1,b,50.00,,2026-11-01 11:00,2026-11-03,',
  ',c,10.00,,2026-11-01 12:00,2026-11-04,',
  ',d,5.00,,2026-11-01 20:30,,',
  'P1,e,not money,,2026-11-01 11:00,2026-11-03,',
  'P1,b,50.00,,2026-11-01 11:00,2026-11-03,',
  'P2,f,7.00,1.00,2026-11-02 11:00,2026-11-05,',
];

test('a file becomes lines, payouts and rejections', async () => {
  // Finance must find every row of the file again, and the sum of each payout.
  const { reference } = await world.upload(file(...ROWS));
  expect(await world.import(reference)).toEqual({
    state: 'IMPORTED',
    problem: null,
    rowsRead: 7,
    linesAdded: 6,
    linesKnown: 0,
    linesRejected: 1,
  });
  const { lines, payouts, rejections } = await world.stored();
  expect(payouts).toMatchObject([
    { gateway_reference: '2026-11-04', lines: 1, lines_minor: '1000', arrives_on: '2026-11-04', status: 'EXPECTED' },
    { gateway_reference: 'P1', lines: 3, lines_minor: '19750', arrives_on: '2026-11-03' },
    { gateway_reference: 'P2', lines: 1, lines_minor: '600', arrives_on: '2026-11-05' },
  ]);
  expect(rejections).toEqual([{ line_number: 6, code: 'BAD_AMOUNT', column_name: 'gross' }]);
  const byReference = new Map(lines.map((line) => [line['line_reference'], line]));
  // 20:30 in Dhaka is the same day there; a line without a payout has none.
  expect(byReference.get('d')).toMatchObject({ period: '2026-11-01', gateway_reference: null, file_line: 5 });
  expect(byReference.get('a')).toMatchObject({ period: '2026-11-03', gateway_reference: 'P1' });
});

test('the days of what a file has added are reconciled after it, the newest ones of a long file', async () => {
  // Differences must not wait for the next schedule, and a file of a year must not start hundreds of runs.
  const { reference } = await world.upload(
    file('D1,d1,1.00,,,2026-11-03,', 'D2,d2,1.00,,,2026-11-05,', 'D1,d1,1.00,,,2025-01-01,extra'),
  );
  await world.import(reference);
  const days = await daysOfImport(world, reference);
  expect(days).toHaveLength(31);
  expect(days.at(-1)).toEqual({ mode: 'LIVE', gateway: 'sslcommerz', period: '2026-11-05' });
  const known = await world.upload(file('D1,d1,1.00,,,2026-11-03,'), { name: 'known.csv' });
  await world.import(known.reference);
  expect(await daysOfImport(world, known.reference)).toEqual([]);
});

describe('no row twice', () => {
  test('the same bytes are one file, also sent twice at once, and another mapping makes another', async () => {
    // A proxy that retries must not import twice.
    const [one, other] = await Promise.all([
      world.upload(file(...ROWS)),
      world.upload(file(...ROWS), { name: 'b.csv' }),
    ]);
    expect(one.reference).toBe(other.reference);
    expect(one.isKnown).not.toBe(other.isKnown);
    expect(await world.rows('select state from payout_files')).toEqual([{ state: 'UPLOADED' }]);
    expect(await world.rows('select count(*)::int as chunks from payout_file_chunks')).toEqual([{ chunks: 1 }]);
  });

  test('windows that overlap add what is new, and a row that is there twice is two lines', async () => {
    // Gateways export windows of days; a row of both must count once, and two equal rows of one file twice.
    const first = await world.upload(file(...ROWS.slice(0, 6)));
    await world.import(first.reference);
    const second = await world.upload(file(...ROWS.slice(1)));
    expect(await world.import(second.reference)).toMatchObject({ linesAdded: 1, linesKnown: 4, linesRejected: 1 });
    const { lines, payouts } = await world.stored();
    expect(lines.filter((line) => line['line_reference'] === 'b').map(({ ordinal }) => ordinal)).toEqual([1, 2]);
    expect(payouts.find((payout) => payout['gateway_reference'] === 'P1')).toMatchObject({
      lines: 3,
      lines_minor: '19750',
    });
  });

  test('two files with the same lines, imported at once, store each line once', async () => {
    // Both imports insert the same keys in other orders.
    const many = Array.from({ length: 300 }, (_, index) => `P${index % 7},line-${index},1.00,,2026-11-01 10:00,,`);
    const one = await world.upload(file(...many));
    const other = await world.upload(file(...many.toReversed()));
    const outcomes = await Promise.all([
      world.import(one.reference, { rowsAtOnce: 50 }),
      world.import(other.reference, { rowsAtOnce: 70 }),
    ]);
    expect(outcomes[0].linesAdded + outcomes[1].linesAdded).toBe(300);
    const { lines, payouts } = await world.stored();
    expect(lines).toHaveLength(300);
    expect(payouts.reduce((sum, payout) => sum + Number(payout['lines']), 0)).toBe(300);
  });
});

describe('an import that dies', () => {
  test.each(['before', 'after'] as const)(
    '%s any commit goes on where it stopped, with an equal result',
    async (when) => {
      // kill -9 at any moment must neither lose nor repeat a row.
      const { reference } = await world.upload(file(...ROWS));
      await world.import(reference);
      const undisturbed = await world.stored();
      let finished = false;
      for (let transactions = 0; !finished; transactions += 1) {
        const again = await openPayoutWorld();
        try {
          const upload = await again.upload(file(...ROWS));
          finished = await again.import(upload.reference, {}, dyingAfter(again.database, transactions, when)).then(
            () => true,
            () => false,
          );
          await again.import(upload.reference);
          expect(await again.stored()).toEqual(undisturbed);
        } finally {
          await again.close();
        }
        expect(transactions).toBeLessThan(20);
      }
    },
  );

  test('does not end while another worker goes on with it', async () => {
    // Temporal may start a second worker while the first one only seems dead.
    const { reference } = await world.upload(file(...ROWS));
    const outcomes = await Promise.allSettled([world.import(reference), world.import(reference)]);
    expect(outcomes.some(({ status }) => status === 'fulfilled')).toBe(true);
    await world.import(reference);
    expect((await world.stored()).files).toMatchObject([{ rows_read: 7, lines_added: 6, lines_rejected: 1 }]);
  });
});

describe('a file that cannot be read to its end', () => {
  test('keeps the lines and the rejections that stand before the fault', async () => {
    // They are true, and whoever mends the file must not look for them. Text is decoded in pieces, so the fault stands in a later one.
    const many = Array.from(
      { length: 2_000 },
      (_, index) => `P1,${index === 7 ? 'x' : `line-${index}`},${index === 7 ? 'none' : '1.00'},,2026-11-01 10:00,,`,
    );
    const bytes = Buffer.concat([Buffer.from(file(...many)), Buffer.from([0xc3, 0x28, 0x0a])]);
    const { reference } = await world.upload(bytes);
    const outcome = await world.import(reference, { rowsAtOnce: 100_000 });
    expect(outcome).toMatchObject({ state: 'REFUSED', problem: 'BAD_ENCODING', linesRejected: 1 });
    expect(outcome.linesAdded).toBeGreaterThan(1_000);
    const { lines, rejections } = await world.stored();
    expect(lines).toHaveLength(outcome.linesAdded);
    expect(rejections).toMatchObject([{ line_number: 9, code: 'BAD_AMOUNT' }]);
  });

  test('is refused with the place', async () => {
    // The operator has to know where.
    const bytes = Buffer.concat([
      Buffer.from(file(...ROWS)),
      Buffer.from('P9,x,1.00,,,,\n'),
      Buffer.from([0xc3, 0x28, 0x0a]),
    ]);
    const { reference } = await world.upload(bytes);
    expect(await world.import(reference)).toMatchObject({ state: 'REFUSED', problem: 'BAD_ENCODING' });
    const { files } = await world.stored();
    expect(files).toMatchObject([{ state: 'REFUSED', problem: 'BAD_ENCODING' }]);
    expect(files[0]?.['problem_byte']).not.toBeNull();
  });

  test('with a broken header stores nothing', async () => {
    // A file of another format must not half fit.
    const { reference } = await world.upload('other,columns\n1,2\n');
    expect(await world.import(reference)).toMatchObject({ state: 'REFUSED', problem: 'MISSING_COLUMN', linesAdded: 0 });
  });

  test('because the sums of a payout do not fit is refused instead of being tried for ever', async () => {
    // A hostile file must not keep a worker busy.
    const huge = Array.from({ length: 1_100 }, (_, index) => `P1,h${index},90071992547409.91,,,,`);
    const { reference } = await world.upload(file(...huge));
    expect(await world.import(reference)).toMatchObject({
      state: 'REFUSED',
      problem: 'AMOUNTS_TOO_LARGE',
      linesAdded: 510,
    });
    // The difference from anything that a bank says can be recorded too.
    const [payout] = await world.rows(
      `update payouts set bank_minor = -4611686018427387903 returning (bank_minor - lines_minor)::text as residual`,
    );
    expect(payout).toEqual({ residual: expect.stringMatching(/^-9\d{18}$/) });
  });
});

describe('cancelling', () => {
  test('ends the import at the next step, and what is stored stays', async () => {
    // An operator who chose the wrong file must be able to stop it.
    const { reference } = await world.upload(file(...ROWS));
    const steps: number[] = [];
    const cancelled = new Promise<void>((resolve) => {
      void world
        .import(reference, {
          rowsAtOnce: 2,
          onProgress: (rowsRead) => steps.push(rowsRead),
        })
        .finally(resolve);
    });
    await world.cancel(reference);
    await cancelled;
    const { files, lines } = await world.stored();
    expect(files).toMatchObject([{ state: 'CANCELLED' }]);
    expect(lines).toHaveLength(Number(files[0]?.['lines_added']));
    // The same bytes may be sent again.
    const again = await world.upload(file(...ROWS));
    expect(again.isKnown).toBe(false);
    expect(await world.import(again.reference)).toMatchObject({ state: 'IMPORTED', rowsRead: 7 });
    expect((await world.stored()).lines).toHaveLength(6);
  });
});

describe('an upload', () => {
  test('that breaks off leaves nothing', async () => {
    // Half a file must never be imported.
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(1024 * 1024 + 5, 'x');
      throw new Error('the client has gone');
    }
    await expect(world.upload(broken())).rejects.toThrow('the client has gone');
    expect(await world.rows('select 1 from payout_files')).toEqual([]);
    expect(await world.rows('select 1 from payout_file_chunks')).toEqual([]);
  });

  test('without bytes, for an unknown store, with a statement format or another mapping is refused', async () => {
    // A file under the wrong store would be matched with other payments.
    await expect(world.upload('')).rejects.toMatchObject({ fields: { body: 'is empty' } });
    await expect(world.upload('x', { storeId: 'nobody' })).rejects.toMatchObject({
      fields: { storeId: expect.any(String) },
    });
    await expect(world.upload('x', { format: 'mt940' })).rejects.toMatchObject({
      fields: { format: expect.any(String) },
    });
    await expect(world.upload('x', { mappingId: 999n })).rejects.toMatchObject({
      fields: { mappingId: expect.any(String) },
    });
    await expect(world.upload('x', { format: 'xlsx' })).rejects.toMatchObject({
      fields: { mappingId: expect.any(String) },
    });
    expect(await world.rows('select 1 from payout_files')).toEqual([]);
  });

  test('is kept word for word: nobody changes or removes its bytes', async () => {
    // The evidence of what a gateway said.
    const { reference } = await world.upload(file(...ROWS));
    await expect(world.rows('delete from payout_file_chunks')).rejects.toThrow('kept as it was sent');
    await expect(world.rows(`update payout_file_chunks set bytes = 'x'`)).rejects.toThrow('append-only');
    const remove = `delete from payout_files where reference = ? returning id`;
    for (const role of ['withSystem', 'withOperator'] as const) {
      const work = (em: { execute(sql: string, values: unknown[]): Promise<unknown[]> }) =>
        em.execute(remove, [reference]);
      const gone =
        role === 'withSystem' ? world.database.withSystem(work) : world.database.withOperator('every-app', work);
      expect(await gone).toEqual([]);
    }
  });
});
