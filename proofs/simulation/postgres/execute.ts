import type { Bindings, Expression, Scope } from './expression.ts';
import type { Schema } from './schema.ts';
import type { Assignment, Delete, From, Insert, Item, Query, Select, Update } from './statement.ts';
import { ConstraintViolation, MustWait, type Row, type Table, type Writer } from './table.ts';
import { coerced, compare, type Value, type Values } from './values.ts';

/** The transaction in which a statement runs, including how to undo it. */
export interface Execution {
  readonly schema: Schema;
  readonly writer: Writer;
  readonly now: Date;
  readonly clock: Date;
  readonly undo: (() => void)[];
}

/** Runs one statement at one instant, as READ COMMITTED does. Throws MustWait if it has to be run again later. */
export function execute(execution: Execution, query: Query, parameters: readonly Value[]): Values[] {
  return new Statement(execution, parameters).run(query, null);
}

type Matched = { readonly bindings: Bindings; readonly rows: readonly (Row | null)[] };

class Statement {
  private readonly execution: Execution;
  private readonly parameters: readonly Value[];
  private readonly named = new Map<string, Values[]>();

  constructor(execution: Execution, parameters: readonly Value[]) {
    this.execution = execution;
    this.parameters = parameters;
  }

  run({ named, body }: Query, outer: Scope | null): Values[] {
    for (const { name, query } of named) {
      this.named.set(name, this.run(query, outer));
    }
    switch (body.kind) {
      case 'select':
        return this.select(body, outer);
      case 'insert':
        return this.insert(body, outer);
      case 'update':
        return this.update(body, outer);
      case 'delete':
        return this.delete(body, outer);
    }
  }

  private scope(bindings: Bindings, group?: readonly Scope[]): Scope {
    const { now, clock, writer } = this.execution;
    return {
      bindings,
      parameters: this.parameters,
      now,
      clock,
      transactionId: writer.id,
      query: (query, outer) => this.run(query as Query, outer),
      nextval: (sequence) => this.table(sequence.replace(/_id_seq$/, '')).nextIdentity(),
      ...(group === undefined ? {} : { group }),
    };
  }

  private table(name: string): Table {
    const table = this.execution.schema.tables.get(name);
    if (table === undefined) {
      throw new SyntaxError(`the simulation's Postgres knows no table ${name}`);
    }
    return table;
  }

  private select(select: Select, outer: Scope | null): Values[] {
    const found = this.matching(select.from, select.where, outer?.bindings ?? []);
    this.sort(found, select.orderBy);
    const limit = select.limit === null ? Infinity : Number(select.limit(this.scope([])));
    const taken = select.lock === 'none' ? found.slice(0, limit) : this.locked(found, limit, select);
    const rows = select.aggregate
      ? this.groups(select, taken, outer).map((scope) => this.itemsOf(select.items, scope))
      : taken.map(({ bindings }) => this.itemsOf(select.items, this.scope(bindings)));
    return select.union === null ? rows : distinct([...rows, ...this.select(select.union, outer)]);
  }

  /** Returns one group of all rows, or one for each combination of grouped values, represented by its first row. */
  private groups({ groupBy }: Select, taken: readonly Matched[], outer: Scope | null): Scope[] {
    const scopes = taken.map(({ bindings }) => this.scope(bindings));
    if (groupBy.length === 0) {
      return [this.scope(outer?.bindings ?? [], scopes)];
    }
    const named = (scope: Scope): string => JSON.stringify(groupBy.map((by) => String(by(scope))));
    return [...Map.groupBy(scopes, named).values()].map((group) => this.scope(group[0]?.bindings ?? [], group));
  }

  private sort(found: Matched[], orderBy: Select['orderBy']): void {
    if (orderBy.length > 0) {
      found.sort((a, b) => {
        for (const { by, descending } of orderBy) {
          const order = compare(by(this.scope(a.bindings)), by(this.scope(b.bindings))) ?? 0;
          if (order !== 0) {
            return descending ? -order : order;
          }
        }
        return 0;
      });
    }
  }

  private locked(found: readonly Matched[], limit: number, { from, lock, lockOf }: Select): Matched[] {
    const taken: Matched[] = [];
    for (const match of found) {
      const wanted = match.rows.filter((_row, index) => lockOf === null || from[index]?.alias === lockOf);
      const held = wanted.find((row) => row?.writer !== null && row?.writer !== this.execution.writer);
      if (taken.length < limit && !(lock === 'skip' && held !== undefined && held !== null)) {
        wanted.forEach((row) => row !== null && this.lock(row));
        taken.push(match);
      }
    }
    return taken;
  }

  /** Returns every combination of the from-list that meets the condition. */
  private matching(list: readonly From[], where: Expression | null, outer: Bindings): Matched[] {
    let found: Matched[] = [{ bindings: outer, rows: [] }];
    for (const { source, alias, join, on } of list) {
      found = found.flatMap((left) => {
        const right = this.rowsOf(source, left.bindings).map(({ values, row }) => ({
          bindings: [{ alias, values, ...(row === null ? {} : { ctid: row.id }) }, ...left.bindings],
          rows: [...left.rows, row],
        }));
        const kept = on === null ? right : right.filter(({ bindings }) => on(this.scope(bindings)) === true);
        return kept.length === 0 && join === 'left'
          ? [{ bindings: [{ alias, values: this.nulls(source) }, ...left.bindings], rows: [...left.rows, null] }]
          : kept;
      });
    }
    return where === null ? found : found.filter(({ bindings }) => where(this.scope(bindings)) === true);
  }

  private nulls(source: From['source']): Values {
    const columns = source.kind === 'table' ? [...this.table(source.name).columns.keys()] : [];
    return Object.fromEntries(columns.map((name) => [name, null]));
  }

  private rowsOf(source: From['source'], outer: Bindings): { values: Values; row: Row | null }[] {
    switch (source.kind) {
      case 'query':
        return this.run(source.query, this.scope(outer)).map((values) => ({ values, row: null }));
      case 'function':
        return this.called(source, outer).map((values) => ({ values, row: null }));
      case 'table': {
        const named = this.named.get(source.name);
        return named === undefined
          ? this.visible(this.table(source.name))
          : named.map((values) => ({ values, row: null }));
      }
    }
  }

  private visible(table: Table): { values: Values; row: Row }[] {
    return table.rows.flatMap((row) => {
      const values = table.seenBy(this.execution.writer, row);
      return values === null ? [] : [{ values, row }];
    });
  }

  private called(source: Extract<From['source'], { kind: 'function' }>, outer: Bindings): Values[] {
    const operands = source.operands.map((operand) => operand(this.scope(outer)));
    if (source.name === 'jsonb_to_recordset') {
      const records = coerced(operands[0] ?? null, 'jsonb') as Values[];
      return records.map((record) =>
        Object.fromEntries(source.columns.map(({ name, type }) => [name, coerced(record[name] ?? null, type)])),
      );
    }
    const known = this.execution.schema.functions.get(source.name);
    if (known === undefined) {
      throw new SyntaxError(`the simulation's Postgres has no function ${source.name}`);
    }
    const values = Object.fromEntries(known.parameters.map((name, index) => [name, operands[index] ?? null]));
    return this.run(known.body, this.scope([{ alias: source.name, values }])).map((row) =>
      Object.fromEntries(Object.values(row).map((value, index) => [known.columns[index] ?? '', value])),
    );
  }

  private itemsOf(items: readonly Item[], scope: Scope): Values {
    const row: Values = {};
    for (const { name, value, alias } of items) {
      if (value !== null) {
        row[name] = value(scope);
        continue;
      }
      for (const binding of [...scope.bindings].reverse()) {
        if (alias === null || binding.alias === alias) {
          Object.assign(row, binding.values);
        }
      }
    }
    return row;
  }

  private insert(insert: Insert, outer: Scope | null): Values[] {
    const table = this.table(insert.table);
    const given =
      insert.rows === null
        ? this.run(insert.query as Query, outer).map((row) => Object.values(row))
        : insert.rows.map((row) => row.map((value) => value(this.scope(outer?.bindings ?? []))));
    const written = given.flatMap((values) => {
      if (values.length !== insert.columns.length) {
        throw new SyntaxError(
          `an insert into ${insert.table} gives ${values.length} of ${insert.columns.length} values`,
        );
      }
      const row = Object.fromEntries(insert.columns.map((name, index) => [name, values[index] ?? null]));
      return this.insertRow(
        table,
        insert,
        table.complete(row, (initial) => initial(this.scope([]))),
      );
    });
    return this.returned(insert.returning, insert.alias, written);
  }

  private insertRow(table: Table, { alias, onConflict }: Insert, values: Values): Row[] {
    const { writer, undo } = this.execution;
    const evaluate = this.evaluateIn(table);
    if (onConflict !== null) {
      const constraints = onConflict.columns === null ? table.uniques : [this.constraintOn(table, onConflict.columns)];
      for (const constraint of constraints) {
        const conflict = table.conflicting(constraint, { values, writer, except: null, evaluate });
        if (conflict !== null) {
          return onConflict.set === null
            ? []
            : this.changeConflicting(table, { alias, row: conflict, excluded: values, ...onConflict });
        }
      }
    }
    table.check(values, evaluate);
    this.requireUnique(table, values, null);
    const row = table.add(values, writer);
    undo.push(() => table.remove(row));
    return [row];
  }

  private constraintOn(table: Table, columns: readonly string[]) {
    const wanted = [...columns].sort().join();
    const constraint = table.uniques.find((unique) => [...unique.columns].sort().join() === wanted);
    if (constraint === undefined) {
      throw new SyntaxError(`${table.name} has no unique constraint on (${columns.join(', ')})`);
    }
    return constraint;
  }

  private changeConflicting(
    table: Table,
    conflict: {
      alias: string;
      row: Row;
      excluded: Values;
      set: readonly Assignment[] | null;
      where: Expression | null;
    },
  ): Row[] {
    const { alias, row, excluded, set, where } = conflict;
    const values = table.seenBy(this.execution.writer, row) ?? {};
    const scope = this.scope([
      { alias, values },
      { alias: 'excluded', values: excluded },
    ]);
    if (where !== null && where(scope) !== true) {
      return [];
    }
    this.change(table, row, assigned(table, set ?? [], scope));
    return [row];
  }

  private update(update: Update, outer: Scope | null): Values[] {
    const table = this.table(update.table);
    const target: From = {
      source: { kind: 'table', name: update.table },
      alias: update.alias,
      join: 'inner',
      on: null,
    };
    const changed = new Map<Row, Bindings>();
    for (const { bindings, rows } of this.matching([target, ...update.from], update.where, outer?.bindings ?? [])) {
      const [row] = rows;
      if (row !== undefined && row !== null && !changed.has(row)) {
        this.change(table, row, assigned(table, update.set, this.scope(bindings)));
        changed.set(row, bindings.slice(0, -1));
      }
    }
    return update.returning === null
      ? []
      : [...changed].map(([row, others]) =>
          this.itemsOf(
            update.returning ?? [],
            this.scope([...others, { alias: update.alias, values: row.pending ?? {}, ctid: row.id }]),
          ),
        );
  }

  private delete({ table: name, alias, where, returning }: Delete, outer: Scope | null): Values[] {
    const target: From = { source: { kind: 'table', name }, alias, join: 'inner', on: null };
    const gone = this.matching([target], where, outer?.bindings ?? []);
    for (const { rows } of gone) {
      const [row] = rows;
      if (row !== undefined && row !== null) {
        this.remove(name, row);
      }
    }
    return returning === null ? [] : gone.map(({ bindings }) => this.itemsOf(returning, this.scope(bindings)));
  }

  /** Deletes a row and the rows that depend on it. */
  private remove(name: string, row: Row): void {
    this.lock(row);
    const gone = row.pending ?? {};
    this.replace(row, null);
    for (const child of this.execution.schema.tables.values()) {
      for (const { columns, theirs } of child.parents.filter((parent) => parent.name === name)) {
        const belongs = (values: Values): boolean =>
          columns.every((column, index) => compare(values[column] ?? null, gone[theirs[index] ?? ''] ?? null) === 0);
        for (const { row: orphan } of this.visible(child).filter(({ values }) => belongs(values))) {
          this.remove(child.name, orphan);
        }
      }
    }
  }

  private returned(items: readonly Item[] | null, alias: string, rows: readonly Row[]): Values[] {
    return items === null
      ? []
      : rows.map((row) => this.itemsOf(items, this.scope([{ alias, values: row.pending ?? {}, ctid: row.id }])));
  }

  private change(table: Table, row: Row, changes: Values): void {
    this.lock(row);
    const values = { ...row.pending, ...changes };
    table.check(values, this.evaluateIn(table));
    this.requireUnique(table, values, row);
    this.replace(row, values);
  }

  private requireUnique(table: Table, values: Values, except: Row | null): void {
    const evaluate = this.evaluateIn(table);
    for (const constraint of table.uniques) {
      if (table.conflicting(constraint, { values, writer: this.execution.writer, except, evaluate }) !== null) {
        throw new ConstraintViolation('23505', `${table.name} (${constraint.columns.join(', ')}) exists already`);
      }
    }
  }

  private evaluateIn(table: Table): (expression: Expression, values: Values) => Value {
    return (expression, values) => expression(this.scope([{ alias: table.name, values }]));
  }

  /** Locks a row for writing without changing its values. */
  private lock(row: Row): void {
    const { writer, undo } = this.execution;
    if (row.writer !== null && row.writer !== writer) {
      throw new MustWait(row.writer);
    }
    if (row.writer === null) {
      row.writer = writer;
      row.pending = row.committed;
      undo.push(() => {
        row.writer = null;
        row.pending = null;
      });
    }
  }

  private replace(row: Row, values: Values | null): void {
    const before = row.pending;
    row.pending = values;
    this.execution.undo.push(() => {
      row.pending = before;
    });
  }
}

function assigned(table: Table, set: readonly Assignment[], scope: Scope): Values {
  return Object.fromEntries(
    set.map(({ column, value }) => {
      const type = table.columns.get(column)?.type;
      if (type === undefined) {
        throw new SyntaxError(`the simulation's Postgres knows no column ${table.name}.${column}`);
      }
      return [column, coerced(value(scope), type)];
    }),
  );
}

function distinct(rows: readonly Values[]): Values[] {
  const seen = new Set<string>();
  return rows.filter((row) => {
    const key = Object.values(row).map(String).join('\u0000');
    return !seen.has(key) && seen.add(key);
  });
}
