import type { z } from 'zod';
import { followLines } from '../follow-lines.ts';

/** Returns the entries of the given types that were added to a journal since the last call. */
export function followEntries<Options extends readonly z.ZodObject<{ type: z.ZodLiteral<string> }>[]>(
  file: string,
  schema: z.ZodDiscriminatedUnion<Options>,
): () => Promise<z.infer<z.ZodDiscriminatedUnion<Options>>[]> {
  const added = followLines(file);
  const told: ReadonlySet<string> = new Set(schema.options.map((option) => option.shape.type.value));
  return async () => (await added()).filter((line) => told.has(typeOf(line))).map((line) => schema.parse(line));
}

function typeOf(entry: unknown): string {
  return typeof entry === 'object' && entry !== null && 'type' in entry ? String(entry.type) : '';
}
