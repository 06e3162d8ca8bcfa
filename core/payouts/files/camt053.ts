import { isCurrency } from '../../../domain/currency.ts';
import { MAX_AMOUNT_MINOR, minorFromDecimalText } from '../../../domain/money.ts';
import type { BankEntry, BankStatement } from '../../../domain/payouts/bank-entry.ts';
import { isPlainDate, type PlainDate } from '../../../domain/plain-date.ts';
import { balanced } from './balanced.ts';
import { decoded } from './decode.ts';
import { STATEMENT_LIMITS, type StatementLimits } from './statement-limits.ts';
import { UnreadableFile } from './unreadable-file.ts';
import { type Leaves, readLeaves } from './xml-leaves.ts';

const STATEMENT = 'Document/BkToCstmrStmt/Stmt';
const BALANCE = `${STATEMENT}/Bal`;
const ENTRY = `${STATEMENT}/Ntry`;
const DETAILS = 'NtryDtls/TxDtls';

type Account = Pick<BankEntry, 'account' | 'currency'>;

/**
 * Reads the statements of an ISO 20022 camt.053 file, versions 2 to 13. Only booked entries count; a pending one is in no closing balance. An entry of
 * several transactions is one entry, with the references of all of them.
 *
 * @throws UnreadableFile also if balances and entries do not agree
 */
export async function readCamt053(
  bytes: AsyncIterable<Uint8Array>,
  limits: Pick<StatementLimits, 'fileBytes' | 'entries'> = STATEMENT_LIMITS,
): Promise<readonly BankStatement[]> {
  let xml = '';
  for await (const text of decoded(bytes, limits.fileBytes)) {
    xml += text;
  }
  const statements: BankStatement[] = [];
  let balances: Leaves[] = [];
  let entries: Leaves[] = [];
  let count = 0;
  readLeaves(xml, [STATEMENT, BALANCE, ENTRY], (path, leaves) => {
    if (path === BALANCE) {
      balances.push(leaves);
    } else if (path === ENTRY) {
      count += 1;
      if (count > limits.entries) {
        throw new UnreadableFile('TOO_MANY_LINES', `The file has more than ${limits.entries} entries.`);
      }
      entries.push(leaves);
    } else {
      statements.push(balanced(statementOf(leaves, balances, entries)));
      balances = [];
      entries = [];
    }
  });
  if (statements.length === 0) {
    throw new UnreadableFile('BAD_STATEMENT', 'The file has no camt.053 statement.');
  }
  return statements;
}

function statementOf(leaves: Leaves, balances: readonly Leaves[], entries: readonly Leaves[]): BankStatement {
  const opening = balanceOf(balances, ['OPBD', 'PRCD']);
  const closing = balanceOf(balances, ['CLBD']);
  const account: Account = {
    account: required(leaves, 'Acct/Id/IBAN', 'Acct/Id/Othr/Id'),
    currency: required(opening, 'Amt@Ccy'),
  };
  if (!isCurrency(account.currency)) {
    throw new UnreadableFile('BAD_STATEMENT', 'A balance has no ISO 4217 currency.');
  }
  return {
    statementReference: required(leaves, 'Id'),
    ...account,
    openingMinor: signedAmount(opening, account),
    openedOn: dayOf(opening),
    closingMinor: signedAmount(closing, account),
    closedOn: dayOf(closing),
    entries: entries.filter(isBooked).map((entry) => entryOf(entry, account)),
  };
}

/** Returns null if the balance has no possible date: then it cannot be compared with another one, and still adds up. */
function dayOf(balance: Leaves): PlainDate | null {
  const day = first(balance, 'Dt/Dt', 'Dt/DtTm')?.slice(0, 10) ?? '';
  return isPlainDate(day) ? day : null;
}

/** Returns the only balance of the first of these types that there is. Pages of a statement have several: their entries agree with none alone. */
function balanceOf(balances: readonly Leaves[], types: readonly string[]): Leaves {
  for (const type of types) {
    const [found, another] = balances.filter((balance) => first(balance, 'Tp/CdOrPrtry/Cd') === type);
    if (found !== undefined && another === undefined) {
      return found;
    }
  }
  throw new UnreadableFile('BALANCE_MISSING', `A statement needs one balance ${types.join(' or ')}.`);
}

function isBooked(entry: Leaves): boolean {
  return (first(entry, 'Sts', 'Sts/Cd') ?? 'BOOK') === 'BOOK';
}

function entryOf(entry: Leaves, account: Account): BankEntry {
  const bookedOn = dateOf(entry, 'BookgDt') ?? dateOf(entry, 'ValDt');
  if (bookedOn === null) {
    throw new UnreadableFile('BAD_STATEMENT', 'A booked entry has no date.');
  }
  return {
    ...account,
    amountMinor: signedAmount(entry, account),
    bookedOn,
    valueOn: dateOf(entry, 'ValDt'),
    bankReference: first(entry, 'AcctSvcrRef', `${DETAILS}/Refs/AcctSvcrRef`, 'NtryRef') ?? null,
    remittance: remittanceOf(entry),
  };
}

/** ISO 20022: the indicator states where the money went, also for a reversal. */
function signedAmount(leaves: Leaves, { currency }: Account): bigint {
  const amountMinor = minorFromDecimalText(required(leaves, 'Amt'), currency, 'exact');
  if (amountMinor === null || amountMinor > MAX_AMOUNT_MINOR || required(leaves, 'Amt@Ccy') !== currency) {
    throw new UnreadableFile('BAD_STATEMENT', `An amount is not one in ${currency}, the currency of the account.`);
  }
  switch (required(leaves, 'CdtDbtInd')) {
    case 'CRDT':
      return amountMinor;
    case 'DBIT':
      return -amountMinor;
    default:
      throw new UnreadableFile('BAD_STATEMENT', 'An amount is neither credit nor debit.');
  }
}

/** Returns the date as the bank writes it, whatever its time zone. */
function dateOf(entry: Leaves, member: 'BookgDt' | 'ValDt'): PlainDate | null {
  const text = first(entry, `${member}/Dt`, `${member}/DtTm`);
  const date = text?.slice(0, 10) ?? null;
  if (date !== null && !isPlainDate(date)) {
    throw new UnreadableFile('BAD_STATEMENT', 'An entry has an impossible date.');
  }
  return date;
}

function remittanceOf(entry: Leaves): string | null {
  const texts = [
    `${DETAILS}/RmtInf/Ustrd`,
    `${DETAILS}/RmtInf/Strd/CdtrRefInf/Ref`,
    `${DETAILS}/Refs/EndToEndId`,
    `${DETAILS}/AddtlTxInf`,
    'AddtlNtryInf',
  ].flatMap((path) => entry.get(path) ?? []);
  const told = texts.filter((text) => text !== 'NOTPROVIDED');
  return told.length === 0 ? null : [...new Set(told)].join(' ');
}

function first(leaves: Leaves, ...paths: readonly string[]): string | undefined {
  return paths.map((path) => leaves.get(path)?.[0]).find((text) => text !== undefined);
}

function required(leaves: Leaves, ...paths: readonly string[]): string {
  const text = first(leaves, ...paths);
  if (text === undefined) {
    throw new UnreadableFile('BAD_STATEMENT', `A statement lacks ${paths.join(' or ')}.`);
  }
  return text;
}
