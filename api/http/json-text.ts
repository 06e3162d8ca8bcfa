import { numberText, type NumberText } from '../../domain/exact-json.ts';
import { DomainError } from '../../domain/errors.ts';

/** `NumberText` stands for a number whose text is not a plain integer within 2^53−1, such as `1e3`, `1.0` or `0.1`. */
export type JsonValue = null | boolean | number | string | NumberText | JsonValue[] | { [key: string]: JsonValue };

const DEPTH_MAX = 32;
const KEYS_MAX = 10_000;
const PLAIN_INTEGER = /^-?(0|[1-9]\d{0,15})$/;

/**
 * Parses a JSON body strictly. `JSON.parse` keeps the last of two equal keys and rounds numbers, and both have caused wrong payments in other
 * systems. Throws VALIDATION_ERROR; its message never repeats the body.
 */
export function parseJsonStrictly(text: string): JsonValue {
  const value = parse(text);
  // Runs after parsing, because the scan expects every string to be complete.
  refuseDuplicateKeys(text);
  return value;
}

function parse(text: string): JsonValue {
  try {
    return JSON.parse(text, (_key, value: unknown, context?: { source?: string }) =>
      typeof value === 'number' ? exactNumber(value, context?.source ?? '') : value,
    );
  } catch {
    throw malformed('the body is not valid JSON');
  }
}

function exactNumber(value: number, source: string): number | NumberText {
  return PLAIN_INTEGER.test(source) && Number.isSafeInteger(value) ? value : numberText(source);
}

function malformed(message: string): DomainError {
  return new DomainError('VALIDATION_ERROR', message, { fields: { body: message } });
}

/** Scans the text once, skipping strings and collecting the keys of each open object. */
function refuseDuplicateKeys(text: string): void {
  const keysOfOpenObjects: (Set<string> | null)[] = [];
  let keys = 0;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"(?:\s*:)?|[{}[\]]/gs)) {
    if (token === '{' || token === '[') {
      keysOfOpenObjects.push(token === '{' ? new Set() : null);
      if (keysOfOpenObjects.length > DEPTH_MAX) {
        throw malformed(`the body is nested deeper than ${DEPTH_MAX} levels`);
      }
    } else if (token === '}' || token === ']') {
      keysOfOpenObjects.pop();
    } else if (token.endsWith(':')) {
      const key = decodeKey(token);
      const seen = keysOfOpenObjects.at(-1);
      keys += 1;
      if (seen?.has(key) === true || keys > KEYS_MAX) {
        throw malformed(keys > KEYS_MAX ? 'the body has too many members' : 'the body names a member twice');
      }
      seen?.add(key);
    }
  }
}

/** `"a\u006dount" :` and `"amount":` are the same key. */
function decodeKey(token: string): string {
  try {
    return String(JSON.parse(token.slice(0, token.lastIndexOf('"') + 1)));
  } catch {
    return token;
  }
}

/** Returns canonical JSON: members sorted by name, no white space, numbers as their exact text. Equivalent bodies become the same text. */
export function canonicalJson(value: JsonValue): string {
  if (typeof value === 'symbol') {
    return value.description ?? '';
  }
  if (Array.isArray(value)) {
    return `[${value.map(canonicalJson).join(',')}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}
