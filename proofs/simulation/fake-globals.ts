import { workflowTimeMs } from './temporal/current-run.ts';
import { whose, type Planned, type Timeline } from './timeline.ts';
import type { Random } from './random.ts';

interface World {
  readonly timeline: Timeline;
  readonly random: Random;
}

let world: World | null = null;

/** Uses this world's clock, timers and random numbers in the thread from here on; null restores the real ones. */
export function liveIn(next: World | null): void {
  world = next;
}

const RealDate = Date;
const realNow = Date.now;
const realSetTimeout = globalThis.setTimeout;
const realClearTimeout = globalThis.clearTimeout;
const realSetInterval = globalThis.setInterval;
const realClearInterval = globalThis.clearInterval;
const realPerformanceNow = performance.now.bind(performance);
const realMathRandom = Math.random;
const realGetRandomValues = crypto.getRandomValues.bind(crypto);

/** A workflow reads its own time, and a process its own clock, which may be ahead or behind. */
function nowMs(): number {
  return world === null ? realNow() : (workflowTimeMs() ?? world.timeline.nowMs + (whose.getStore()?.skewMs ?? 0));
}

class SimulatedDate extends RealDate {
  constructor(...args: unknown[]) {
    if (args.length === 0) {
      super(nowMs());
    } else {
      super(...(args as [number]));
    }
  }

  static override now(): number {
    return nowMs();
  }
}

/** Replaces the globals that the product reads in this thread. Code that was imported before keeps the real ones. */
export function replaceGlobals(): void {
  globalThis.Date = SimulatedDate as DateConstructor;
  performance.now = () => (world === null ? realPerformanceNow() : world.timeline.nowMs);
  Math.random = () => (world === null ? realMathRandom() : world.random.next());
  crypto.getRandomValues = (array) => {
    if (world === null || !(array instanceof Uint8Array)) {
      return realGetRandomValues(array);
    }
    const { random } = world;
    for (let index = 0; index < array.length; index += 1) {
      array[index] = random.between(0, 255);
    }
    return array;
  };
  globalThis.setTimeout = ((work: () => void, ms = 0) =>
    world === null ? realSetTimeout(work, ms) : timerOf(world.timeline, work, ms)) as typeof setTimeout;
  globalThis.clearTimeout = ((timer: unknown) => {
    if (isOurs(timer)) {
      timer.timeline.cancel(timer.planned);
    } else {
      realClearTimeout(timer as Parameters<typeof clearTimeout>[0]);
    }
  }) satisfies typeof clearTimeout;
  replaceIntervals();
}

function replaceIntervals(): void {
  globalThis.setInterval = ((work: () => void, ms = 0) =>
    world === null ? realSetInterval(work, ms) : intervalOf(world.timeline, work, ms)) as typeof setInterval;
  globalThis.clearInterval = ((interval: unknown) => {
    if (isOurs(interval)) {
      interval.timeline.cancel(interval.planned);
    } else {
      realClearInterval(interval as Parameters<typeof clearInterval>[0]);
    }
  }) satisfies typeof clearInterval;
}

interface OurTimer {
  readonly timeline: Timeline;
  planned: Planned;
  unref(): OurTimer;
}

function timerOf(timeline: Timeline, work: () => void, ms: number): OurTimer {
  const planned = timeline.at(timeline.nowMs + ms, work);
  const timer: OurTimer = { timeline, planned, unref: () => timer };
  return timer;
}

/** Each beat plans the next one, so a process that dies beats no more. */
function intervalOf(timeline: Timeline, work: () => void, ms: number): OurTimer {
  const life = whose.getStore();
  const plan = (): Planned =>
    timeline.at(
      timeline.nowMs + ms,
      () => {
        interval.planned = plan();
        work();
      },
      { life },
    );
  const interval: OurTimer = { timeline, planned: plan(), unref: () => interval };
  return interval;
}

function isOurs(timer: unknown): timer is OurTimer {
  return typeof timer === 'object' && timer !== null && 'planned' in timer && 'timeline' in timer;
}
