import type { Expression } from './expression.ts';
import { coerced, compare, type Value, type Values } from './values.ts';

export interface Column {
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
  /** Whether the column numbers its rows automatically. */
  readonly identity: boolean;
  readonly initial: Expression | null;
}

export interface UniqueConstraint {
  readonly columns: readonly string[];
  /** Condition for the rows that it covers; null for all. */
  readonly where: Expression | null;
  /** `nulls not distinct`: two rows without a value count as equal. */
  readonly nullsAlike: boolean;
  /** The name, if the migration gives one. The names of other constraints follow from their columns. */
  readonly name?: string;
}

/** A writing transaction. It is open until it ends, after which waiting statements continue. */
export interface Writer {
  readonly id: bigint;
  readonly open: boolean;
}

/** One row: the committed version that others see, and its writer's version. */
export interface Row {
  readonly id: number;
  committed: Values | null;
  pending: Values | null;
  writer: Writer | null;
}

export class ConstraintViolation extends Error {
  readonly code: '23502' | '23505' | '23514';

  constructor(code: ConstraintViolation['code'], message: string) {
    super(message);
    this.name = 'ConstraintViolation';
    this.code = code;
  }
}

/** Thrown when a statement needs a row that another transaction is writing. */
export class MustWait extends Error {
  readonly writer: Writer;

  constructor(writer: Writer) {
    super('a row is locked');
    this.writer = writer;
  }
}

export class Table {
  readonly name: string;
  readonly columns = new Map<string, Column>();
  readonly uniques: UniqueConstraint[] = [];
  /** By name, as Postgres names them. */
  readonly checks = new Map<string, Expression>();
  primaryKey: readonly string[] = [];
  /** Rows of other tables with which rows of this one are deleted: `on delete cascade`. */
  readonly parents: {
    readonly name: string;
    readonly columns: readonly string[];
    readonly theirs: readonly string[];
  }[] = [];
  rows: Row[] = [];
  private lastId = 0;
  private lastIdentity = 0n;

  constructor(name: string) {
    this.name = name;
  }

  emptied(): Table {
    const copy = new Table(this.name);
    for (const [name, column] of this.columns) {
      copy.columns.set(name, column);
    }
    copy.uniques.push(...this.uniques);
    copy.parents.push(...this.parents);
    for (const [name, check] of this.checks) {
      copy.checks.set(name, check);
    }
    copy.primaryKey = this.primaryKey;
    return copy;
  }

  seenBy(writer: Writer, row: Row): Values | null {
    return row.writer === writer ? row.pending : row.committed;
  }

  /** Increments regardless of what happens to the row, as a sequence does. */
  nextIdentity(): bigint {
    this.lastIdentity += 1n;
    return this.lastIdentity;
  }

  /** Completes the values of a statement into a full row: defaults, types, identity. */
  complete(given: Values, initial: (expression: Expression) => Value): Values {
    const values: Values = {};
    for (const [name, column] of this.columns) {
      const value = given[name];
      if (value !== undefined) {
        values[name] = coerced(value, column.type);
      } else if (column.identity) {
        values[name] = this.nextIdentity();
      } else {
        values[name] = column.initial === null ? null : coerced(initial(column.initial), column.type);
      }
    }
    for (const name of Object.keys(given)) {
      if (!this.columns.has(name)) {
        throw new SyntaxError(`the simulation's Postgres knows no column ${this.name}.${name}`);
      }
    }
    return values;
  }

  /** Throws ConstraintViolation for values that the table does not accept. */
  check(values: Values, evaluate: (expression: Expression, values: Values) => Value): void {
    for (const { name, nullable } of this.columns.values()) {
      if (!nullable && values[name] === null) {
        throw new ConstraintViolation('23502', `null in ${this.name}.${name}`);
      }
    }
    this.checks.forEach((check, index) => {
      if (evaluate(check, values) === false) {
        throw new ConstraintViolation('23514', `check ${index + 1} of ${this.name} refuses the row`);
      }
    });
  }

  /** Returns the row that conflicts with these values under a constraint. Throws MustWait if that depends on a transaction that is still open. */
  conflicting(
    constraint: UniqueConstraint,
    {
      values,
      writer,
      except,
      evaluate,
    }: {
      values: Values;
      writer: Writer;
      except: Row | null;
      evaluate: (expression: Expression, values: Values) => Value;
    },
  ): Row | null {
    const counts = (candidate: Values): boolean =>
      constraint.where === null || evaluate(constraint.where, candidate) === true;
    const same = (candidate: Values | null): boolean =>
      candidate !== null &&
      counts(candidate) &&
      constraint.columns.every((name) => {
        const [mine = null, other = null] = [values[name], candidate[name]];
        return (constraint.nullsAlike && mine === null && other === null) || compare(mine, other) === 0;
      });
    if (!counts(values)) {
      return null;
    }
    for (const row of this.rows) {
      if (row === except) {
        continue;
      }
      if (row.writer !== null && row.writer !== writer && (same(row.pending) || same(row.committed))) {
        throw new MustWait(row.writer);
      }
      if (same(this.seenBy(writer, row))) {
        return row;
      }
    }
    return null;
  }

  add(values: Values, writer: Writer): Row {
    const row: Row = { id: (this.lastId += 1), committed: null, pending: values, writer };
    this.rows.push(row);
    return row;
  }

  remove(row: Row): void {
    this.rows = this.rows.filter((other) => other !== row);
  }
}
