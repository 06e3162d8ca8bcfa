import { readExpression, type Expression } from './expression.ts';
import { isName, type Reader } from './tokens.ts';

export interface Item {
  readonly name: string;
  /** Null for all columns of `alias`, or of everything if `alias` is null. */
  readonly value: Expression | null;
  readonly alias: string | null;
}

export type Source =
  | { readonly kind: 'table'; readonly name: string }
  | { readonly kind: 'query'; readonly query: Query }
  | {
      readonly kind: 'function';
      readonly name: string;
      readonly operands: readonly Expression[];
      readonly columns: readonly { readonly name: string; readonly type: string }[];
    };

export interface From {
  readonly source: Source;
  readonly alias: string;
  readonly join: 'inner' | 'left';
  readonly on: Expression | null;
}

export interface Select {
  readonly kind: 'select';
  readonly items: readonly Item[];
  readonly aggregate: boolean;
  readonly from: readonly From[];
  readonly where: Expression | null;
  readonly groupBy: readonly Expression[];
  readonly orderBy: readonly { readonly by: Expression; readonly descending: boolean }[];
  readonly limit: Expression | null;
  readonly lock: 'none' | 'wait' | 'skip';
  /** The only from-item whose rows are locked; null for all. */
  readonly lockOf: string | null;
  readonly union: Select | null;
}

export interface Assignment {
  readonly column: string;
  readonly value: Expression;
}

export interface Insert {
  readonly kind: 'insert';
  readonly table: string;
  readonly alias: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Expression[])[] | null;
  readonly query: Query | null;
  readonly onConflict: null | {
    readonly columns: readonly string[] | null;
    readonly set: readonly Assignment[] | null;
    readonly where: Expression | null;
  };
  readonly returning: readonly Item[] | null;
}

export interface Update {
  readonly kind: 'update';
  readonly table: string;
  readonly alias: string;
  readonly set: readonly Assignment[];
  readonly from: readonly From[];
  readonly where: Expression | null;
  readonly returning: readonly Item[] | null;
}

export interface Delete {
  readonly kind: 'delete';
  readonly table: string;
  readonly alias: string;
  readonly where: Expression | null;
  readonly returning: readonly Item[] | null;
}

/** A statement with its common table expressions. */
export interface Query {
  readonly named: readonly { readonly name: string; readonly query: Query }[];
  readonly body: Select | Insert | Update | Delete;
}

export function readQuery(reader: Reader): Query {
  const named = reader.takes('with')
    ? reader.list(() => {
        const name = reader.word();
        reader.expect('as', '(');
        const query = readQuery(reader);
        reader.expect(')');
        return { name, query };
      })
    : [];
  return { named, body: readBody(reader) };
}

function readBody(reader: Reader): Query['body'] {
  if (reader.takes('insert', 'into')) {
    return readInsert(reader);
  }
  if (reader.takes('update')) {
    return readUpdate(reader);
  }
  if (reader.takes('delete', 'from')) {
    return readDelete(reader);
  }
  reader.expect('select');
  return readSelect(reader);
}

function expression(reader: Reader): Expression {
  return readExpression(reader, readQuery);
}

function readSelect(reader: Reader): Select {
  const aggregatesBefore = reader.aggregates;
  const items = readItems(reader);
  const aggregate = reader.aggregates > aggregatesBefore;
  reader.aggregates = aggregatesBefore;
  const from = reader.takes('from') ? readFromList(reader) : [];
  const where = reader.takes('where') ? expression(reader) : null;
  const groupBy = reader.takes('group', 'by') ? reader.list(() => expression(reader)) : [];
  const union = reader.takes('union') ? readUnion(reader) : null;
  const orderBy = reader.takes('order', 'by') ? reader.list(() => readOrder(reader)) : [];
  const limit = reader.takes('limit') ? expression(reader) : null;
  const locks = reader.takes('for', 'update');
  const lockOf = locks && reader.takes('of') ? reader.word() : null;
  const lock = !locks ? 'none' : reader.takes('skip', 'locked') ? 'skip' : 'wait';
  return { kind: 'select', items, aggregate, from, where, groupBy, orderBy, limit, lock, lockOf, union };
}

function readUnion(reader: Reader): Select {
  reader.expect('select');
  return readSelect(reader);
}

function readOrder(reader: Reader): Select['orderBy'][number] {
  const by = expression(reader);
  const descending = reader.takes('desc') || (reader.takes('asc'), false);
  return { by, descending };
}

const AFTER_ITEM: ReadonlySet<string> = new Set([
  'from',
  'where',
  'order',
  'limit',
  'union',
  'for',
  'on',
  'returning',
  'group',
]);

function readItems(reader: Reader): Item[] {
  // `select from …` returns rows without columns.
  const items =
    AFTER_ITEM.has(reader.peek().text) && reader.peek().kind === 'word' ? [] : reader.list(() => readItem(reader));
  // Columns with equal names stay separate, because an insert uses them by position.
  return items.map((item, index) => {
    const again = item.value !== null && items.findIndex(({ name }) => name === item.name) < index;
    return again ? { ...item, name: `${item.name} ${index}` } : item;
  });
}

function readItem(reader: Reader): Item {
  if (reader.takes('*')) {
    return { name: '*', value: null, alias: null };
  }
  if (isName(reader.peek()) && reader.peek(1).text === '.' && reader.peek(2).text === '*') {
    const alias = reader.word();
    reader.expect('.', '*');
    return { name: '*', value: null, alias };
  }
  const name = ownName(reader);
  const value = expression(reader);
  if (reader.takes('as')) {
    return { name: reader.word(), value, alias: null };
  }
  const next = reader.peek();
  const named = isName(next) && !(next.kind === 'word' && AFTER_ITEM.has(next.text));
  return { name: named ? reader.word() : name, value, alias: null };
}

/** Returns a result column's default name. */
function ownName(reader: Reader): string {
  const [first, second, third] = [reader.peek(), reader.peek(1), reader.peek(2)];
  if (!isName(first)) {
    return '?column?';
  }
  return second.text === '.' ? third.text : first.text;
}

function readFromList(reader: Reader): From[] {
  const list: From[] = [readFrom(reader, 'inner')];
  for (;;) {
    if (reader.takes(',') || reader.takes('cross', 'join')) {
      list.push(readFrom(reader, 'inner'));
    } else if (reader.takes('left', 'join')) {
      list.push(readJoined(reader, 'left'));
    } else if (reader.takes('join') || reader.takes('inner', 'join')) {
      list.push(readJoined(reader, 'inner'));
    } else {
      return list;
    }
  }
}

function readJoined(reader: Reader, join: From['join']): From {
  const from = readFrom(reader, join);
  reader.expect('on');
  return { ...from, on: expression(reader) };
}

const NO_ALIAS: ReadonlySet<string> = new Set([
  'where',
  'order',
  'limit',
  'on',
  'join',
  'left',
  'cross',
  'inner',
  'union',
  'for',
  'returning',
  'set',
  'group',
]);

function readAlias(reader: Reader, otherwise: string): string {
  const next = reader.peek();
  const named = reader.takes('as') || (isName(next) && !(next.kind === 'word' && NO_ALIAS.has(next.text)));
  return named ? reader.word() : otherwise;
}

function readName(reader: Reader): string {
  const first = reader.word();
  return reader.takes('.') ? reader.word() : first;
}

function readFrom(reader: Reader, join: From['join']): From {
  if (reader.takes('(')) {
    const query = readQuery(reader);
    reader.expect(')');
    return { source: { kind: 'query', query }, alias: readAlias(reader, ''), join, on: null };
  }
  const name = readName(reader);
  if (!reader.takes('(')) {
    return { source: { kind: 'table', name }, alias: readAlias(reader, name), join, on: null };
  }
  const operands = reader.sees(')') ? [] : reader.list(() => expression(reader));
  reader.expect(')');
  const alias = readAlias(reader, name);
  return { source: { kind: 'function', name, operands, columns: readRecord(reader) }, alias, join, on: null };
}

function readRecord(reader: Reader): { name: string; type: string }[] {
  if (!reader.takes('(')) {
    return [];
  }
  const columns = reader.list(() => ({ name: reader.word(), type: reader.word() }));
  reader.expect(')');
  return columns;
}

function readNames(reader: Reader): string[] {
  reader.expect('(');
  const names = reader.list(() => reader.word());
  reader.expect(')');
  return names;
}

function readInsert(reader: Reader): Insert {
  const table = readName(reader);
  const alias = reader.takes('as') ? reader.word() : table;
  const columns = readNames(reader);
  reader.takes('overriding', 'system', 'value');
  const rows = reader.takes('values')
    ? reader.list(() => {
        reader.expect('(');
        const values = reader.list(() => expression(reader));
        reader.expect(')');
        return values;
      })
    : null;
  const query = rows === null ? readGiven(reader) : null;
  const onConflict = reader.takes('on', 'conflict') ? readOnConflict(reader) : null;
  return { kind: 'insert', table, alias, columns, rows, query, onConflict, returning: readReturning(reader) };
}

/** Reads the query of an insert, in parentheses or not. */
function readGiven(reader: Reader): Query {
  if (!reader.takes('(')) {
    return readQuery(reader);
  }
  const query = readQuery(reader);
  reader.expect(')');
  return query;
}

function readOnConflict(reader: Reader): Insert['onConflict'] {
  const columns = reader.sees('(') ? readNames(reader) : null;
  reader.expect('do');
  if (reader.takes('nothing')) {
    return { columns, set: null, where: null };
  }
  reader.expect('update', 'set');
  const set = reader.list(() => readAssignment(reader));
  return { columns, set, where: reader.takes('where') ? expression(reader) : null };
}

function readAssignment(reader: Reader): Assignment {
  const column = reader.word();
  reader.expect('=');
  return { column, value: expression(reader) };
}

function readReturning(reader: Reader): Item[] | null {
  return reader.takes('returning') ? readItems(reader) : null;
}

function readUpdate(reader: Reader): Update {
  const table = readName(reader);
  const alias = readAlias(reader, table);
  reader.expect('set');
  const set = reader.list(() => readAssignment(reader));
  const from = reader.takes('from') ? readFromList(reader) : [];
  const where = reader.takes('where') ? expression(reader) : null;
  return { kind: 'update', table, alias, set, from, where, returning: readReturning(reader) };
}

function readDelete(reader: Reader): Delete {
  const table = readName(reader);
  const alias = readAlias(reader, table);
  const where = reader.takes('where') ? expression(reader) : null;
  return { kind: 'delete', table, alias, where, returning: readReturning(reader) };
}
