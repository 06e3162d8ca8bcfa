import { describe, expect, test } from '@jest/globals';
import { readMt940 } from '../../../../core/payouts/files/mt940.ts';
import { inChunks } from './bytes.ts';

const WRAPPED = 'SSLCOMMERZ PAYOUT '.padEnd(63, 'X');

const GOOD = `:20:STMT1
:25:BD01/123
:28C:00001/001
:60F:C261123BDT1000,00
:61:2611241124C1250,50NTRFPO-7//BANK-1
Extra details
:86:${WRAPPED}PO
-7 AND
MORE
:61:261124D50,NCHGNONREF
:86:FEE
:61:2601021231RD10,NTRFREV1
:61:261124RCR5,25S202NONREF//B2
:62F:C261124BDT2205,25
:64:C261124BDT2205,25
:86:END OF STATEMENT
`;

const read = (text: string, limits?: { fileBytes: number; entries: number }) =>
  readMt940(inChunks(text.replaceAll('\n', '\r\n'), 20), limits);

describe('an MT940 file', () => {
  test('becomes statements with signed entries', async () => {
    const account = { account: 'BD01/123', currency: 'BDT' };
    expect(await read(GOOD)).toEqual([
      {
        ...account,
        statementReference: 'STMT1',
        openingMinor: 100_000n,
        openedOn: '2026-11-23',
        closingMinor: 220_525n,
        closedOn: '2026-11-24',
        entries: [
          {
            ...account,
            amountMinor: 125_050n,
            bookedOn: '2026-11-24',
            valueOn: '2026-11-24',
            bankReference: 'BANK-1',
            remittance: `PO-7 Extra details ${WRAPPED}PO-7 AND MORE`,
          },
          {
            ...account,
            amountMinor: -5_000n,
            bookedOn: '2026-11-24',
            valueOn: '2026-11-24',
            bankReference: null,
            remittance: 'FEE',
          },
          {
            ...account,
            amountMinor: 1_000n,
            bookedOn: '2025-12-31',
            valueOn: '2026-01-02',
            bankReference: null,
            remittance: 'REV1',
          },
          {
            ...account,
            amountMinor: -525n,
            bookedOn: '2026-11-24',
            valueOn: '2026-11-24',
            bankReference: 'B2',
            remittance: null,
          },
        ],
      },
    ]);
  });

  test('may stand in its envelope, several times, by pages', async () => {
    const page = GOOD.replace(':60F:', ':60M:').replace(':62F:', ':62M:');
    const wrapped = `{1:F01BANK}{2:O940}{4:\n${GOOD}-}\n{1:F01BANK}{2:O940}{4:\n${page}-}{5:{CHK:1}}\n`;
    const statements = await read(wrapped);
    expect(statements).toHaveLength(2);
    expect(statements[1]).toEqual(statements[0]);
    expect(statements[0]?.entries).toEqual((await read(GOOD))[0]?.entries);
  });

  test.each<[string, string, string, string]>([
    ['lost an entry', ':61:261124D50,NCHGNONREF\n:86:FEE\n', '', 'BALANCE_DIFFERS'],
    ['has no opening balance', ':60F:C261123BDT1000,00\n', '', 'BAD_STATEMENT'],
    ['has no account', ':25:BD01/123\n', '', 'BAD_STATEMENT'],
    ['has no closing balance', ':62F:C261124BDT2205,25\n', '', 'BALANCE_MISSING'],
    ['begins in the middle', ':20:STMT1\n', '', 'BAD_STATEMENT'],
    ['closes in another currency', ':62F:C261124BDT', ':62F:C261124USD', 'BAD_STATEMENT'],
    ['has a currency of nobody', 'BDT1000,00', 'XXX1000,00', 'BAD_STATEMENT'],
    ['has a decimal point', 'BDT1000,00', 'BDT1000.00', 'BAD_STATEMENT'],
    ['is too precise', 'D50,N', 'D50,001N', 'BAD_STATEMENT'],
    ['has a negative amount', 'D50,N', 'D-50,N', 'BAD_STATEMENT'],
    ['has an unknown mark', '261124D50,', '261124X50,', 'BAD_STATEMENT'],
    ['has an impossible date', ':61:261124D', ':61:260230D', 'BAD_STATEMENT'],
    ['has an impossible booking date', ':61:2611241124C', ':61:2611241331C', 'BAD_STATEMENT'],
    ['begins with something else', ':20:STMT1', 'hello\n:20:STMT1', 'BAD_STATEMENT'],
  ])('that %s is refused', async (_, from, to, problem) => {
    // A statement that is half understood would show a payout as missing.
    await expect(read(GOOD.replace(from, to))).rejects.toMatchObject({ name: 'UnreadableFile', problem });
  });

  test('is refused with the line that is to blame', async () => {
    await expect(read(GOOD.replace('D50,N', 'D50N'))).rejects.toMatchObject({ lineNumber: 10 });
    await expect(read('')).rejects.toMatchObject({ problem: 'BAD_STATEMENT' });
  });

  test('is refused if it is too large or has too many entries', async () => {
    await expect(read(GOOD, { fileBytes: 100, entries: 9 })).rejects.toMatchObject({ problem: 'TOO_LARGE' });
    await expect(read(GOOD, { fileBytes: 10_000, entries: 3 })).rejects.toMatchObject({ problem: 'TOO_MANY_LINES' });
  });
});
