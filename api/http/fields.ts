import { z } from 'zod';
import { holdsCardNumber } from '../../domain/card-number.ts';

// PostgreSQL refuses NUL, and control characters or lone surrogates have no business in a name.
const FORBIDDEN_TEXT = /[\p{Cc}\p{Cs}]/u;
/** The same rules for readers of the contract, without what other languages' patterns lack; JSON text has no lone surrogates. */
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

/** Text from outside: bounded, not blank, no control characters, well-formed Unicode. */
export function text(lengthMax: number) {
  return bounded(lengthMax)
    .refine((value) => !FORBIDDEN_TEXT.test(value), 'must not contain control characters')
    .refine((value) => value.trim() !== '', 'must not be blank')
    .meta({ pattern: TEXT_PATTERN });
}

/** No card number may come to rest here: whoever stores one, or reads it, is bound by PCI DSS. */
export const NO_CARD = 'must not contain a card number';
/** How the contracts tell of it, where a field has no words of its own. */
const FREE_TEXT = 'Free text; one that contains a card number is refused.';

/** Whether a card number stands in any text or number of it, or in the name of a member. */
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

/** Text that somebody wrote to be read, such as a name, a description or a reason: never a reference, a phone number or an address of e-mail. */
export function freeText(lengthMax: number) {
  return text(lengthMax)
    .refine((value) => !holdsCardNumber(value), NO_CARD)
    .meta({ pattern: TEXT_PATTERN, description: FREE_TEXT });
}

/** The same, where tabs and line breaks become a space: shops send what was typed into a form of several lines. */
export function oneLine(lengthMax: number) {
  return bounded(lengthMax)
    .transform((given) => given.replace(/[\t\n\v\f\r]+/g, ' '))
    .pipe(freeText(lengthMax))
    .meta({ pattern: ONE_LINE_PATTERN, description: FREE_TEXT });
}

/** The same with line breaks, which forms of browsers send as CRLF. */
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

/** Text that must be there, in the words of `missing` where it is not. The contract tells all that is asked of it, not only that it is text. */
export function present(schema: z.ZodType<string, string>, missing: Parameters<typeof z.string>[0]) {
  const { $schema: _schema, type: _type, minLength: _minLength, ...rules } = z.toJSONSchema(schema, { io: 'input' });
  return z.string(missing).min(1, 'is required').pipe(schema).meta(rules);
}

/** What programs send where they have nothing to say: how it is known, and how a contract tells of it. */
interface Blank {
  readonly is: (given: unknown) => boolean;
  readonly rules: Readonly<Record<string, unknown>>;
}

export const EMPTY_TEXT: Blank = { is: (given) => given === '', rules: { type: 'string', maxLength: 0 } };
/** PHP writes an empty object so. */
export const EMPTY_LIST: Blank = {
  is: (given) => Array.isArray(given) && given.length === 0,
  rules: { type: 'array', items: {}, maxItems: 0 },
};

/** What may be left out, where null and `blank` mean the same as that. */
export function mayBeBlank<Schema extends z.ZodType>(schema: Schema, blank = EMPTY_TEXT) {
  const { $schema: _schema, ...rules } = z.toJSONSchema(schema, { io: 'input' });
  return z
    .preprocess((given) => (blank.is(given) ? null : given), schema.nullable())
    .meta({ anyOf: [rules, blank.rules, { type: 'null' }] })
    .optional();
}

/** What both Postgres and `Date` hold, with room for an offset or a day more. */
const EARLIEST_MS = Date.parse('0001-01-02T00:00:00Z');
const LATEST_MS = Date.parse('9999-12-30T00:00:00Z');

/** The instant, moved to the nearest one that a database can hold: beyond it nothing was ever made, so as a bound it says the same. */
export function storableInstant(ms: number): Date {
  return new Date(Math.min(Math.max(ms, EARLIEST_MS), LATEST_MS));
}

/** A serial id in a path or a query. What is no id names nothing, so it is refused as a value, never as a server error. */
export const IdText = z
  .string()
  .regex(/^[1-9]\d{0,15}$/, 'must be a positive integer')
  .transform(BigInt)
  .refine((id) => id <= BigInt(Number.MAX_SAFE_INTEGER), 'must be a positive integer')
  .meta({ type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER });

export const IdParams = z.object({ id: IdText });

export const Email = z
  .email({ pattern: EMAIL_PATTERN, error: 'must be an e-mail address' })
  .max(254, 'must be at most 254 characters')
  // RFC 5321: at most 64 octets before the @.
  .refine((email) => email.indexOf('@') <= 64, 'must be an e-mail address');

/** PostgreSQL has no year 0. */
const FIRST_MS = Date.parse('0001-01-01T00:00:00Z');

/** Whether the database can compare with that instant. */
export function isComparable(instantMs: number): boolean {
  return instantMs >= FIRST_MS;
}
