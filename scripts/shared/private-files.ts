import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { z } from 'zod';
import { errorCode } from './error-code.ts';

/**
 * Replaces a file that only its owner may read. The text is written to another file, which is then renamed, so that readers see the old or the new
 * text but never a part.
 */
export function writePrivateJson(file: string, value: unknown): void {
  mkdirSync(dirname(file), { recursive: true });
  const staging = `${file}.${process.pid}.new`;
  writeFileSync(staging, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600, flush: true });
  renameSync(staging, file);
}

/**
 * Reads a file written by `writePrivateJson`. Returns undefined if it does not exist.
 * @throws when the content is not as expected. Ignoring it would lead to new secrets for old data.
 */
export function readPrivateJson<T extends z.ZodType>(file: string, schema: T): z.infer<T> | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
  const parsed = schema.safeParse(jsonOf(text));
  if (!parsed.success) {
    throw new Error(`${file} was not written by this version of Lenden (${parsed.error.issues[0]?.message}).`);
  }
  return parsed.data;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
