import { maskCardNumbers } from '../domain/card-number.ts';
import { pino, type Logger as PinoLogger } from 'pino';

/** Structured log: one JSON line an event. What is logged are ids and codes, never a secret and never a payer's data. */
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

/** A member's name does not tell where a card number may stand, such as in a gateway's words, so every text of the line is read. */
export function withoutCards(line: string): string {
  return line.replace(/"(?:[^"\\]|\\.)*"/g, (literal) => {
    // The shortest card number has twelve digits, written plainly or in escapes, so hardly any text needs to be taken apart.
    if (!/\p{Nd}(?:[ -]?\p{Nd}){11}|%[\dA-Fa-f]{2}|\\\\/u.test(literal)) {
      return literal;
    }
    const text: unknown = JSON.parse(literal);
    const shown = maskCardNumbers(String(text));
    return shown === text ? literal : JSON.stringify(shown);
  });
}

/** An error as it may be logged: class, code and our own words. A database error's detail would quote row values. */
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
