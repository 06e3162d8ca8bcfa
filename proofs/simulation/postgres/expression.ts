import type { Reader } from './tokens.ts';
import { arithmetic, coerced, compare, Interval, interval, type Value, type Values } from './values.ts';

/** Rows by their alias, as one combination of a from-list. `ctid` is the row's own id. */
export type Bindings = readonly { readonly alias: string; readonly values: Values; readonly ctid?: number }[];

/** What an expression needs for its evaluation. */
export interface Scope {
  readonly bindings: Bindings;
  readonly parameters: readonly Value[];
  /** When the transaction began: `now()`. */
  readonly now: Date;
  /** When the statement runs: `clock_timestamp()`. */
  readonly clock: Date;
  readonly transactionId: bigint;
  /** Rows of the group, if an aggregate is evaluated. */
  readonly group?: readonly Scope[];
  /** Returns the next number of a table's own sequence. */
  readonly nextval: (sequence: string) => bigint;
  /** Runs a query inside an expression, in the same statement. */
  readonly query: (query: object, outer: Scope) => Values[];
}

export type Expression = (scope: Scope) => Value;
/** Reads a query in parentheses. Its result is opaque here. */
export type ReadQuery = (reader: Reader) => object;

/** Reads the expressions of the product's statements, a subset of SQL. Anything else is an error. */
export function readExpression(reader: Reader, readQuery: ReadQuery): Expression {
  return new ExpressionReader(reader, readQuery).or();
}

class ExpressionReader {
  private readonly reader: Reader;
  private readonly readQuery: ReadQuery;

  constructor(reader: Reader, readQuery: ReadQuery) {
    this.reader = reader;
    this.readQuery = readQuery;
  }

  or(): Expression {
    let left = this.and();
    while (this.reader.takes('or')) {
      const [a, b] = [left, this.and()];
      left = (scope) => {
        const value = a(scope);
        return value === true ? true : either(value, b(scope));
      };
    }
    return left;
  }

  private and(): Expression {
    let left = this.not();
    while (this.reader.takes('and')) {
      const [a, b] = [left, this.not()];
      left = (scope) => {
        const value = a(scope);
        return value === false ? false : both(value, b(scope));
      };
    }
    return left;
  }

  private not(): Expression {
    if (this.reader.takes('not')) {
      const operand = this.not();
      return (scope) => negated(operand(scope));
    }
    return this.comparison();
  }

  private comparison(): Expression {
    const left = this.sum();
    const { reader } = this;
    if (reader.takes('is')) {
      const negate = reader.takes('not');
      if (reader.takes('distinct', 'from')) {
        const right = this.sum();
        return (scope) => {
          const [a, b] = [left(scope), right(scope)];
          const distinct = a === null || b === null ? a !== b : compare(a, b) !== 0;
          return negate ? !distinct : distinct;
        };
      }
      reader.expect('null');
      return (scope) => (left(scope) === null) !== negate;
    }
    const negate = reader.sees('not', 'in') || reader.sees('not', 'between') ? reader.takes('not') : false;
    if (reader.takes('between')) {
      const low = this.sum();
      reader.expect('and');
      const high = this.sum();
      return (scope) => {
        const value = left(scope);
        const within = both(ordered('>=', value, low(scope)), ordered('<=', value, high(scope)));
        return negate ? negated(within) : within;
      };
    }
    if (reader.takes('in')) {
      const member = this.members();
      return (scope) => {
        const found = isMember(left(scope), member(scope));
        return negate ? negated(found) : found;
      };
    }
    if (reader.takes('like')) {
      const pattern = this.sum();
      return (scope) => matchesLike(left(scope), pattern(scope));
    }
    const operator = ['=', '<>', '!=', '<=', '>=', '<', '>', '~'].find((sign) => reader.takes(sign));
    if (operator === undefined) {
      return left;
    }
    if (reader.sees('any', '(') || reader.sees('all', '(')) {
      return this.againstList(left, operator);
    }
    const right = this.sum();
    if (operator === '~') {
      return (scope) => {
        const [text, pattern] = [left(scope), right(scope)];
        return text === null || pattern === null ? null : new RegExp(String(pattern)).test(String(text));
      };
    }
    return (scope) => ordered(operator, left(scope), right(scope));
  }

  /** Handles `= any(list)` and `<> all(list)`. */
  private againstList(left: Expression, operator: string): Expression {
    const { reader } = this;
    const quantifier = reader.next().text;
    reader.expect('(');
    const list = this.or();
    reader.expect(')');
    if (`${operator} ${quantifier}` !== '= any' && `${operator} ${quantifier}` !== '<> all') {
      throw new SyntaxError(`the simulation's Postgres does not read ${operator} ${quantifier}`);
    }
    return (scope) => {
      const found = isMember(left(scope), (list(scope) ?? []) as readonly Value[]);
      return quantifier === 'any' ? found : negated(found);
    };
  }

  private members(): (scope: Scope) => readonly Value[] {
    const { reader } = this;
    if (reader.sees('(', 'select') || reader.sees('(', 'with')) {
      const query = this.bracketedQuery();
      return (scope) => scope.query(query, scope).map((row) => Object.values(row)[0] ?? null);
    }
    reader.expect('(');
    const items = reader.list(() => this.or());
    reader.expect(')');
    return (scope) => items.map((item) => item(scope));
  }

  private sum(): Expression {
    let left = this.product();
    for (;;) {
      const operator = ['+', '-', '||'].find((sign) => this.reader.takes(sign));
      if (operator === undefined) {
        return left;
      }
      const [a, b] = [left, this.product()];
      left =
        operator === '||' ? (scope) => joined(a(scope), b(scope)) : (scope) => arithmetic(operator, a(scope), b(scope));
    }
  }

  private product(): Expression {
    let left = this.cast();
    for (;;) {
      const operator = ['*', '/'].find((sign) => this.reader.takes(sign));
      if (operator === undefined) {
        return left;
      }
      const [a, b] = [left, this.cast()];
      left = (scope) => arithmetic(operator, a(scope), b(scope));
    }
  }

  private cast(): Expression {
    let operand = this.primary();
    for (;;) {
      const inner = operand;
      if (this.reader.takes('::')) {
        const type = this.typeName();
        operand = (scope) => coerced(inner(scope), type);
      } else if (this.reader.takes('[')) {
        const index = this.or();
        this.reader.expect(']');
        operand = (scope) => memberAt(inner(scope), index(scope));
      } else {
        return operand;
      }
    }
  }

  private typeName(): string {
    const name = this.reader.word();
    return this.reader.takes('[', ']') ? `${name}[]` : name;
  }

  private primary(): Expression {
    const { reader } = this;
    const token = reader.peek();
    if (token.kind === 'text' || token.kind === 'number') {
      reader.next();
      const value = token.kind === 'text' ? token.text : Number(token.text);
      return () => value;
    }
    if (token.kind === 'parameter') {
      const index = reader.parameter();
      return ({ parameters }) => parameterAt(parameters, index);
    }
    if (reader.sees('(', 'select') || reader.sees('(', 'with')) {
      const query = this.bracketedQuery();
      return (scope) => Object.values(scope.query(query, scope)[0] ?? {})[0] ?? null;
    }
    if (reader.takes('(')) {
      const inner = this.or();
      reader.expect(')');
      return inner;
    }
    if (reader.takes('-')) {
      const operand = this.cast();
      return (scope) => arithmetic('-', 0, operand(scope));
    }
    return token.kind === 'name' ? this.column(reader.word()) : this.wordExpression(reader.word());
  }

  private wordExpression(word: string): Expression {
    const { reader } = this;
    switch (word) {
      case 'null':
        return () => null;
      case 'true':
        return () => true;
      case 'false':
        return () => false;
      case 'interval': {
        const span = interval(reader.next().text);
        return () => span;
      }
      case 'case':
        return this.caseExpression();
      case 'cast':
        return this.castCall();
      case 'exists': {
        const query = this.bracketedQuery();
        return (scope) => scope.query(query, scope).length > 0;
      }
      case 'array': {
        const query = this.bracketedQuery();
        return (scope) => scope.query(query, scope).map((row) => Object.values(row)[0] ?? null);
      }
      default:
        return reader.sees('(') ? this.call(word) : this.column(word);
    }
  }

  /** Reads `cast(value as type)`, which equals `value::type`. */
  private castCall(): Expression {
    const { reader } = this;
    reader.expect('(');
    const operand = this.or();
    reader.expect('as');
    const type = this.typeName();
    reader.expect(')');
    return (scope) => coerced(operand(scope), type);
  }

  private bracketedQuery(): object {
    this.reader.expect('(');
    const query = this.readQuery(this.reader);
    this.reader.expect(')');
    return query;
  }

  private caseExpression(): Expression {
    const { reader } = this;
    const branches: { when: Expression; value: Expression }[] = [];
    while (reader.takes('when')) {
      const when = this.or();
      reader.expect('then');
      branches.push({ when, value: this.or() });
    }
    const otherwise: Expression = reader.takes('else') ? this.or() : () => null;
    reader.expect('end');
    return (scope) => (branches.find(({ when }) => when(scope) === true)?.value ?? otherwise)(scope);
  }

  private column(first: string): Expression {
    const name = this.reader.takes('.') ? this.reader.word() : null;
    return name === null
      ? ({ bindings }) => bareColumn(bindings, first)
      : ({ bindings }) => columnOf(bindings, first, name);
  }

  private jsonArray(): Expression {
    const { reader } = this;
    reader.aggregates += 1;
    const value = this.or();
    const order = reader.takes('order', 'by')
      ? reader.list(() => ({ by: this.or(), sign: reader.takes('desc') ? -1 : 1 }))
      : [];
    reader.expect(')');
    return ({ group = [] }) => {
      const rows = [...group].sort((a, b) => {
        const decided = order.map(({ by, sign }) => sign * (compare(by(a), by(b)) ?? 0)).find((sides) => sides !== 0);
        return decided ?? 0;
      });
      return rows.length === 0 ? null : rows.map((row) => asJson(value(row)));
    };
  }

  private call(name: string): Expression {
    const { reader } = this;
    reader.expect('(');
    if (name === 'count' && reader.takes('*')) {
      reader.aggregates += 1;
      reader.expect(')');
      return ({ group }) => BigInt(group?.length ?? 0);
    }
    if (name === 'json_agg' || name === 'jsonb_agg') {
      return this.jsonArray();
    }
    if (name === 'extract') {
      reader.expect('epoch', 'from');
    }
    // `position(a in b)` has its own grammar: the operand must not consume the `in`.
    const operands =
      name === 'position'
        ? [this.sum(), ...(reader.takes('in') ? [this.sum()] : [])]
        : reader.sees(')')
          ? []
          : reader.list(() => this.or());
    reader.expect(')');
    if (name === 'sum' || name === 'max' || name === 'min') {
      reader.aggregates += 1;
      return (scope) => aggregate(name, scope, operands[0]);
    }
    const work = FUNCTIONS[name];
    if (work === undefined) {
      throw new SyntaxError(`the simulation's Postgres has no function ${name}`);
    }
    return (scope) =>
      work(
        operands.map((operand) => operand(scope)),
        scope,
      );
  }
}

/** SQL counts from 1. An index outside the list gives null. */
function memberAt(list: Value, place: Value): Value {
  return Array.isArray(list) && place !== null ? ((list[Number(place) - 1] as Value | undefined) ?? null) : null;
}

/** Returns a value as it appears inside JSON. */
function asJson(value: Value): Value {
  if (typeof value === 'bigint') {
    return Number(value);
  }
  if (value instanceof Date) {
    return value.toISOString();
  }
  if (Array.isArray(value)) {
    return value.map((member) => asJson(member as Value));
  }
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array)
    ? Object.fromEntries(Object.entries(value).map(([name, member]) => [name, asJson(member as Value)]))
    : value;
}

function parameterAt(parameters: readonly Value[], index: number): Value {
  const value = parameters[index];
  if (value === undefined) {
    throw new RangeError(`a statement wants ${index + 1} parameters and got ${parameters.length}`);
  }
  return value;
}

function columnOf(bindings: Bindings, alias: string, name: string): Value {
  const binding = bindings.find((candidate) => candidate.alias === alias);
  const value = name === 'ctid' ? binding?.ctid : binding?.values[name];
  if (value === undefined) {
    throw new SyntaxError(`the simulation's Postgres knows no column ${alias}.${name}`);
  }
  return value;
}

function bareColumn(bindings: Bindings, name: string): Value {
  for (const { values, ctid } of bindings) {
    const value = name === 'ctid' ? ctid : values[name];
    if (value !== undefined) {
      return value;
    }
  }
  // A from-item's own name refers to its whole row.
  const whole = bindings.find(({ alias }) => alias === name);
  if (whole === undefined) {
    throw new SyntaxError(`the simulation's Postgres knows no column ${name}`);
  }
  return whole.values;
}

/** `%` matches any text and `_` one character. There is no escape character. */
function matchesLike(text: Value, pattern: Value): Value {
  if (text === null || pattern === null) {
    return null;
  }
  const source = String(pattern)
    .replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
    .replaceAll('%', '.*')
    .replaceAll('_', '.');
  return new RegExp(`^${source}$`, 's').test(String(text));
}

function negated(value: Value): Value {
  return value === null ? null : value !== true;
}

function both(a: Value, b: Value): Value {
  return a === false || b === false ? false : a === null || b === null ? null : true;
}

function either(a: Value, b: Value): Value {
  return a === true || b === true ? true : a === null || b === null ? null : false;
}

function joined(a: Value, b: Value): Value {
  return a === null || b === null ? null : `${String(a)}${String(b)}`;
}

function ordered(operator: string, a: Value, b: Value): Value {
  const order = compare(a, b);
  if (order === null) {
    return null;
  }
  switch (operator) {
    case '=':
      return order === 0;
    case '<>':
    case '!=':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    default:
      return order >= 0;
  }
}

function isMember(value: Value, members: readonly Value[]): Value {
  if (value === null) {
    return null;
  }
  const orders = members.map((member) => compare(value, member));
  return orders.includes(0) ? true : orders.includes(null) ? null : false;
}

function aggregate(name: string, scope: Scope, operand: Expression | undefined): Value {
  const values = (scope.group ?? []).map((row) => operand?.(row) ?? null).filter((value) => value !== null);
  if (name === 'sum') {
    return values.reduce<Value>((sum, value) => (sum === null ? value : arithmetic('+', sum, value)), null);
  }
  return extreme(values, name === 'max' ? 1 : -1);
}

function extreme(values: readonly Value[], sign: number): Value {
  return values.reduce<Value>(
    (best, value) => (best === null || (value !== null && sign * (compare(value, best) ?? 0) > 0) ? value : best),
    null,
  );
}

function builtObject(operands: readonly Value[]): Value {
  return Object.fromEntries(
    operands.flatMap((name, index) => (index % 2 === 0 ? [[String(name), asJson(operands[index + 1] ?? null)]] : [])),
  );
}

const FUNCTIONS: Readonly<Record<string, (operands: readonly Value[], scope: Scope) => Value>> = {
  now: (_operands, { now }) => now,
  clock_timestamp: (_operands, { clock }) => clock,
  lenden_now: ([offset = null], { now }) => arithmetic('+', now, offset),
  nextval: ([sequence = null], { nextval }) => nextval(String(sequence)),
  to_json: ([row = null]) => asJson(row),
  array_to_json: ([list = null]) => asJson(list),
  to_jsonb: ([value = null]) => asJson(value),
  json_build_object: builtObject,
  jsonb_build_object: builtObject,
  num_nonnulls: (operands) => operands.filter((operand) => operand !== null).length,
  lpad: ([text = null, length = null, fill = null]) =>
    text === null || length === null
      ? null
      : String(text).padStart(Number(length), String(fill)).slice(0, Number(length)),
  lower: ([text = null]) => (text === null ? null : String(text).toLowerCase()),
  pg_current_xact_id: (_operands, { transactionId }) => transactionId,
  coalesce: (operands) => {
    const value = operands.find((operand) => operand !== null) ?? null;
    // Next to a JSON array, this literal is an array too.
    return value === '[]' ? [] : value;
  },
  // No operator creates a store here: every payment uses the environment's.
  lenden_store_for: () => null,
  lenden_store_secret: () => null,
  // No operator leaves or loses a role during a story.
  lenden_operator_may: () => true,
  // Used only for stores that operators create, and no story creates one.
  gen_random_uuid: () => null,
  nullif: ([a = null, b = null]) => (compare(a, b) === 0 ? null : a),
  // A Date has milliseconds and nothing finer.
  date_trunc: ([unit = null, time = null]) => {
    if (unit !== 'milliseconds') {
      throw new SyntaxError("the simulation's Postgres truncates times to milliseconds only");
    }
    return time;
  },
  greatest: (operands) => extreme(operands, 1),
  least: (operands) => extreme(operands, -1),
  length: ([text = null]) => (text === null ? null : String(text).length),
  cardinality: ([list = null]) => (Array.isArray(list) ? list.length : null),
  octet_length: ([value = null]) =>
    value === null ? null : value instanceof Uint8Array ? value.length : Buffer.byteLength(String(value)),
  power: ([base = null, exponent = null]) =>
    base === null || exponent === null ? null : Number(base) ** Number(exponent),
  ceil: ([value = null]) => (value === null ? null : Math.ceil(Number(value))),
  extract: ([value = null]) =>
    value instanceof Interval ? value.ms / 1_000 : value instanceof Date ? value.getTime() / 1_000 : null,
  position: ([part = null, text = null]) =>
    part === null || text === null ? null : String(text).indexOf(String(part)) + 1,
  string_to_array: ([text = null, separator = null]) => (text === null ? null : String(text).split(String(separator))),
  concat_ws: ([separator = null, ...parts]) =>
    parts
      .filter((part) => part !== null)
      .map(String)
      .join(String(separator)),
};
