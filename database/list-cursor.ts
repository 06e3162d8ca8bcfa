import { DomainError } from '../domain/errors.ts';

/** Lists are ordered by a time, an amount or an id. The name of the property tells which. */
function isTime(column: string): boolean {
  return column.endsWith('At');
}

/** The type in which a column is compared with a cursor's key. */
export function keyType(column: string): 'timestamptz' | 'bigint' {
  return isTime(column) ? 'timestamptz' : 'bigint';
}

export function writeCursor(keys: readonly string[]): string {
  return Buffer.from(JSON.stringify(keys)).toString('base64url');
}

/**
 * Parses a cursor. It comes from outside, so each key must be a valid value of its column: Postgres would reject anything else, and a client's
 * mistake must not look like our failure.
 */
export function readCursor(cursor: string, columns: readonly string[]): string[] {
  try {
    const keys: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (Array.isArray(keys) && keys.length === columns.length && keys.every(isText)) {
      if (columns.every((column, index) => (isTime(column) ? isTimestamp : isInteger)(keys[index] ?? ''))) {
        return keys;
      }
    }
  } catch {
    // Not valid JSON.
  }
  throw new DomainError('VALIDATION_ERROR', 'the request is not valid', {
    fields: { cursor: 'is not a cursor of this list' },
  });
}

function isText(key: unknown): key is string {
  return typeof key === 'string';
}

/** Ids and amounts are never negative or longer. A bigint holds every number of 18 digits. */
function isInteger(key: string): boolean {
  return /^\d{1,18}$/.test(key);
}

/** Accepts a `timestamptz` as Postgres writes it in ISO style. Rejects days and hours that do not exist. */
function isTimestamp(key: string): boolean {
  const match = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.\d{1,6})?([+-])(\d\d)(?::(\d\d))?$/.exec(key);
  if (match === null) {
    return false;
  }
  const [, day = '', time = '', , hours = '', minutes = '00'] = match;
  const written = `${day}T${time}.000Z`;
  const at = new Date(written);
  // Postgres has no year 0 and no zone offset beyond 15:59.
  return (
    !day.startsWith('0000') &&
    !Number.isNaN(at.getTime()) &&
    at.toISOString() === written &&
    Number(hours) <= 15 &&
    Number(minutes) <= 59
  );
}
