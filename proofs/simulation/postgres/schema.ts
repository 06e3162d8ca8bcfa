import { readExpression, type Expression } from './expression.ts';
import { readQuery, type Query } from './statement.ts';
import { Table, type Column } from './table.ts';
import { Reader } from './tokens.ts';

/** A function that answers rows: its body is a query over its arguments. */
export interface TableFunction {
  readonly parameters: readonly string[];
  readonly columns: readonly string[];
  readonly body: Query;
}

export interface Schema {
  readonly tables: ReadonlyMap<string, Table>;
  readonly functions: ReadonlyMap<string, TableFunction>;
}

const FUNCTION = /create (?:or replace )?function (\w+)\(([^)]*)\)\s+returns table \(([^)]*)\)[^$]*?as \$\$(.*?)\$\$/gs;

/**
 * Tables and lookup functions from the product's own migrations, so that no constraint is written down twice. Row-level security, roles,
 * triggers and foreign keys are left to the tests on a real server.
 */
export function schemaOf(statements: readonly string[]): Schema {
  const tables = new Map<string, Table>();
  const functions = new Map<string, TableFunction>();
  for (const text of statements) {
    const statement = text.trim();
    if (/^create table /i.test(statement)) {
      const table = readTable(new Reader(statement));
      tables.set(table.name, table);
    } else if (/^create unique index /i.test(statement)) {
      readUniqueIndex(new Reader(statement), tables);
    } else if (/^alter table (?:only )?\w+ add column/i.test(statement)) {
      readAddedColumns(new Reader(statement), tables);
    } else if (/^(?:alter|drop) table \w+ (?!enable|force)/i.test(statement)) {
      throw new SyntaxError(`the simulation does not read this migration yet: ${statement.slice(0, 80)}`);
    }
    for (const [, name = '', parameters = '', columns = '', body = ''] of statement.matchAll(FUNCTION)) {
      functions.set(name, {
        parameters: firstWords(parameters),
        columns: firstWords(columns),
        body: readQuery(new Reader(body)),
      });
    }
  }
  return { tables, functions };
}

function firstWords(list: string): string[] {
  return list.split(',').map((item) => item.trim().split(/\s+/)[0] ?? '');
}

function readTable(reader: Reader): Table {
  reader.expect('create', 'table');
  const table = new Table(reader.word());
  reader.expect('(');
  reader.list(() => readTableItem(reader, table));
  reader.expect(')');
  return table;
}

function readTableItem(reader: Reader, table: Table): void {
  if (reader.takes('constraint')) {
    reader.word();
  }
  if (reader.takes('unique')) {
    table.uniques.push({ columns: readNames(reader), where: null });
  } else if (reader.takes('primary', 'key')) {
    table.primaryKey = readNames(reader);
    table.uniques.push({ columns: table.primaryKey, where: null });
  } else if (reader.takes('check')) {
    table.checks.push(readBracketed(reader));
  } else if (reader.takes('foreign', 'key')) {
    reader.skipBracket();
    skipReference(reader);
  } else {
    readColumn(reader, table);
  }
}

function readColumn(reader: Reader, table: Table): void {
  const name = reader.word();
  const column = { name, type: reader.word(), nullable: true, identity: false, initial: null as Expression | null };
  if (reader.takes('[', ']')) {
    column.type += '[]';
  }
  for (;;) {
    if (reader.takes('not', 'null')) {
      column.nullable = false;
    } else if (reader.takes('default')) {
      column.initial = readExpression(reader, readQuery);
    } else if (reader.takes('generated', 'always', 'as', 'identity')) {
      column.identity = true;
    } else if (reader.takes('primary', 'key')) {
      column.nullable = false;
      table.primaryKey = [name];
      table.uniques.push({ columns: [name], where: null });
    } else if (reader.takes('unique')) {
      table.uniques.push({ columns: [name], where: null });
    } else if (reader.takes('check')) {
      table.checks.push(readBracketed(reader));
    } else if (reader.sees('references')) {
      skipReference(reader);
    } else {
      break;
    }
  }
  table.columns.set(name, column satisfies Column);
}

function readBracketed(reader: Reader): Expression {
  reader.expect('(');
  const expression = readExpression(reader, readQuery);
  reader.expect(')');
  return expression;
}

function skipReference(reader: Reader): void {
  reader.expect('references');
  reader.word();
  if (reader.sees('(')) {
    reader.skipBracket();
  }
}

function readNames(reader: Reader): string[] {
  reader.expect('(');
  const names = reader.list(() => reader.word());
  reader.expect(')');
  return names;
}

function readUniqueIndex(reader: Reader, tables: ReadonlyMap<string, Table>): void {
  reader.expect('create', 'unique', 'index');
  if (!reader.sees('on')) {
    reader.word();
  }
  reader.expect('on');
  const table = tables.get(reader.word());
  const columns = readNames(reader);
  const where = reader.takes('where') ? readExpression(reader, readQuery) : null;
  table?.uniques.push({ columns, where });
}

function readAddedColumns(reader: Reader, tables: ReadonlyMap<string, Table>): void {
  reader.expect('alter', 'table');
  reader.takes('only');
  const table = tables.get(reader.word());
  if (table === undefined) {
    throw new SyntaxError('a migration changes a table that no migration creates');
  }
  reader.list(() => {
    reader.expect('add', 'column');
    readColumn(reader, table);
  });
}
