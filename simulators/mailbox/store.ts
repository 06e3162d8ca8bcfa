import { mkdir, open, readFile, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Older messages are deleted. Together with the maximum size of a message, this bounds the folder. */
const keptMax = 1_000;

/** What the list shows of a message. */
export type Summary = {
  /** Counts from 1 and is never reused. */
  n: number;
  /** Time of arrival, RFC 3339 with Z. */
  at: string;
  /** The sender in the SMTP envelope, which can differ from the headers. */
  from: string;
  to: readonly string[];
  subject: string;
  /** Includes the angle brackets; empty if the message has none. */
  messageId: string;
};

/** The message as received over the wire. */
export type StoredMessage = Summary & { rawBase64: string };

/** Stores one file per message. A message answered with 250 is on disk, so no crash can lose it. */
export type MessageStore = {
  /** Resolves once the message is on disk. */
  add(message: Omit<StoredMessage, 'n'>): Promise<void>;
  /** Returns the messages, newest first. */
  list(): readonly Summary[];
  read(n: number): Promise<StoredMessage | undefined>;
  /** Renames the folder and starts an empty one. */
  reset(suffix: string): Promise<void>;
  /** Resolves once every message accepted so far is on disk. */
  settled(): Promise<void>;
};

/** Opens the folder and deletes files that a crash left incomplete. Those messages were never acknowledged. */
export async function openMessageStore(directory: string): Promise<MessageStore> {
  let kept = await recover(directory);
  let next = (kept[0]?.n ?? 0) + 1;
  // Runs one operation after the other, so that numbers follow the order of arrival and a reset never overlaps with a write.
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = turn.then(work);
    turn = result.catch(() => undefined);
    return result;
  };

  async function add(message: Omit<StoredMessage, 'n'>): Promise<void> {
    const n = next;
    await writeWhole(directory, { n, ...message });
    next += 1;
    const { rawBase64: _, ...summary } = message;
    kept = [{ n, ...summary }, ...kept];
    for (const old of kept.splice(keptMax)) {
      await rm(fileOf(directory, old.n), { force: true });
    }
  }

  return {
    add: (message) => inTurn(() => add(message)),
    list: () => kept,
    read: (n) => (kept.some((message) => message.n === n) ? readMessage(directory, n) : Promise.resolve(undefined)),
    reset: (suffix) =>
      inTurn(async () => {
        await rename(directory, `${directory}.${suffix}`);
        await mkdir(directory, { recursive: true });
        kept = [];
      }),
    settled: async () => {
      await turn;
    },
  };
}

async function recover(directory: string): Promise<Summary[]> {
  await mkdir(directory, { recursive: true });
  const names = await readdir(directory);
  for (const name of names.filter((name) => name.endsWith('.part'))) {
    await rm(join(directory, name));
  }
  const numbers = names.flatMap((name) => /^(\d+)\.json$/.exec(name)?.[1] ?? []).map(Number);
  numbers.sort((left, right) => right - left);
  for (const old of numbers.splice(keptMax)) {
    await rm(fileOf(directory, old));
  }
  const summaries: Summary[] = [];
  for (const n of numbers) {
    const { rawBase64: _, ...summary } = await readMessage(directory, n);
    summaries.push(summary);
  }
  return summaries;
}

async function readMessage(directory: string, n: number): Promise<StoredMessage> {
  const text = await readFile(fileOf(directory, n), 'utf8');
  try {
    return JSON.parse(text) as StoredMessage;
  } catch (cause) {
    throw new Error(`${fileOf(directory, n)} is not JSON; it was damaged from outside`, { cause });
  }
}

/** Writes the file under a temporary name first, so that its final name always has complete content. */
async function writeWhole(directory: string, message: StoredMessage): Promise<void> {
  const path = fileOf(directory, message.n);
  const file = await open(`${path}.part`, 'w', 0o600);
  try {
    await file.writeFile(JSON.stringify(message));
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(`${path}.part`, path);
  const folder = await open(directory, 'r');
  await folder.sync();
  await folder.close();
}

function fileOf(directory: string, n: number): string {
  return join(directory, `${n}.json`);
}
