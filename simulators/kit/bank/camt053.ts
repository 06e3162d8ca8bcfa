import { escapeHtml } from '../escape-html.ts';
import { decimalOf } from '../payouts/units.ts';
import type { Entry, Statement } from './statement.ts';

/** Writes statements as ISO 20022 camt.053.001.08. */
export function camt053(statements: readonly Statement[], createdAt: Date): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>
<GrpHdr><MsgId>SIM${createdAt.getTime()}</MsgId><CreDtTm>${createdAt.toISOString()}</CreDtTm></GrpHdr>
${statements.map((statement) => statementXml(statement, createdAt)).join('\n')}
</BkToCstmrStmt></Document>
`;
}

function statementXml(statement: Statement, createdAt: Date): string {
  const { id, account, currency, from, to, opening, closing, entries } = statement;
  return `<Stmt><Id>${id}</Id><CreDtTm>${createdAt.toISOString()}</CreDtTm>
<FrToDt><FrDtTm>${from}T00:00:00</FrDtTm><ToDtTm>${to}T23:59:59</ToDtTm></FrToDt>
<Acct><Id><Othr><Id>${account}</Id></Othr></Id><Ccy>${currency}</Ccy></Acct>
${balanceXml('OPBD', opening, { statement, on: from })}
${balanceXml('CLBD', closing, { statement, on: to })}
${entries.map((entry) => entryXml(entry, statement)).join('\n')}
</Stmt>`;
}

function balanceXml(code: string, amount: bigint, { statement, on }: { statement: Statement; on: string }): string {
  return `<Bal><Tp><CdOrPrtry><Cd>${code}</Cd></CdOrPrtry></Tp>${amountXml(amount, statement)}<Dt><Dt>${on}</Dt></Dt></Bal>`;
}

function entryXml({ on, amount, bankReference, text }: Entry, statement: Statement): string {
  return `<Ntry>${amountXml(amount, statement)}<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>${on}</Dt></BookgDt><ValDt><Dt>${on}</Dt></ValDt>
<AcctSvcrRef>${escapeHtml(bankReference)}</AcctSvcrRef><BkTxCd><Prtry><Cd>NTRF</Cd></Prtry></BkTxCd>
<NtryDtls><TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs><RmtInf><Ustrd>${escapeHtml(text)}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>`;
}

function amountXml(amount: bigint, { currency, places }: Statement): string {
  const size = decimalOf(amount < 0n ? -amount : amount, places);
  return `<Amt Ccy="${currency}">${size}</Amt><CdtDbtInd>${amount < 0n ? 'DBIT' : 'CRDT'}</CdtDbtInd>`;
}
