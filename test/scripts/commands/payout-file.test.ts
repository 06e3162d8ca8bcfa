import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

const COMMAND = resolve(import.meta.dirname, '../../../scripts/commands/payout-file.ts');

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'lenden-payout-file-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function show(content: string, ...options: readonly string[]): Promise<Outcome> {
  const file = join(directory, 'payout.csv');
  writeFileSync(file, content);
  return new Promise((settle) => {
    execFile(process.execPath, [COMMAND, file, ...options], (error, stdout, stderr) => {
      settle({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

const SETTLEMENT = [
  'transactionID,sett_date,tran_date,cr_amount',
  'Zk3TtQ0aXw7LrVb2mNs8,2026-11-23,2026-11-21 10:00:00,97.50',
  '1.2E+10,2026-11-23,2026-11-21 10:01:00,10.00',
  'Yk3TtQ0aXw7LrVb2mNs8,2026-11-23,2026-11-21 10:02:00,"1,00,000.00"',
].join('\r\n');

describe('npm run payout-file', () => {
  test('adds up the lines, and names each one that it cannot read', async () => {
    // Operators compare the sums with the bank's amount, so a line must not vanish from them in silence.
    const { code, stdout } = await show(SETTLEMENT, '--mapping', 'sslcommerz');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^line 3: MANGLED_ID in transactionID: /m);
    expect(stdout).toContain('CHARGE     2 lines, gross 100097.50, fee 0.00, tax 0.00, net 100097.50 BDT');
    expect(stdout).toContain('1 lines rejected');
  });

  test('prints each line of the file as JSON, in order', async () => {
    const { stdout } = await show(SETTLEMENT, '--mapping', 'sslcommerz', '--json');
    const lines = stdout.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { lineNumber: 2, kind: 'line', line: { attemptReference: 'Zk3TtQ0aXw7LrVb2mNs8', netMinor: '9750' } },
      { lineNumber: 3, kind: 'rejected', rejection: { code: 'MANGLED_ID' } },
      { lineNumber: 4, kind: 'line', line: { netMinor: '10000000' } },
    ]);
  });

  test('says in plain words that there is no such file', async () => {
    const outcome = await new Promise<Outcome>((settle) => {
      execFile(process.execPath, [COMMAND, 'missing.csv', '--mapping', 'sslcommerz'], (error, stdout, stderr) => {
        settle({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
      });
    });
    expect(outcome).toEqual({ code: 2, stdout: '', stderr: 'There is no file missing.csv\n' });
  });

  test('refuses a file that it cannot read as a whole, and says where', async () => {
    expect(await show('a,b\r\n1,2', '--mapping', 'sslcommerz')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^MISSING_COLUMN/),
    });
    expect(await show(':20:X\r\n:25:1\r\n', '--statement', 'mt940')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^(BAD_STATEMENT|BALANCE_MISSING)/),
    });
    expect(await show(SETTLEMENT, '--mapping', 'unknown')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('There is no mapping unknown.'),
    });
  });

  test('shows a bank statement whose balances agree with its entries', async () => {
    const statement = [
      ':20:ST1',
      ':25:0123456789',
      ':28C:1/1',
      ':60F:C261123BDT100,00',
      ':61:2611231123C50,00NTRFREF1',
      ':62F:C261123BDT150,00',
    ].join('\r\n');
    expect(await show(statement, '--statement', 'mt940')).toMatchObject({
      code: 0,
      stdout: 'statement ST1 of 0123456789: 1 entries, 100.00 to 150.00 BDT\n',
    });
  });
});
