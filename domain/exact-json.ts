/**
 * A number as its text, so that nothing is rounded. It is the symbol's description; a symbol, so that no schema takes it for a value of its
 * own: an object would pass for one without members.
 */
export type NumberText = symbol;

export function numberText(text: string): NumberText {
  return Symbol(text);
}

export type ExactJson =
  | null
  | undefined
  | boolean
  | number
  | string
  | NumberText
  | readonly ExactJson[]
  | { readonly [name: string]: ExactJson };

/** JSON as `JSON.stringify` writes it, with numbers that are kept as text written as that text. */
export function writeJson(value: ExactJson): string {
  if (typeof value === 'symbol') {
    return value.description ?? 'null';
  }
  if (isList(value)) {
    return `[${value.map(writeJson).join(',')}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${writeJson(member)}`).join(',')}}`;
  }
  return JSON.stringify(value ?? null);
}

function isList(value: ExactJson): value is readonly ExactJson[] {
  return Array.isArray(value);
}
