import { readExpression, type Expression } from './expression.ts';
import { readQuery, type Query } from './statement.ts';
import { Table, type Column } from './table.ts';
import { Reader } from './tokens.ts';

/** A function that returns rows. Its body is a query over its arguments. */
export interface TableFunction {
  readonly parameters: readonly string[];
  readonly columns: readonly string[];
  readonly body: Query;
}

export interface Schema {
  readonly tables: ReadonlyMap<string, Table>;
  readonly functions: ReadonlyMap<string, TableFunction>;
  /** Statements with which migrations write rows. A world runs them if its story needs these rows. */
  readonly seeds: readonly string[];
}

/** A function that only reads. What opens a scope is left out, as row-level security is. */
const FUNCTION =
  /create (?:or replace )?function (\w+)\(([^)]*)\)\s+returns table \(([^)]*)\)\s+language sql stable[^$]*?as \$\$(.*?)\$\$/gs;

/** Row-level security, roles, triggers, comments and plain indexes change no answer of a story; tests on a real server cover them. */
const LEFT_OUT =
  /^(?:create (?:index|policy|trigger|(?:or replace )?function)|drop (?:policy|trigger)|alter (?:function|table \w+ (?:enable|force) row)|comment on|grant|revoke|do \$\$)/i;

/**
 * Tables and lookup functions from the product's own migrations, one statement each, so that no constraint is written down twice. Foreign keys are
 * left to the tests on a real server, but for rows that go with others.
 *
 * @throws SyntaxError for a statement, or the end of one, that it would otherwise pass over.
 */
export function schemaOf(statements: readonly string[]): Schema {
  const tables = new Map<string, Table>();
  const functions = new Map<string, TableFunction>();
  const seeds: string[] = [];
  for (const text of statements) {
    const statement = text.trim();
    if (/^create table /i.test(statement)) {
      const table = readWhole(statement, readTable);
      tables.set(table.name, table);
    } else if (/^create unique index /i.test(statement)) {
      readWhole(statement, (reader) => readUniqueIndex(reader, tables));
    } else if (/^drop index /i.test(statement)) {
      readWhole(statement, (reader) => dropIndex(reader, tables));
    } else if (/^insert into /i.test(statement)) {
      seeds.push(statement.replace(/;$/, ''));
    } else if (/^alter table \w+\s+(?!enable|force)/i.test(statement)) {
      readWhole(statement, (reader) => readChanges(reader, tables));
    } else if (!LEFT_OUT.test(statement)) {
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
  return { tables, functions, seeds };
}

function readWhole<T>(statement: string, read: (reader: Reader) => T): T {
  const reader = new Reader(statement);
  const result = read(reader);
  if (reader.peek().kind !== 'end') {
    throw new SyntaxError(
      `the simulation does not read the end of this migration's statement: ${statement.slice(0, 80)}`,
    );
  }
  return result;
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
  if (reader.takes('with', '(', 'fillfactor', '=')) {
    // How full a page may be changes no result.
    reader.next();
    reader.expect(')');
  }
  return table;
}

function readTableItem(reader: Reader, table: Table): void {
  const named = reader.takes('constraint') ? reader.word() : null;
  if (reader.takes('unique')) {
    const nullsAlike = reader.takes('nulls', 'not', 'distinct');
    const unique = { columns: readNames(reader), where: null, nullsAlike };
    table.uniques.push(named === null ? unique : { ...unique, name: named });
  } else if (reader.takes('primary', 'key')) {
    table.primaryKey = readNames(reader);
    table.uniques.push({ columns: table.primaryKey, where: null, nullsAlike: false });
  } else if (reader.takes('check')) {
    addCheck(table, named ?? `${table.name}_check`, readBracketed(reader));
  } else if (reader.takes('foreign', 'key')) {
    const columns = readNames(reader);
    const parent = skipReference(reader);
    if (parent.cascades) {
      table.parents.push({ name: parent.name, columns, theirs: parent.columns });
    }
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
      table.uniques.push({ columns: [name], where: null, nullsAlike: false });
    } else if (reader.takes('unique')) {
      table.uniques.push({ columns: [name], where: null, nullsAlike: false });
    } else if (reader.takes('check')) {
      addCheck(table, `${table.name}_${name}_check`, readBracketed(reader));
    } else if (reader.sees('references')) {
      skipReference(reader);
    } else {
      break;
    }
  }
  table.columns.set(name, column satisfies Column);
}

/** Adds a check. Postgres appends a number to the name of a further check of the same kind. */
function addCheck(table: Table, name: string, check: Expression): void {
  let free = name;
  for (let number = 1; table.checks.has(free); number += 1) {
    free = `${name}${number}`;
  }
  table.checks.set(free, check);
}

/** Reads `alter table … drop constraint …, drop column …, add column …, add [constraint …] …`. */
function readChanges(reader: Reader, tables: ReadonlyMap<string, Table>): void {
  reader.expect('alter', 'table');
  const table = tables.get(reader.word());
  if (table === undefined) {
    throw new SyntaxError('a migration changes a table that no migration creates');
  }
  reader.list(() => {
    if (reader.takes('alter', 'column')) {
      const column = table.columns.get(reader.word());
      reader.expect('drop', 'not', 'null');
      if (column !== undefined) {
        table.columns.set(column.name, { ...column, nullable: true });
      }
      return;
    }
    if (reader.takes('drop', 'constraint')) {
      dropConstraint(table, reader.word());
      return;
    }
    if (reader.takes('drop', 'column')) {
      table.columns.delete(reader.word());
      return;
    }
    reader.expect('add');
    if (reader.takes('column')) {
      readColumn(reader, table);
    } else {
      readTableItem(reader, table);
    }
  });
}

function dropConstraint(table: Table, name: string): void {
  const { primaryKey } = table;
  const unique = table.uniques.findIndex(({ columns, name: given = `${table.name}_${columns.join('_')}_key` }) =>
    name === `${table.name}_pkey` ? columns.join() === primaryKey.join() : given === name,
  );
  if (unique >= 0) {
    table.uniques.splice(unique, 1);
  } else if (!table.checks.delete(name)) {
    throw new SyntaxError(`a migration drops ${name}, which ${table.name} does not have`);
  }
}

function readBracketed(reader: Reader): Expression {
  reader.expect('(');
  const expression = readExpression(reader, readQuery);
  reader.expect(')');
  return expression;
}

function skipReference(reader: Reader): { name: string; columns: string[]; cascades: boolean } {
  reader.expect('references');
  const name = reader.word();
  const columns = reader.sees('(') ? readNames(reader) : [];
  return { name, columns, cascades: reader.takes('on', 'delete', 'cascade') };
}

function readNames(reader: Reader): string[] {
  reader.expect('(');
  const names = reader.list(() => reader.word());
  reader.expect(')');
  return names;
}

function readUniqueIndex(reader: Reader, tables: ReadonlyMap<string, Table>): void {
  reader.expect('create', 'unique', 'index');
  const named = reader.sees('on') ? {} : { name: reader.word() };
  reader.expect('on');
  const table = tables.get(reader.word());
  const columns = readNames(reader);
  const nullsAlike = reader.takes('nulls', 'not', 'distinct');
  const where = reader.takes('where') ? readExpression(reader, readQuery) : null;
  table?.uniques.push({ columns, where, nullsAlike, ...named });
}

/** Handles only unique indexes; other indexes do not affect what can be written. */
function dropIndex(reader: Reader, tables: ReadonlyMap<string, Table>): void {
  reader.expect('drop', 'index');
  const dropped = reader.word();
  for (const { uniques } of tables.values()) {
    const found = uniques.findIndex(({ name }) => name === dropped);
    if (found >= 0) {
      uniques.splice(found, 1);
    }
  }
}
