import { type ChildProcess, fork } from 'node:child_process';
import type { Answer } from './setter.ts';
import type { Order } from './typesetter.ts';

export type DocumentProblem = 'busy' | 'too_large' | 'timed_out' | 'failed';

/** The error of a PDF that could not be made. It contains nothing of the document. */
export class DocumentFailure extends Error {
  readonly problem: DocumentProblem;

  constructor(problem: DocumentProblem) {
    super(`The document could not be created: ${problem}.`);
    this.name = 'DocumentFailure';
    this.problem = problem;
  }
}

export interface PressLimits {
  readonly processes: number;
  readonly waiting: number;
  /** The limit for one document, from when a process starts it. */
  readonly timeMs: number;
  /** A process that uses more memory is replaced after its document. */
  readonly residentBytes: number;
}

interface Job {
  readonly order: Order;
  readonly settle: (outcome: Uint8Array | DocumentFailure) => void;
}

/**
 * Processes that typeset documents, so that a long document blocks no request, and one that hangs or crashes its process affects nothing else. They
 * start on demand, receive no secrets, and do not keep the service alive.
 */
export class Press {
  readonly #limits: PressLimits;
  readonly #waiting: Job[] = [];
  readonly #idle: ChildProcess[] = [];
  readonly #all = new Set<ChildProcess>();

  constructor(limits: PressLimits) {
    this.#limits = limits;
  }

  /** @throws DocumentFailure */
  async print(order: Order): Promise<Uint8Array> {
    if (this.#waiting.length >= this.#limits.waiting) {
      throw new DocumentFailure('busy');
    }
    const { promise, resolve } = Promise.withResolvers<Uint8Array | DocumentFailure>();
    this.#waiting.push({ order, settle: resolve });
    this.#next();
    const outcome = await promise;
    if (outcome instanceof DocumentFailure) {
      throw outcome;
    }
    return outcome;
  }

  /** Ends the processes; documents in progress fail. The press can be used again. */
  close(): void {
    for (const child of this.#all) {
      this.#retire(child);
    }
  }

  #next(): void {
    const child = this.#waiting.length === 0 ? undefined : (this.#idle.pop() ?? this.#started());
    const job = child === undefined ? undefined : this.#waiting.shift();
    if (child !== undefined && job !== undefined) {
      this.#run(child, job);
    }
  }

  #started(): ChildProcess | undefined {
    if (this.#all.size >= this.#limits.processes) {
      return undefined;
    }
    const child = fork(new URL('./setter.ts', import.meta.url), {
      env: {},
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    child.once('exit', () => this.#retire(child));
    // A process that could not be started or reached emits no exit event.
    child.on('error', () => this.#retire(child));
    this.#all.add(child);
    return child;
  }

  #run(child: ChildProcess, { order, settle }: Job): void {
    const finish = (outcome: Uint8Array | DocumentFailure): void => {
      clearTimeout(limit);
      child.off('message', answered).off('exit', lost).off('error', lost);
      holdAlive(child, false);
      settle(outcome);
      this.#next();
    };
    const answered = (message: unknown): void => {
      const { pdf, residentBytes } = message as Answer;
      if (residentBytes > this.#limits.residentBytes) {
        this.#retire(child);
      } else {
        this.#idle.push(child);
      }
      finish(pdf ?? new DocumentFailure('failed'));
    };
    const lost = (): void => finish(new DocumentFailure('failed'));
    const limit = setTimeout(() => {
      this.#retire(child);
      finish(new DocumentFailure('timed_out'));
    }, this.#limits.timeMs);
    child.on('message', answered).once('exit', lost).once('error', lost);
    holdAlive(child, true);
    child.send(order);
  }

  #retire(child: ChildProcess): void {
    this.#all.delete(child);
    const index = this.#idle.indexOf(child);
    if (index !== -1) {
      this.#idle.splice(index, 1);
    }
    child.kill('SIGKILL');
  }
}

/** Keeps the service alive for a document in progress, but not for an idle process. */
function holdAlive(child: ChildProcess, held: boolean): void {
  if (held) {
    child.ref();
    child.channel?.ref();
  } else {
    child.unref();
    child.channel?.unref();
  }
}
