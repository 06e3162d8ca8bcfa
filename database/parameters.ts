import { isRaw, JsonProperty, raw, type Configuration } from '@mikro-orm/core';
import {
  PostgreSqlConnection,
  PostgreSqlDriver,
  type AbstractSqlConnection,
  type NativeQueryBuilder,
} from '@mikro-orm/postgresql';
import { CompiledQuery } from 'kysely';
import { CompiledText, queryOf } from './compiled-text.ts';

type Execute = Parameters<AbstractSqlConnection['execute']>;
type Query = Execute[0];
type Values = Exclude<Execute[1], undefined>;

/** A statement as it is sent to the server. Its text contains no values. */
export interface Parameterized {
  readonly text: string;
  readonly values: readonly unknown[];
}

/**
 * MikroORM's driver for PostgreSQL, but with values passed as parameters. MikroORM's own connection writes them into the statement's text, so a
 * failing statement would put a payer's data into the server's log.
 */
export const ParameterDriver: typeof PostgreSqlDriver = class extends PostgreSqlDriver {
  override readonly connection: PostgreSqlConnection;

  constructor(config: Configuration) {
    super(config);
    this.connection = new ParameterConnection(config);
  }
};

class ParameterConnection extends PostgreSqlConnection {
  override async execute<Result>(
    query: Query,
    params: Values = [],
    method: Execute[2] = 'all',
    ctx?: Execute[3],
    loggerContext?: Execute[4],
  ): Promise<Result> {
    await this.ensureConnection();
    const { text, values } = query instanceof CompiledText ? asGiven(query, params) : parameterize(query, params);
    // kysely passes the text on to node-postgres, which also takes a name and types there.
    const sent = query instanceof CompiledText ? (queryOf(query) as unknown as string) : text;
    return this.executeQuery(
      text,
      async () =>
        this.transformRawResult<Result>(
          await (ctx ?? this.getClient()).executeQuery(CompiledQuery.raw(sent, [...values])),
          method,
        ),
      { query: text, ...loggerContext },
    );
  }
}

/** A typed statement has numbered its parameters, and node-postgres knows each value's type. */
function asGiven({ sql }: CompiledText, params: Values): Parameterized {
  if (!Array.isArray(params)) {
    throw new TypeError('the values of a typed statement are a list');
  }
  return { text: sql, values: params };
}

/**
 * Numbers each `?` and collects its value. Anything else that MikroORM passes instead of a value (an SQL fragment, a list, an identifier for `??`)
 * keeps its meaning. A number or boolean keeps the type that it has as a literal.
 */
export function parameterize(query: Query, params: Values = []): Parameterized {
  const values: unknown[] = [];
  const { sql, params: given } = fragmentOf(query, params);
  return { text: numbered(sql, given, values), values };
}

function fragmentOf(query: Query, params: Values): { sql: string; params: readonly unknown[] } {
  if (typeof query === 'string') {
    return Array.isArray(params) ? { sql: query, params } : raw(query, params as Record<string, unknown>);
  }
  return isBuilder(query) ? query.toRaw() : query;
}

function isBuilder(query: Exclude<Query, string>): query is NativeQueryBuilder {
  return 'toRaw' in query;
}

function numbered(sql: string, params: readonly unknown[], values: unknown[]): string {
  if (params.length === 0) {
    return sql;
  }
  let next = 0;
  return sql.replaceAll(/\\\?|\?\??/g, (mark) => {
    if (mark === '\\?') {
      return '?';
    }
    const value = params[next++];
    return mark === '??' ? identifier(value, values) : placeholder(value, values);
  });
}

function identifier(value: unknown, values: unknown[]): string {
  return isRaw(value)
    ? numbered(value.sql, value.params, values)
    : `"${String(value).replaceAll('"', '""').replace('.', '"."')}"`;
}

function placeholder(value: unknown, values: unknown[]): string {
  if (isRaw(value)) {
    return numbered(value.sql, value.params, values);
  }
  if (Array.isArray(value)) {
    return value.map((item) => placeholder(item, values)).join(', ');
  }
  if (value === null || value === undefined) {
    return 'null';
  }
  const number = values.push(transferred(value));
  return `$${number}${castOf(value)}`;
}

function transferred(value: unknown): unknown {
  if (typeof value === 'bigint') {
    return value.toString();
  }
  return isJson(value) ? JSON.stringify(value) : value;
}

function isJson(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) {
    return false;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || JsonProperty in value;
}

const INTEGER_MAX = 2 ** 31 - 1;

function castOf(value: unknown): string {
  if (typeof value === 'boolean') {
    return '::boolean';
  }
  if (typeof value !== 'number') {
    return '';
  }
  if (!Number.isInteger(value)) {
    return '::numeric';
  }
  return Math.abs(value) <= INTEGER_MAX ? '::integer' : '::bigint';
}
