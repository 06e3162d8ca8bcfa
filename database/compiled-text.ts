import { RawQueryFragment } from '@mikro-orm/core';
import { createHash } from 'node:crypto';
import pg, { type CustomTypesConfig } from 'pg';
import { instant } from './read-row.ts';

/**
 * The text of a typed statement, as `Statements` runs it. Its parameters are `$1`, `$2`, …, and its rows have bigints and Dates. It is a fragment, so
 * that MikroORM's EntityManager takes it too.
 */
export class CompiledText extends RawQueryFragment {
  /** Under this name a connection parses and plans it only once. Undefined for a text that is not a constant: each name stays in the server's memory. */
  readonly name: string | undefined;

  constructor(text: string, { isConstant }: { readonly isConstant: boolean }) {
    super(text);
    this.name = isConstant ? nameOf(text) : undefined;
  }
}

export function nameOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 20);
}

const { DATE, INT8, TIMESTAMPTZ } = pg.types.builtins;

/** 64-bit integers become bigints, and instants Dates. A date stays text, since a Date would depend on the process's time zone. */
const PARSERS: ReadonlyMap<number, (text: string) => unknown> = new Map<number, (text: string) => unknown>([
  [INT8, BigInt],
  [TIMESTAMPTZ, instant],
  [DATE, (text) => text],
]);

const TYPES: CustomTypesConfig = {
  getTypeParser: (type: number) => PARSERS.get(type) ?? pg.types.getTypeParser(type, 'text'),
};

/** A query as node-postgres takes it. It changes the object. */
export function queryOf({ name, sql }: CompiledText) {
  return { ...(name === undefined ? {} : { name }), text: sql, types: TYPES };
}
