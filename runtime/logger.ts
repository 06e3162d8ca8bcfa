import { maskCardNumbers } from '../domain/card-number.ts';
import { pino, type Logger as PinoLogger } from 'pino';

/** A structured log with one JSON line per event. Log ids and codes, never a secret or a payer's data. */
export type Logger = PinoLogger;

const CENSORED = [
  'secret',
  'apiSecret',
  'password',
  'authorization',
  'cookie',
  'customerEmail',
  'customerPhone',
  'customerName',
];

export function createLogger({ service, level = 'info' }: { service: string; level?: string }): Logger {
  return pino({
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: CENSORED.flatMap((name) => [name, `*.${name}`]), censor: '[redacted]' },
    hooks: { streamWrite: withoutCards },
  });
}

/** Masks card numbers in every text of a log line. They can occur in any member, for example in a gateway's message. */
export function withoutCards(line: string): string {
  return line.replace(/"(?:[^"\\]|\\.)*"/g, (literal) => {
    // The shortest card number has twelve digits, plain or escaped, so most texts need no parsing.
    if (!/\p{Nd}(?:[ -]?\p{Nd}){11}|%[\dA-Fa-f]{2}|\\\\/u.test(literal)) {
      return literal;
    }
    const text: unknown = JSON.parse(literal);
    const shown = maskCardNumbers(String(text));
    return shown === text ? literal : JSON.stringify(shown);
  });
}

/** Returns an error as it may be logged: class, code and our own message. The detail of a database error would contain row values. */
export function describeError(error: unknown): Record<string, unknown> {
  if (!Error.isError(error)) {
    return { name: typeof error };
  }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const fromDatabase = code !== undefined && /^[0-9A-Z]{5}$/.test(code);
  return {
    name: error.name,
    ...(code === undefined ? {} : { code }),
    message: fromDatabase ? 'database error' : error.message.slice(0, 500),
    stack: fromDatabase ? undefined : error.stack?.split('\n').slice(1, 8).join('\n'),
  };
}
