import { mkdirSync, mkdtempSync } from 'node:fs';
import { join, resolve } from 'node:path';

const DATA = resolve(import.meta.dirname, '..', '.lenden', 'bench');

/** A folder for the servers of one measurement, on the disk of the repository; whoever makes it removes it. */
export function makeDirectory(): string {
  mkdirSync(DATA, { recursive: true });
  return mkdtempSync(join(DATA, 'stack-'));
}
