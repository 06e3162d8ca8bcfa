import { RawQueryFragment } from '@mikro-orm/core';
import { createHash } from 'node:crypto';
import pg, { type CustomTypesConfig } from 'pg';
import { instant } from './read-row.ts';

/**
 * The text of a typed statement, as `Statements` runs it. Its parameters are `$1`, `$2`, …, and its rows have bigints and Dates. It is a fragment, so
 * that MikroORM's EntityManager takes it too.
 */
export class CompiledText extends RawQueryFragment {
  /** Under this name a connection parses and plans it only once. */
  readonly name: string;

  constructor(text: string) {
    super(text);
    this.name = nameOf(text);
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
  return { name, text: sql, types: TYPES };
}
