/** Reads a text of the address; undefined if it cannot be a value. */
type Reader<Value extends string> = (text: string) => Value | undefined;

/** Filters by the name that they have in the address and at the API. */
export type Filters = Readonly<Record<string, Reader<string>>>;

export type FilterOf<Of extends Filters> = {
  readonly [Name in keyof Of]?: Of[Name] extends Reader<infer Value> ? Value : never;
};

const LONGEST = 255;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const NUMBER = /^\d{1,15}$/;

export const day: Reader<string> = (text) => (DAY.test(text) ? text : undefined);

export const wholeNumber: Reader<string> = (text) => (NUMBER.test(text) ? text : undefined);

export const anyText: Reader<string> = (text) => {
  const trimmed = text.trim().slice(0, LONGEST);
  return trimmed === '' ? undefined : trimmed;
};

export function oneOf<Value extends string>(values: readonly Value[]): Reader<Value> {
  return (text) => values.find((value) => value === text);
}

/** Returns what reads the filters of an address. What is not a filter, or has no such value, is left out. */
export function filterReader<Of extends Filters>(filters: Of): (search: Record<string, unknown>) => FilterOf<Of> {
  return (search) => {
    const read = Object.entries(filters).flatMap(([name, reader]) => {
      const given = search[name];
      const value = typeof given === 'string' ? reader(given) : undefined;
      return value === undefined ? [] : [[name, value] as const];
    });
    return Object.fromEntries(read) as FilterOf<Of>;
  };
}
