import { createReadStream, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { readCamt053 } from '../../core/payouts/files/camt053.ts';
import { readMt940 } from '../../core/payouts/files/mt940.ts';
import { readPayoutLines, type ReadLine } from '../../core/payouts/files/payout-lines.ts';
import { UnreadableFile } from '../../core/payouts/files/unreadable-file.ts';
import { toDecimalText } from '../../domain/money.ts';
import type { BankStatement } from '../../domain/payouts/bank-entry.ts';
import { PayoutMapping } from '../../domain/payouts/mapping.ts';
import { SHIPPED_MAPPINGS } from '../../domain/payouts/shipped-mappings.ts';
import { errorCode } from '../shared/error-code.ts';

const USAGE = `npm run payout-file -- FILE (--mapping NAME | --mapping-file FILE | --statement camt053|mt940) [--json]

Shows what a payout file of a gateway or a bank says: its lines, their sums, and each line that cannot be read, with the reason. Stores nothing.
  --mapping NAME       a mapping that Lenden ships: ${Object.keys(SHIPPED_MAPPINGS).join(', ')}
  --mapping-file FILE  your own mapping, as JSON; see docs/payouts.md
  --statement FORMAT   a bank statement: its balances must agree with its entries
  --json               one line of JSON for each line of the file
Exit: 0 every line was read, 1 some lines were rejected, 2 the file cannot be read.`;

const REJECTIONS_SHOWN_MAX = 50;
const FILE_PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'There is no file',
  EISDIR: 'This is a directory, not a file:',
  EACCES: 'You may not read',
};

process.exitCode = await main();

async function main(): Promise<number> {
  try {
    const { values, positionals } = parseArgs({
      options: {
        mapping: { type: 'string' },
        'mapping-file': { type: 'string' },
        statement: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
      allowPositionals: true,
    });
    const [file] = positionals;
    if (values.help || file === undefined) {
      console.log(USAGE);
      return values.help ? 0 : 2;
    }
    const bytes = createReadStream(file);
    return values.statement === undefined
      ? await showLines(readPayoutLines(bytes, mappingOf(values)), values.json)
      : showStatements(await readStatement(bytes, values.statement), values.json);
  } catch (error) {
    console.error(problemOf(error));
    return 2;
  }
}

function problemOf(error: unknown): string {
  if (error instanceof UnreadableFile) {
    return refusal(error);
  }
  const path = error instanceof Error && 'path' in error ? error.path : undefined;
  const known = FILE_PROBLEMS[errorCode(error) ?? ''];
  if (known !== undefined) {
    return typeof path === 'string' ? `${known} ${path}` : known;
  }
  return error instanceof Error ? error.message : String(error);
}

interface MappingChoice {
  readonly mapping?: string | undefined;
  readonly 'mapping-file'?: string | undefined;
}

function mappingOf({ mapping: name, 'mapping-file': file }: MappingChoice): PayoutMapping {
  if (file !== undefined) {
    return PayoutMapping.parse(JSON.parse(readFileSync(file, 'utf8')));
  }
  const shipped = Object.entries(SHIPPED_MAPPINGS).find(([known]) => known === name);
  if (shipped === undefined) {
    throw new Error(`There is no mapping ${name ?? ''}.\n\n${USAGE}`);
  }
  return shipped[1];
}

function readStatement(bytes: AsyncIterable<Uint8Array>, format: string): Promise<readonly BankStatement[]> {
  switch (format) {
    case 'camt053':
      return readCamt053(bytes);
    case 'mt940':
      return readMt940(bytes);
    default:
      throw new Error(`There is no statement format ${format}.\n\n${USAGE}`);
  }
}

interface Sums {
  lines: number;
  grossMinor: bigint;
  feeMinor: bigint;
  taxMinor: bigint;
  netMinor: bigint;
}

async function showLines(read: AsyncIterable<ReadLine>, json: boolean): Promise<number> {
  const sums = new Map<string, Sums>();
  let rejected = 0;
  for await (const one of read) {
    if (json) {
      console.log(asJson(one));
    }
    if (one.kind === 'line') {
      add(sums, one);
      continue;
    }
    rejected += 1;
    if (!json && rejected <= REJECTIONS_SHOWN_MAX) {
      const { code, column, reason } = one.rejection;
      console.log(`line ${one.lineNumber}: ${code}${column === null ? '' : ` in ${column}`}: ${reason}`);
    }
  }
  if (!json) {
    console.log(inWords(sums, rejected));
  }
  return rejected === 0 ? 0 : 1;
}

function add(sums: Map<string, Sums>, { line }: Extract<ReadLine, { kind: 'line' }>): void {
  const key = `${line.currency} ${line.kind}`;
  const sum = sums.get(key) ?? { lines: 0, grossMinor: 0n, feeMinor: 0n, taxMinor: 0n, netMinor: 0n };
  sum.lines += 1;
  sum.grossMinor += line.grossMinor;
  sum.feeMinor += line.feeMinor;
  sum.taxMinor += line.taxMinor;
  sum.netMinor += line.netMinor;
  sums.set(key, sum);
}

function inWords(sums: ReadonlyMap<string, Sums>, rejected: number): string {
  const rows = [...sums]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([key, { lines, grossMinor, feeMinor, taxMinor, netMinor }]) => {
      const [currency = '', kind = ''] = key.split(' ');
      const amount = (amountMinor: bigint): string => toDecimalText({ amountMinor, currency });
      return `${kind.padEnd(10)} ${lines} lines, gross ${amount(grossMinor)}, fee ${amount(feeMinor)}, tax ${amount(taxMinor)}, net ${amount(netMinor)} ${currency}`;
    });
  const hidden = rejected > REJECTIONS_SHOWN_MAX ? `, of which ${REJECTIONS_SHOWN_MAX} are shown` : '';
  return [...rows, `${rejected} lines rejected${hidden}`].join('\n');
}

function showStatements(statements: readonly BankStatement[], json: boolean): number {
  for (const statement of statements) {
    const { statementReference, account, currency, openingMinor, closingMinor, entries } = statement;
    const amount = (amountMinor: bigint): string => toDecimalText({ amountMinor, currency });
    console.log(
      json
        ? asJson(statement)
        : `statement ${statementReference} of ${account}: ${entries.length} entries, ${amount(openingMinor)} to ${amount(closingMinor)} ${currency}`,
    );
  }
  return 0;
}

function asJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => (typeof member === 'bigint' ? member.toString() : member));
}

function refusal({ problem, message, lineNumber, byteOffset }: UnreadableFile): string {
  const place = lineNumber !== null ? ` at line ${lineNumber}` : byteOffset !== null ? ` at byte ${byteOffset}` : '';
  return `${problem}${place}: ${message}`;
}
