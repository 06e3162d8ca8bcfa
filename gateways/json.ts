import { z } from 'zod';
import { GatewayFailure } from './port.ts';

/** Returns undefined for text that is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A member that gateways write as text or as a number. An absent or null member becomes ''. */
export const optionalText = z
  .union([z.string(), z.number()])
  .nullish()
  .transform((value) => (value === null || value === undefined ? '' : String(value)));

/**
 * Parses the part of a gateway's answer that we read.
 * @throws GatewayFailure `ambiguous` if it does not match the schema
 */
export function readAnswer<Schema extends z.ZodType>(schema: Schema, answer: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(answer);
  if (!parsed.success) {
    throw new GatewayFailure('ambiguous', "the gateway's answer does not follow its protocol");
  }
  return parsed.data;
}

/**
 * Parses the secret of a store.
 * @throws GatewayFailure `unauthorized` for anything but JSON of this schema. `expected` names what is missing; the message never contains the secret
 */
export function readSecret<Schema extends z.ZodType>(
  schema: Schema,
  secret: string,
  expected: string,
): z.infer<Schema> {
  const parsed = schema.safeParse(parseJson(secret));
  if (!parsed.success) {
    throw new GatewayFailure('unauthorized', expected);
  }
  return parsed.data;
}
