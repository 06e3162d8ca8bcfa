import { invalidParameter } from './errors.ts';

/** A request's parameters: `a[b][0]=x` is `{a: {b: {0: 'x'}}}`. Lists are objects whose member names are numbers. */
export type Parameters = { [name: string]: string | Parameters };

const depthMax = 8;
const partsMax = 500;

/**
 * Reads parameters in bracket form.
 * @throws ApiError for names that cannot be read or that contradict each other
 */
export function readParameters(text: string): Parameters {
  const root = empty();
  let anonymous = 0;
  const pairs = [...new URLSearchParams(text)];
  if (pairs.length > partsMax) {
    throw invalidParameter('', 'Too many parameters');
  }
  for (const [name, value] of pairs) {
    const path = pathOf(name).map((part) => (part === '' ? String(anonymous++) : part));
    put(root, { path, value, name });
  }
  return root;
}

/** Returns the members of a list, in the order of their numbers. */
export function listOf(value: string | Parameters | undefined): (string | Parameters)[] {
  return typeof value === 'object'
    ? Object.keys(value)
        .toSorted((left, right) => Number(left) - Number(right))
        .flatMap((name) => value[name] ?? [])
    : [];
}

function empty(): Parameters {
  return Object.create(null) as Parameters;
}

function pathOf(name: string): string[] {
  const [, first, rest = ''] = /^([A-Za-z_][A-Za-z0-9_]*)((?:\[[A-Za-z0-9_ .:-]*\])*)$/.exec(name) ?? [];
  const parts = [...rest.matchAll(/\[([^\]]*)\]/g)].map(([, part = '']) => part);
  if (first === undefined || parts.length >= depthMax) {
    throw invalidParameter(name.slice(0, 100), `Invalid parameter name: ${name.slice(0, 100)}`);
  }
  return [first, ...parts];
}

function put(root: Parameters, { path, value, name }: { path: string[]; value: string; name: string }): void {
  let at = root;
  for (const part of path.slice(0, -1)) {
    const next = (at[part] ??= empty());
    if (typeof next === 'string') {
      throw invalidParameter(name, `Invalid object: ${name}`);
    }
    at = next;
  }
  const last = path.at(-1) ?? '';
  if (typeof at[last] === 'object') {
    throw invalidParameter(name, `Invalid string: ${name}`);
  }
  at[last] = value;
}
