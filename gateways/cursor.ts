import type { z } from 'zod';
import { parseJson } from './json.ts';
import { GatewayFailure } from './port.ts';

/**
 * Reads back what an adapter wrote into `PayoutPage.next`.
 * @throws GatewayFailure `invalid` for anything else
 */
export function readCursor<Schema extends z.ZodType>(schema: Schema, text: string): z.infer<Schema> {
  const parsed = schema.safeParse(parseJson(text));
  if (!parsed.success) {
    throw new GatewayFailure('invalid', 'the place from which to go on reading is none of this gateway');
  }
  return parsed.data;
}
