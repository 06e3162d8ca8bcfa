import { z } from 'zod';
import { holdsCardNumber } from '../../domain/card-number.ts';

// PostgreSQL rejects NUL. Other control characters and lone surrogates do not belong in a name.
const FORBIDDEN_TEXT = /[\p{Cc}\p{Cs}]/u;
/** The same rules as patterns for the OpenAPI document, in syntax that other languages support too. JSON text has no lone surrogates. */
const CONTROL = String.raw`\u0000-\u001f\u007f-\u009f`;
const TEXT_PATTERN = String.raw`^[^${CONTROL}]*[^\s${CONTROL}][^${CONTROL}]*$`;

const ONE_LINE_CONTROL = String.raw`\u0000-\u0008\u000e-\u001f\u007f-\u009f`;
const ONE_LINE_PATTERN = String.raw`^[^${ONE_LINE_CONTROL}]*[^\s${CONTROL}][^${ONE_LINE_CONTROL}]*$`;

const LINES_CONTROL = String.raw`\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f-\u009f`;
const LINES_PATTERN = String.raw`^[^${LINES_CONTROL}]*[^\s${CONTROL}][^${LINES_CONTROL}]*$`;

const EMAIL_PATTERN =
  /^[A-Za-z0-9_'+-]+(?:\.[A-Za-z0-9_'+-]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}$/;

function bounded(lengthMax: number) {
  return z.string('must be text').min(1, 'must not be empty').max(lengthMax, `must be at most ${lengthMax} characters`);
}

/** Returns the schema of external text: bounded, not blank, without control characters, well-formed Unicode. */
export function text(lengthMax: number) {
  return bounded(lengthMax)
    .refine((value) => !FORBIDDEN_TEXT.test(value), 'must not contain control characters')
    .refine((value) => value.trim() !== '', 'must not be blank')
    .meta({ pattern: TEXT_PATTERN });
}

/** Lenden must not store card numbers: storing or reading them is subject to PCI DSS. */
export const NO_CARD = 'must not contain a card number';
/** The OpenAPI description of fields that have none of their own. */
const FREE_TEXT = 'Free text. Must not contain a card number.';

/** Returns whether any text, number or member name in the value contains a card number. */
export function holdsCard(given: unknown): boolean {
  if (typeof given === 'string') {
    return holdsCardNumber(given);
  }
  if (typeof given === 'symbol') {
    return holdsCardNumber(given.description ?? '');
  }
  if (typeof given === 'number') {
    return holdsCardNumber(String(given));
  }
  return typeof given === 'object' && given !== null && Object.entries(given).flat().some(holdsCard);
}

/** Returns the schema of text written for people, such as a name, a description or a reason. Not for references, phone numbers or email addresses. */
export function freeText(lengthMax: number) {
  return text(lengthMax)
    .refine((value) => !holdsCardNumber(value), NO_CARD)
    .meta({ pattern: TEXT_PATTERN, description: FREE_TEXT });
}

/** Like `freeText`, but turns tabs and line breaks into a space: shops send what was typed into multi-line fields. */
export function oneLine(lengthMax: number) {
  return bounded(lengthMax)
    .transform((given) => given.replace(/[\t\n\v\f\r]+/g, ' '))
    .pipe(freeText(lengthMax))
    .meta({ pattern: ONE_LINE_PATTERN, description: FREE_TEXT });
}

/** Like `freeText`, but allows line breaks. Browsers send them as CRLF. */
export function lines(lengthMax: number) {
  return bounded(lengthMax)
    .transform((given) => given.replace(/\r\n?/g, '\n'))
    .pipe(
      z
        .string()
        .refine((value) => !FORBIDDEN_TEXT.test(value.replaceAll('\n', ' ')), 'must not contain control characters')
        .refine((value) => value.trim() !== '', 'must not be blank')
        .refine((value) => !holdsCardNumber(value), NO_CARD),
    )
    .meta({ pattern: LINES_PATTERN, description: FREE_TEXT });
}

/** Returns the schema of required text with `missing` as the error for an absent value. The OpenAPI document shows all rules of the inner schema. */
export function present(schema: z.ZodType<string, string>, missing: Parameters<typeof z.string>[0]) {
  const { $schema: _schema, type: _type, minLength: _minLength, ...rules } = z.toJSONSchema(schema, { io: 'input' });
  return z.string(missing).min(1, 'is required').pipe(schema).meta(rules);
}

/** A value that programs send in place of an absent one: how to recognize it, and its JSON Schema. */
interface Blank {
  readonly is: (given: unknown) => boolean;
  readonly rules: Readonly<Record<string, unknown>>;
}

export const EMPTY_TEXT: Blank = { is: (given) => given === '', rules: { type: 'string', maxLength: 0 } };
/** PHP encodes an empty object as `[]`. */
export const EMPTY_LIST: Blank = {
  is: (given) => Array.isArray(given) && given.length === 0,
  rules: { type: 'array', items: {}, maxItems: 0 },
};

/** Returns a schema that treats an absent value, null and `blank` alike. */
export function mayBeBlank<Schema extends z.ZodType>(schema: Schema, blank = EMPTY_TEXT) {
  const { $schema: _schema, ...rules } = z.toJSONSchema(schema, { io: 'input' });
  return z
    .preprocess((given) => (blank.is(given) ? null : given), schema.nullable())
    .meta({ anyOf: [rules, blank.rules, { type: 'null' }] })
    .optional();
}

/** The range that both Postgres and `Date` can hold, with room to add an offset or a day. */
const EARLIEST_MS = Date.parse('0001-01-02T00:00:00Z');
const LATEST_MS = Date.parse('9999-12-30T00:00:00Z');

/** Returns the instant, moved into the range that the database can hold. No row is older or newer, so as a bound it means the same. */
export function storableInstant(ms: number): Date {
  return new Date(Math.min(Math.max(ms, EARLIEST_MS), LATEST_MS));
}

/** A serial id in a path or a query. Rejects everything else, so that a bad id never causes a server error. */
export const IdText = z
  .string()
  .regex(/^[1-9]\d{0,15}$/, 'must be a positive integer')
  .transform(BigInt)
  .refine((id) => id <= BigInt(Number.MAX_SAFE_INTEGER), 'must be a positive integer')
  .meta({ type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER });

/** An amount in minor units in a query. */
export const AmountText = z
  .string()
  .regex(/^\d{1,15}$/, 'must be a whole number of minor units')
  .transform(BigInt)
  .meta({ type: 'integer', minimum: 0, maximum: 999_999_999_999_999 });

export const IdParams = z.object({ id: IdText });

export const Email = z
  .email({ pattern: EMAIL_PATTERN, error: 'must be an email address' })
  .max(254, 'must be at most 254 characters')
  // RFC 5321: at most 64 octets before the @.
  .refine((email) => email.indexOf('@') <= 64, 'must be an email address');

/** PostgreSQL has no year 0. */
const FIRST_MS = Date.parse('0001-01-01T00:00:00Z');

/** Returns whether the database can compare with the instant. */
export function isComparable(instantMs: number): boolean {
  return instantMs >= FIRST_MS;
}
