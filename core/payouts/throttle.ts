import { setTimeout as sleep } from 'node:timers/promises';
import type { CoreDependencies } from '../dependencies.ts';
import { paymentsAreMade } from './store/payment-traffic.ts';

/** So many times as long as a step took, nothing is imported behind it. */
const REST = 3;
const ROWS_AT_ONCE = 1_000;
/** A row takes about 15 µs of the worker's thread, on which payments wait meanwhile. */
const ROWS_AT_ONCE_BESIDE_PAYMENTS = 200;
const LOOK_EVERY_MS = 1_000;

/** The pace of an import: as fast as it can while nobody pays, else for a quarter of the time and in small steps, so that payments stay fast. */
export class Throttle {
  readonly #database: CoreDependencies['database'];
  #isResting = false;
  #lookedAtMs = -Infinity;
  #beganAtMs = performance.now();

  constructor({ database }: Pick<CoreDependencies, 'database'>) {
    this.#database = database;
  }

  get rowsAtOnce(): number {
    return this.#isResting ? ROWS_AT_ONCE_BESIDE_PAYMENTS : ROWS_AT_ONCE;
  }

  /** Whether a step is stored before the next one is read. */
  get isResting(): boolean {
    return this.#isResting;
  }

  /** Waits between two steps. */
  async rest(signal: AbortSignal | undefined): Promise<void> {
    const busyMs = performance.now() - this.#beganAtMs;
    if (performance.now() - this.#lookedAtMs >= LOOK_EVERY_MS) {
      this.#isResting = await this.#database.withSystem(paymentsAreMade);
      this.#lookedAtMs = performance.now();
    }
    if (this.#isResting) {
      await sleep(busyMs * REST, undefined, signal === undefined ? {} : { signal });
    }
    this.#beganAtMs = performance.now();
  }
}
