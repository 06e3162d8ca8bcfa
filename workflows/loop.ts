/**
 * Repeats a pass for ever, for work that belongs to no single payment.
 *
 *   passing   makes one pass → resting
 *   resting   until the next pass is due, or a message asks for it → passing
 *   paused    resting without an end: only `wake`, for a single pass, or `resume` → passing
 *
 * Messages: signals `wake`, `pause` and `resume`, query `progress`. A pass that fails is repeated later, so that only a person ends the loop.
 */
import { condition, isCancellation, setCurrentDetails, setHandler } from '@temporalio/workflow';
import { Inbox } from './inbox.ts';
import { loopProgressQuery, pauseSignal, resumeSignal, wakeSignal, type LoopProgress } from './messages/loop.ts';

/** What a pass did, in words for operators, and when the next one is due. */
export interface Passed {
  readonly said: string;
  readonly nextInMs: number;
}

/** A pass that failed says nothing about what is due. */
const AFTER_FAILURE = {
  said: 'failed, as the log of the worker explains',
  nextInMs: 30_000,
} as const satisfies Passed;

type Message = { readonly kind: 'wake' | 'pause' | 'resume' };

export class Loop {
  readonly inbox = new Inbox<Message>();
  private isPaused = false;
  private passes = 0;
  private state: LoopProgress['state'] = 'passing';

  constructor() {
    setHandler(wakeSignal, () => this.inbox.put({ kind: 'wake' }));
    setHandler(pauseSignal, () => this.inbox.put({ kind: 'pause' }));
    setHandler(resumeSignal, () => this.inbox.put({ kind: 'resume' }));
    setHandler(loopProgressQuery, () => ({ state: this.state, passes: this.passes }));
  }

  /** Calls `renew` before each pass, when no message is unread. A paused loop stays in its run, whose history grows only with `wake`. */
  async run(pass: () => Promise<Passed>, renew: () => Promise<void>): Promise<never> {
    for (;;) {
      this.show('passing', 'A pass is running.');
      const passed = await pass().catch(afterFailure);
      this.passes += 1;
      await this.rest(passed);
      if (!this.isPaused) {
        await renew();
      }
    }
  }

  /** Returns when the next pass begins. */
  private async rest({ said, nextInMs }: Passed): Promise<void> {
    const nextAtMs = Date.now() + nextInMs;
    const last = `The last pass ended at ${timeOf(Date.now())} UTC: ${said}.`;
    for (let isDue = nextInMs <= 0; !isDue || this.isPaused || !this.inbox.isEmpty;) {
      this.show(
        this.isPaused ? 'paused' : 'waiting',
        `${last} ${this.isPaused ? 'Paused: no other follows until the signal `resume`.' : `The next is due at ${timeOf(nextAtMs)} UTC.`}`,
      );
      const isTold = await this.message(this.isPaused ? Infinity : nextAtMs - Date.now());
      const kinds = this.inbox.take('wake', 'pause', 'resume').map(({ kind }) => kind);
      this.isPaused = kinds.reduce((paused, kind) => (kind === 'wake' ? paused : kind === 'pause'), this.isPaused);
      if (kinds.includes('wake') || kinds.includes('resume')) {
        return;
      }
      isDue = !isTold;
    }
  }

  /** Waits for a message. Returns false when the time has passed without one. */
  private async message(withinMs: number): Promise<boolean> {
    const hasCome = (): boolean => !this.inbox.isEmpty;
    if (withinMs === Infinity) {
      await condition(hasCome);
      return true;
    }
    return hasCome() || (withinMs > 0 && (await condition(hasCome, withinMs, { summary: 'the next pass' })));
  }

  private show(state: LoopProgress['state'], details: string): void {
    this.state = state;
    setCurrentDetails(details);
  }
}

function afterFailure(error: unknown): Passed {
  if (isCancellation(error)) {
    throw error;
  }
  return AFTER_FAILURE;
}

/** Formats a time of the day, such as `14:05:30`. */
function timeOf(ms: number): string {
  return new Date(ms).toISOString().slice(11, 19);
}
