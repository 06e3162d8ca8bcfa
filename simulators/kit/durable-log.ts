import { mkdir, open, readFile, rename } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Longer lines are refused, because a log with unbounded lines cannot be replayed. */
const lineLengthMax = 1_000_000;

/**
 * An append-only file of JSON lines. `append` is synchronous, so that no other request can come between a decision and its record. `settled` resolves
 * once everything appended so far is on disk; callers must not reveal it before that.
 */
export type DurableLog<Entry> = {
  append(entry: Entry): void;
  /** Rejects permanently after a failed write: the process must not report what it cannot store. */
  settled(): Promise<void>;
  /** Renames the file and starts an empty one. */
  rotate(suffix: string): Promise<void>;
  close(): Promise<void>;
};

/** Opens the log and returns its entries. Removes a line left incomplete by a crash; it was never reported to anyone. */
export async function openDurableLog<Entry>(path: string): Promise<{ log: DurableLog<Entry>; entries: Entry[] }> {
  await mkdir(dirname(path), { recursive: true });
  const entries = await recover<Entry>(path);
  const writer = createWriter(path, await openForAppend(path));
  return { log: { ...writer, append: (entry: Entry) => writer.append(entry) }, entries };
}

async function recover<Entry>(path: string): Promise<Entry[]> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') {
      return Buffer.alloc(0);
    }
    throw error;
  });
  const end = bytes.lastIndexOf(10) + 1;
  if (end < bytes.length) {
    const file = await open(path, 'r+');
    await file.truncate(end);
    await file.sync();
    await file.close();
  }
  const lines = bytes.subarray(0, end).toString('utf8').split('\n').slice(0, -1);
  return lines.map((line, index) => parseLine<Entry>({ line, where: `${path}:${index + 1}` }));
}

function parseLine<Entry>({ line, where }: { line: string; where: string }): Entry {
  try {
    return JSON.parse(line) as Entry;
  } catch (cause) {
    throw new Error(`${where} is not JSON; the log was damaged from outside`, { cause });
  }
}

async function openForAppend(path: string): Promise<FileHandle> {
  const file = await open(path, 'a', 0o600);
  // The file's name must survive a power cut too, not only its bytes.
  const folder = await open(dirname(path), 'r');
  await folder.sync();
  await folder.close();
  return file;
}

function createWriter(path: string, first: FileHandle) {
  let file = first;
  let waiting: string[] = [];
  let flushing: Promise<void> = Promise.resolve();
  let scheduled = false;

  // Group commit: one write and one sync for all lines that came in meanwhile.
  async function flush(): Promise<void> {
    scheduled = false;
    const batch = waiting;
    waiting = [];
    if (batch.length > 0) {
      await file.appendFile(batch.join(''));
      await file.datasync();
    }
  }

  async function putAside(suffix: string): Promise<void> {
    await flush();
    await file.close();
    await rename(path, `${path}.${suffix}`);
    file = await openForAppend(path);
  }

  function settled(): Promise<void> {
    if (waiting.length > 0 && !scheduled) {
      scheduled = true;
      flushing = flushing.then(flush);
      // Every caller of settled() gets the failure; this only keeps Node from reporting an unhandled rejection.
      flushing.catch(() => undefined);
    }
    return flushing;
  }

  return {
    append(entry: unknown): void {
      const line = JSON.stringify(entry);
      if (line.length > lineLengthMax) {
        throw new RangeError(`A log line of ${line.length} characters is over the limit of ${lineLengthMax}`);
      }
      waiting.push(`${line}\n`);
    },
    settled,
    rotate(suffix: string): Promise<void> {
      // Runs in the same queue as the writes, so that none of them finds the file closed.
      flushing = flushing.then(() => putAside(suffix));
      return flushing;
    },
    async close(): Promise<void> {
      await settled();
      await file.close();
    },
  };
}
