import { open } from 'node:fs/promises';

/** Reads the JSON lines that were added to a file since the last call. A last line without its end waits for the next one. */
export function followLines(file: string): () => Promise<unknown[]> {
  const added = followText(file);
  let rest = '';
  return async () => {
    const parts = (rest + (await added())).split('\n');
    rest = parts.pop() ?? '';
    return parts.map((line) => JSON.parse(line) as unknown);
  };
}

/** Reads what was added to a file since the last call; nothing while there is no file. A file that became shorter is read from its start. */
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
