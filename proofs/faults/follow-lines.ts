import { open } from 'node:fs/promises';

/** Reads the JSON lines that were added to a file since the last call. An incomplete last line is left for the next call. */
export function followLines(file: string): () => Promise<unknown[]> {
  const added = followText(file);
  let rest = '';
  return async () => {
    const parts = (rest + (await added())).split('\n');
    rest = parts.pop() ?? '';
    return parts.map((line) => JSON.parse(line) as unknown);
  };
}

/** Reads what was added to a file since the last call, or nothing if the file does not exist. A file that became shorter is read from its start. */
export function followText(file: string): () => Promise<string> {
  let offset = 0;
  return async () => {
    const handle = await open(file, 'r').catch(() => null);
    if (handle === null) {
      return '';
    }
    try {
      const { size } = await handle.stat();
      offset = size < offset ? 0 : offset;
      const bytes = Buffer.alloc(size - offset);
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, offset);
      const whole = bytes.subarray(0, bytes.subarray(0, bytesRead).lastIndexOf(10) + 1);
      offset += whole.length;
      return whole.toString('utf8');
    } finally {
      await handle.close();
    }
  };
}
