import { describe, expect, test } from '@jest/globals';
import { readCamt053 } from '../../../../core/payouts/files/camt053.ts';
import { inChunks } from './bytes.ts';

const HEAD = '<?xml version="1.0" encoding="UTF-8"?>';

function balance(type: string, amount: string, indicator = 'CRDT'): string {
  return `<Bal><Tp><CdOrPrtry><Cd>${type}</Cd></CdOrPrtry></Tp><Amt Ccy="BDT">${amount}</Amt><CdtDbtInd>${indicator}</CdtDbtInd><Dt><Dt>2026-11-24</Dt></Dt></Bal>`;
}

const CREDIT = `<Ntry><NtryRef>1</NtryRef><Amt Ccy="BDT">1250.50</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
  <BookgDt><Dt>2026-11-24</Dt></BookgDt><ValDt><DtTm>2026-11-25T00:00:00+06:00</DtTm></ValDt><AcctSvcrRef>BANK-1</AcctSvcrRef>
  <NtryDtls>
    <TxDtls><Refs><EndToEndId>PO-7</EndToEndId></Refs><RmtInf><Ustrd>SSLCOMMERZ &amp; Co</Ustrd><Ustrd><![CDATA[payout <7>]]></Ustrd></RmtInf></TxDtls>
    <TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs><RmtInf><Ustrd>&#2476;&#x1F600;</Ustrd></RmtInf></TxDtls>
  </NtryDtls></Ntry>`;
const DEBIT = `<Ntry><Amt Ccy="BDT">50</Amt><CdtDbtInd>DBIT</CdtDbtInd><RvslInd>true</RvslInd><Sts>BOOK</Sts>
  <BookgDt><DtTm>2026-11-24T12:00:00</DtTm></BookgDt></Ntry>`;
const PENDING = CREDIT.replace('BOOK', 'PDNG');

function statement(...parts: string[]): string {
  return `<Stmt><Id>S1</Id><Acct><Id><IBAN>BD01</IBAN></Id><Ccy>BDT</Ccy></Acct>${parts.join('\n')}</Stmt>`;
}

function document(...statements: string[]): string {
  const root = '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">';
  return `${HEAD}\n${root}<BkToCstmrStmt><GrpHdr/>${statements.join('')}</BkToCstmrStmt></Document>`;
}

const GOOD = statement(balance('OPBD', '100.00', 'DBIT'), balance('CLBD', '1100.50'), CREDIT, DEBIT, PENDING);

const read = (xml: string | Uint8Array, limits?: { fileBytes: number; entries: number }) =>
  readCamt053(inChunks(xml, 50), limits);

describe('a camt.053 file', () => {
  test('becomes statements with their booked entries', async () => {
    expect(await read(document(GOOD))).toEqual([
      {
        statementReference: 'S1',
        account: 'BD01',
        currency: 'BDT',
        openingMinor: -10_000n,
        openedOn: '2026-11-24',
        closingMinor: 110_050n,
        closedOn: '2026-11-24',
        entries: [
          {
            account: 'BD01',
            currency: 'BDT',
            amountMinor: 125_050n,
            bookedOn: '2026-11-24',
            valueOn: '2026-11-25',
            bankReference: 'BANK-1',
            remittance: 'SSLCOMMERZ & Co payout <7> ব😀 PO-7',
          },
          {
            account: 'BD01',
            currency: 'BDT',
            amountMinor: -5_000n,
            bookedOn: '2026-11-24',
            valueOn: null,
            bankReference: null,
            remittance: null,
          },
        ],
      },
    ]);
  });

  test('may have several statements, prefixed names and UTF-16', async () => {
    const xml = document(GOOD, statement(balance('PRCD', '5'), balance('CLBD', '5')));
    const prefixed = xml.replaceAll(/<(\/?)(?=[A-Z])/g, '<$1ns:').replace('xmlns=', 'xmlns:ns=');
    const utf16 = Buffer.from(`\uFEFF${prefixed.replace('UTF-8', 'UTF-16')}`, 'utf16le');
    const statements = await read(utf16);
    expect(statements.map(({ entries }) => entries.length)).toEqual([2, 0]);
    expect(statements).toEqual(await read(xml));
  });

  const bal = [balance('OPBD', '0'), balance('CLBD', '0')];

  test.each<[string, string, string]>([
    ['lost an entry', document(GOOD.replace(DEBIT, '')), 'BALANCE_DIFFERS'],
    ['counts a pending entry', document(GOOD.replace('PDNG', 'BOOK')), 'BALANCE_DIFFERS'],
    ['has no opening balance', document(statement(balance('CLBD', '0'))), 'BALANCE_MISSING'],
    ['has no closing balance', document(statement(balance('OPBD', '0'))), 'BALANCE_MISSING'],
    ['has two closing balances', document(statement(...bal, balance('CLBD', '0'))), 'BALANCE_MISSING'],
    ['has another currency', document(GOOD.replace('"BDT">50', '"USD">50')), 'BAD_STATEMENT'],
    ['has a currency of nobody', document(GOOD.replaceAll('"BDT"', '"XXX"')), 'BAD_STATEMENT'],
    ['is too precise', document(GOOD.replace('>50<', '>50.001<')), 'BAD_STATEMENT'],
    ['has more than can be recorded', document(GOOD.replace('>50<', '>90071992547409.92<')), 'BAD_STATEMENT'],
    ['has a signed amount', document(GOOD.replace('>50<', '>-50<')), 'BAD_STATEMENT'],
    ['has no direction', document(GOOD.replace('DBIT</CdtDbtInd><Rv', 'X</CdtDbtInd><Rv')), 'BAD_STATEMENT'],
    ['has an impossible date', document(GOOD.replace('2026-11-24T12', '2026-02-30T12')), 'BAD_STATEMENT'],
    ['has no date', document(GOOD.replace(/<BookgDt><DtTm>.*<\/BookgDt>/, '')), 'BAD_STATEMENT'],
    ['has no account', document(GOOD.replace('<IBAN>BD01</IBAN>', '')), 'BAD_STATEMENT'],
    ['is another message', document(GOOD).replaceAll('BkToCstmrStmt', 'BkToCstmrAcctRpt'), 'BAD_STATEMENT'],
    ['breaks off', document(GOOD).slice(0, -30), 'BAD_STATEMENT'],
    ['is not XML', 'id,amount', 'BAD_STATEMENT'],
    ['is empty', '', 'BAD_STATEMENT'],
    ['closes another element', document('<Stmt></Smt>'), 'BAD_STATEMENT'],
    ['is nested too deeply', document('<a>'.repeat(40) + '</a>'.repeat(40)), 'BAD_STATEMENT'],
    ['says a currency twice', document(GOOD.replace('Ccy="BDT">50', 'Ccy="BDT" Ccy="USD">50')), 'BAD_STATEMENT'],
    ['declares another encoding', document(GOOD).replace('UTF-8', 'ISO-8859-1'), 'BAD_ENCODING'],
  ])('that %s is refused', async (_, xml, problem) => {
    // Entries of a statement that does not add up would be taken for all there is.
    await expect(read(xml)).rejects.toMatchObject({ name: 'UnreadableFile', problem });
  });

  const laughs = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>';

  test.each([
    ['a document type', document(GOOD).replace(HEAD, `${HEAD}<!DOCTYPE Document SYSTEM "file:///etc/passwd">`)],
    ['entities', document(GOOD).replace(HEAD, HEAD + laughs)],
    ['a declaration inside', document(GOOD).replace('<GrpHdr/>', '<!ENTITY a "b">')],
    ['an entity in a text', document(GOOD).replace('&amp;', '&a;')],
    ['the name of a property as an entity', document(GOOD).replace('&amp;', '&toString;')],
    ['an entity in an attribute', document(GOOD).replace('Ccy="BDT">50', 'Ccy="&a;">50')],
    ['a bare ampersand', document(GOOD).replace('&amp;', '&')],
    ['a NUL by its number', document(GOOD).replace('&amp;', '&#0;')],
    ['half a character by its number', document(GOOD).replace('&amp;', '&#xD800;')],
    ['a number of no character', document(GOOD).replace('&amp;', '&#x110000;')],
  ])('with %s is refused', async (_, xml) => {
    // An entity can read files of the server, or grow to gigabytes.
    await expect(read(xml)).rejects.toMatchObject({ problem: 'FORBIDDEN_XML' });
  });

  test('is refused with the line that is to blame', async () => {
    await expect(read(`${HEAD}\n\n<a>\n<b>\n</a>`)).rejects.toMatchObject({ problem: 'BAD_STATEMENT', lineNumber: 5 });
  });

  test('is refused if it is too large or has too many entries', async () => {
    const bytes = Buffer.byteLength(document(GOOD));
    await expect(read(document(GOOD), { fileBytes: bytes, entries: 3 })).resolves.toHaveLength(1);
    await expect(read(document(GOOD), { fileBytes: bytes - 1, entries: 3 })).rejects.toMatchObject({
      problem: 'TOO_LARGE',
    });
    await expect(read(document(GOOD), { fileBytes: bytes, entries: 2 })).rejects.toMatchObject({
      problem: 'TOO_MANY_LINES',
    });
  });
});
