import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { z } from 'zod';
import { errorCode } from './error-code.ts';

/**
 * Replaces a file that only its owner may read. Readers see the old text or the new one, never a part: the text is
 * written beside the file and renamed over it.
 */
export function writePrivateJson(file: string, value: unknown): void {
  mkdirSync(dirname(file), { recursive: true });
  const staging = `${file}.${process.pid}.new`;
  writeFileSync(staging, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600, flush: true });
  renameSync(staging, file);
}

/**
 * Reads such a file back; undefined when it is not there.
 * @throws when it holds something else than expected: guessing would make new secrets over old data.
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
    throw new Error(`${file} is not what this version of Lenden writes (${parsed.error.issues[0]?.message}).`);
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
