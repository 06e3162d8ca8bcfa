/** A duration, like PostgreSQL's `interval` without months. */
export class Interval {
  readonly ms: number;

  constructor(ms: number) {
    this.ms = ms;
  }
}

/** The value of a column or an expression. 64-bit integers are bigint, shorter ones number; text[] and jsonb are objects. */
export type Value = null | boolean | number | bigint | string | Date | Uint8Array | Interval | object;
export type Values = Record<string, Value>;

const UNIT_MS: Readonly<Record<string, number>> = {
  millisecond: 1,
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};

export function interval(text: string): Interval {
  const match = /^(\d+(?:\.\d+)?) (millisecond|second|minute|hour|day)s?$/.exec(text);
  const unitMs = UNIT_MS[match?.[2] ?? ''];
  if (unitMs === undefined) {
    throw new SyntaxError(`the simulation does not read interval '${text}'`);
  }
  return new Interval(Number(match?.[1]) * unitMs);
}

/** Compares in SQL's order. Returns null if either side is null. */
export function compare(a: Value, b: Value): number | null {
  if (a === null || b === null) {
    return null;
  }
  const left = ordinal(a, b);
  const right = ordinal(b, a);
  return left < right ? -1 : left > right ? 1 : 0;
}

function ordinal(value: Value, other: Value): string | number | bigint {
  switch (typeof value) {
    case 'boolean':
      return value ? 1 : 0;
    case 'string':
      return typeof other === 'bigint' || typeof other === 'number' ? BigInt(value) : asInstantText(value, other);
    case 'number':
    case 'bigint':
      return value;
    default:
      return ordinalOfObject(value);
  }
}

function asInstantText(text: string, other: Value): string | number {
  return other instanceof Date ? Date.parse(text) : text;
}

function ordinalOfObject(value: Value): string | number {
  if (value instanceof Date) {
    return value.getTime();
  }
  if (value instanceof Interval) {
    return value.ms;
  }
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : JSON.stringify(value);
}

export function arithmetic(operator: string, a: Value, b: Value): Value {
  if (a === null || b === null) {
    return null;
  }
  if (a instanceof Date || a instanceof Interval || b instanceof Interval) {
    return arithmeticOfTime(operator, a, b);
  }
  if (typeof a === 'bigint' || typeof b === 'bigint') {
    const [left, right] = [BigInt(a as bigint), BigInt(b as bigint)];
    return operator === '+'
      ? left + right
      : operator === '-'
        ? left - right
        : operator === '*'
          ? left * right
          : left / right;
  }
  const [left, right] = [Number(a), Number(b)];
  return operator === '+'
    ? left + right
    : operator === '-'
      ? left - right
      : operator === '*'
        ? left * right
        : left / right;
}

function arithmeticOfTime(operator: string, a: Value, b: Value): Value {
  const sign = operator === '-' ? -1 : 1;
  if (a instanceof Date) {
    return b instanceof Interval
      ? new Date(a.getTime() + sign * b.ms)
      : new Interval(a.getTime() - (b as Date).getTime());
  }
  if (a instanceof Interval && b instanceof Interval) {
    return new Interval(a.ms + sign * b.ms);
  }
  const [span, factor] = a instanceof Interval ? [a, b] : [b as Interval, a];
  return new Interval(span.ms * Number(factor));
}

/** Converts a value to a column's type, for storage or a cast. */
export function coerced(value: Value, type: string): Value {
  if (value === null) {
    return null;
  }
  switch (type) {
    case 'bigint':
    case 'xid8':
      return BigInt(typeof value === 'number' ? Math.round(value) : (value as bigint | string));
    case 'integer':
    case 'int':
    case 'smallint':
      return Math.round(Number(value));
    case 'boolean':
      return typeof value === 'string' ? value === 'true' || value === 't' : Boolean(value);
    case 'timestamptz':
      return instant(value);
    case 'text[]':
    case 'bigint[]':
    case 'integer[]':
      return listOf(value).map((member) => coerced(member, type.slice(0, -2)));
    case 'jsonb':
      return typeof value === 'string' ? (JSON.parse(value) as Value) : value;
    case 'text':
      return value instanceof Date
        ? value.toISOString()
        : typeof value === 'object'
          ? ordinalOfObject(value).toString()
          : String(value);
    default:
      return value;
  }
}

/** Accepts an array, or PostgreSQL's text form of an array without quotes or nulls. */
function listOf(value: Value): Value[] {
  if (Array.isArray(value)) {
    return value as Value[];
  }
  const inner = /^\{([^{}"]*)\}$/.exec(String(value))?.[1];
  if (inner === undefined) {
    throw new SyntaxError(`not an array: ${String(value)}`);
  }
  return inner === '' ? [] : inner.split(',');
}

function instant(value: Value): Date {
  const at = value instanceof Date ? new Date(value) : new Date(value as string);
  if (Number.isNaN(at.getTime())) {
    throw new SyntaxError(`not an instant: ${String(value)}`);
  }
  return at;
}
