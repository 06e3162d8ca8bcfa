/**
 * A number kept as text, so that it is not rounded. The text is the symbol's description. It is a symbol because an object would pass validation as
 * an object without members.
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

/** Writes JSON like `JSON.stringify`, but writes a {@link NumberText} as its text, unquoted. */
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
