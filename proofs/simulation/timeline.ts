import { AsyncLocalStorage } from 'node:async_hooks';

const realSetImmediate = setImmediate;
/** More events than any correct story has. A seed that reaches this limit is in a loop. */
const EVENTS_MAX = 120_000;

/** One life of one process. After its death, whatever it was doing never completes. */
export class Life {
  readonly name: string;
  alive = true;
  /** Until then it is frozen, as by SIGSTOP. */
  frozenUntilMs = 0;
  /** How far its clock is ahead of the true time. */
  readonly skewMs: number;

  constructor(name: string, skewMs: number) {
    this.name = name;
    this.skewMs = skewMs;
  }
}

export interface Planned {
  atMs: number;
  order: number;
  readonly life: Life | undefined;
  readonly run: () => void | Promise<void>;
  /** Does not keep the story going, such as the sweeper's next run. */
  readonly idle: boolean;
  cancelled: boolean;
}

/** The life for which code is running; undefined outside any process. */
export const whose = new AsyncLocalStorage<Life>();

/** A fake clock with all planned events, executed one after the other. Nothing else advances time. */
export class Timeline {
  nowMs: number;
  private readonly queue: Planned[] = [];
  private orders = 0;
  events = 0;
  /** Number of pending events that are not idle. */
  busy = 0;
  /** Set if the simulation itself failed, which ends the story. */
  broken: Error | null = null;

  constructor(startMs: number) {
    this.nowMs = startMs;
  }

  /** Plans an event for the current life, or for none, as a server's own timer. */
  at(
    atMs: number,
    run: () => void | Promise<void>,
    { idle = false, life = whose.getStore() }: { idle?: boolean; life?: Life | null | undefined } = {},
  ): Planned {
    const planned = {
      atMs: Math.max(atMs, this.nowMs),
      order: (this.orders += 1),
      life: life ?? undefined,
      run,
      idle,
      cancelled: false,
    };
    this.busy += idle ? 0 : 1;
    push(this.queue, planned);
    return planned;
  }

  cancel(planned: Planned): void {
    if (!planned.cancelled) {
      planned.cancelled = true;
      this.busy -= planned.idle ? 0 : 1;
    }
  }

  /** Waits in fake time. Never returns if the waiting life has ended meanwhile. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.at(this.nowMs + ms, resolve);
    });
  }

  /** Runs the next event and everything that follows from it at once. Returns false if none is left. */
  async step(): Promise<boolean> {
    const planned = pop(this.queue);
    if (planned === undefined) {
      return false;
    }
    if (planned.cancelled) {
      return true;
    }
    const { life } = planned;
    if (life !== undefined && life.alive && life.frozenUntilMs > planned.atMs) {
      planned.atMs = life.frozenUntilMs;
      planned.order = this.orders += 1;
      push(this.queue, planned);
      return true;
    }
    planned.cancelled = true;
    this.busy -= planned.idle ? 0 : 1;
    this.events += 1;
    if (this.events > EVENTS_MAX) {
      throw new Error(`the story did not come to an end within ${EVENTS_MAX} events`);
    }
    this.nowMs = Math.max(this.nowMs, planned.atMs);
    if (life === undefined || life.alive) {
      await planned.run();
      await settled();
    }
    if (this.broken !== null) {
      throw this.broken;
    }
    return true;
  }
}

/** Resolves when every promise that can continue has continued. */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    realSetImmediate(resolve);
  });
}

function before(a: Planned, b: Planned): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** Adds an event to the binary heap. */
function push(heap: Planned[], planned: Planned): void {
  let index = heap.length;
  heap.push(planned);
  while (index > 0) {
    const up = (index - 1) >> 1;
    const parent = heap[up];
    if (parent === undefined || before(parent, planned)) {
      break;
    }
    heap[index] = parent;
    index = up;
  }
  heap[index] = planned;
}

function pop(heap: Planned[]): Planned | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (first === undefined || last === undefined || heap.length === 0) {
    return first;
  }
  let index = 0;
  for (;;) {
    const left = heap[2 * index + 1];
    const right = heap[2 * index + 2];
    const child = right !== undefined && left !== undefined && before(right, left) ? 2 * index + 2 : 2 * index + 1;
    const least = heap[child];
    if (least === undefined || before(last, least)) {
      break;
    }
    heap[index] = least;
    index = child;
  }
  heap[index] = last;
  return first;
}
