import {
  CamelCasePlugin,
  DummyDriver,
  ExpressionWrapper,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  ValueNode,
  type Compilable,
  type DeleteResult,
  type InsertResult,
  type MergeResult,
  type UpdateResult,
} from 'kysely';
import { CompiledText } from './compiled-text.ts';
import type { Database } from './connection.ts';
import type { Statements } from './statements.ts';
import type { Tables } from './tables.ts';

/** Gives a statement its parameters: `$('reference')` stands for the value of that name. */
export type Given<Values> = <Name extends keyof Values & string>(
  name: Name,
) => ExpressionWrapper<Tables, never, Values[Name]>;

/** The rows of a statement. Without `returning`, a write has none. */
type Rows<Output> = Output extends InsertResult | UpdateResult | DeleteResult | MergeResult ? never : Output;

/** Members of a row as TypeScript shows them. */
export type RowOf<Typed> =
  Typed extends TypedStatement<infer _Values, infer Row> ? { readonly [Name in keyof Row]: Row[Name] } : never;

/** Where a statement's parameter stands. The same name is sent once. */
class Slot {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/**
 * Writes constants into the text, where the planner sees them: `status in ('CREATED', 'PENDING')` uses a partial index, a parameter does not. A
 * statement is built when its module is loaded, so no value of a request can be among them.
 */
class ConstantCompiler extends PostgresQueryCompiler {
  readonly slots: string[] = [];

  protected override appendValue(value: unknown): void {
    if (value instanceof Slot) {
      const known = this.slots.indexOf(value.name);
      this.append(`$${known >= 0 ? known + 1 : this.slots.push(value.name)}`);
    } else {
      this.appendImmediateValue(value);
    }
  }
}

const NAMES = new CamelCasePlugin({ maintainNestedObjectKeys: true });

/** Builds statements. It has no connection: its statements run in the transactions of `Statements`. */
function builder(compiler: PostgresQueryCompiler): Kysely<Tables> {
  return new Kysely<Tables>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => compiler,
    },
    plugins: [NAMES],
  });
}

export class TypedStatement<Values, Row> {
  readonly compiled: CompiledText;
  private readonly slots: readonly (keyof Values & string)[];
  private names: readonly (readonly [column: string, property: string])[] | null = null;

  constructor(compiled: CompiledText, slots: readonly (keyof Values & string)[]) {
    this.compiled = compiled;
    this.slots = slots;
  }

  /** Sends the statement at once, so that several can share a round trip. */
  async all(statements: Statements, values: Values): Promise<Row[]> {
    return this.read(await statements.execute<Record<string, unknown>[]>(this.compiled, this.order(values)));
  }

  async first(statements: Statements, values: Values): Promise<Row | undefined> {
    const [row] = await this.all(statements, values);
    return row;
  }

  /** Runs it before a scope is known. */
  async lookup(database: Database, values: Values): Promise<Row | undefined> {
    const [row] = this.read(await database.lookup<Record<string, unknown>>(this.compiled, this.order(values)));
    return row;
  }

  private order(values: Values): unknown[] {
    return this.slots.map((name) => values[name]);
  }

  private read(rows: readonly Record<string, unknown>[]): Row[] {
    const [first] = rows;
    if (first === undefined) {
      return [];
    }
    const names = (this.names ??= Object.keys(first).map((column) => [column, propertyOf(column)]));
    return rows.map((row) => {
      // A loop costs half of `Object.fromEntries`, and every row passes here.
      const read: Record<string, unknown> = {};
      for (const [column, property] of names) {
        read[property] = row[column];
      }
      // The columns follow from the statement, whose type the compiler has derived from the entities.
      return read as Row;
    });
  }
}

function propertyOf(column: string): string {
  return column.replaceAll(/_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
}

/** A parameter of any type. */
type Parameter = <Value>(name: string) => ExpressionWrapper<Tables, never, Value>;

/**
 * Compiles a statement whose types are known to the caller. Most statements are compiled by `statement`, which derives them. A text that depends on a
 * request is not constant.
 */
export function compile<Values, Row>(
  build: (db: Kysely<Tables>, $: Parameter) => Compilable,
  text: { readonly isConstant: boolean },
): TypedStatement<Values, Row> {
  const compiler = new ConstantCompiler();
  const { sql } = build(builder(compiler), (name) => new ExpressionWrapper(ValueNode.create(new Slot(name)))).compile();
  return new TypedStatement(new CompiledText(sql, text), compiler.slots as (keyof Values & string)[]);
}

/**
 * Compiles a statement, as a constant of its module:
 *
 *     const NOTE_LED_ON = statement((db, $: Given<{ id: bigint }>) =>
 *       db.updateTable('payments').set({ ledOnAt: now }).where('id', '=', $('id')).where('ledOnAt', 'is', null));
 */
export function statement<Values, Output>(
  build: (db: Kysely<Tables>, $: Given<Values>) => Compilable<Output>,
): TypedStatement<Values, Rows<Output>> {
  return compile(build, { isConstant: true });
}
