/**
 * Delivers one event to its application's endpoint. The event's row is authoritative. Most events need no workflow: the process that recorded one makes
 * the first attempt (core/webhooks/first-attempts.ts), and only if that fails or cannot be made does this workflow start.
 *
 *   waiting   until the next attempt is due (published schedule, `Retry-After`, open circuit, busy endpoint), or an operator requests a resend
 *   sending   makes one attempt → waiting | ended
 *   ended     delivered, or parked: no endpoint, disabled endpoint, or no attempts left
 *
 * Messages: signal `resend`. Starting the workflow of a parked event again restarts its schedule.
 */
import { condition, isCancellation, proxyActivities, setCurrentDetails, setHandler } from '@temporalio/workflow';
import { Inbox } from './inbox.ts';
import { resendSignal } from './messages/webhook.ts';
import type {
  DeliveryProgress,
  FailedFirstAttempt,
  WebhookActivities,
  WebhookOutcome,
  WebhookWorkflowInput,
} from './messages/webhook.ts';
import { renewWhenLong } from './renew.ts';

/**
 * A failed delivery is a result, not an error. These retries are for Lenden's own failures: an unreachable database, or a worker that died. The
 * timeout covers an attempt of up to three requests of 15 s, one for each secret of a rotation, with its reads and writes.
 */
const { deliverWebhook } = proxyActivities<WebhookActivities>({
  startToCloseTimeout: '70s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '60s', maximumAttempts: 10 },
});

/** When those retries are used up, the workflow waits. After this many waits it fails visibly, and the sweeper resumes it. */
const OUTAGE_PAUSE_MS = 300_000;
const OUTAGES_MAX = 1_000;

const FIRST = { attempt: 1, recorded: null, dueAtMs: 0, resend: false } as const satisfies DeliveryProgress;

function after({ retryInMs, ...failed }: FailedFirstAttempt): DeliveryProgress {
  return { ...failed, dueAtMs: Date.now() + retryInMs, resend: false };
}

type State =
  | { readonly name: 'waiting' | 'sending'; readonly progress: DeliveryProgress }
  | { readonly name: 'ended'; readonly outcome: WebhookOutcome };

export async function webhookWorkflow({ progress, failed, ...input }: WebhookWorkflowInput): Promise<WebhookOutcome> {
  const delivery = new Delivery(input);
  setHandler(resendSignal, () => delivery.inbox.put({ kind: 'resend' }));
  return delivery.run(progress ?? (failed === undefined ? FIRST : after(failed)));
}

class Delivery {
  readonly inbox = new Inbox<{ readonly kind: 'resend' }>();
  private readonly input: WebhookWorkflowInput;
  private outages = 0;

  constructor(input: WebhookWorkflowInput) {
    this.input = input;
  }

  async run(progress: DeliveryProgress): Promise<WebhookOutcome> {
    let state: State = { name: 'waiting', progress };
    while (state.name !== 'ended') {
      await renewWhenLong<typeof webhookWorkflow>(this.inbox, { ...this.input, progress: state.progress });
      state = state.name === 'waiting' ? await this.waiting(state.progress) : await this.sending(state.progress);
    }
    return state.outcome;
  }

  private async waiting(progress: DeliveryProgress): Promise<State> {
    const waitMs = progress.dueAtMs - Date.now();
    if (waitMs > 0) {
      await condition(() => !this.inbox.isEmpty, waitMs, { summary: `attempt ${progress.attempt} to deliver` });
    }
    return { name: 'sending', progress };
  }

  private async sending(progress: DeliveryProgress): Promise<State> {
    const { attempt, recorded } = progress;
    const resend = this.inbox.take('resend').length > 0 || progress.resend;
    let result;
    try {
      result = await deliverWebhook({ ...this.input, attempt, recorded, resend });
      this.outages = 0;
    } catch (error) {
      this.outages += 1;
      if (isCancellation(error) || this.outages >= OUTAGES_MAX) {
        throw error;
      }
      return this.wait(OUTAGE_PAUSE_MS, 'Lenden could not read or record the delivery', { attempt, recorded, resend });
    }
    switch (result.kind) {
      case 'delivered':
        setCurrentDetails('Delivered.');
        return this.end('delivered', { attempt, recorded });
      case 'parked':
        setCurrentDetails(`Parked: ${PARKED_WORDS[result.reason]}. Start this workflow again to resend the event.`);
        return this.end('parked', FIRST);
      case 'put-off':
        // Keeps a resend request that was put off.
        return this.wait(result.retryInMs, PUT_OFF_WORDS[result.reason], { attempt, recorded, resend });
      case 'retry': {
        const failed = `Attempt ${result.attempt - 1} of ${result.attemptsMax} failed with ${result.status ?? result.error ?? 'an unknown error'}`;
        const { attempt, recorded } = result;
        return this.wait(result.retryInMs, failed, { attempt, recorded, resend: false });
      }
    }
  }

  private wait(waitMs: number, why: string, next: Omit<DeliveryProgress, 'dueAtMs'>): State {
    const dueAtMs = Date.now() + waitMs;
    setCurrentDetails(`${why}; next at ${timeInWords(dueAtMs, Date.now())}.`);
    return { name: 'waiting', progress: { ...next, dueAtMs } };
  }

  /** If a resend was requested during the last attempt, sends again instead of ending. */
  private end(outcome: WebhookOutcome, next: Pick<DeliveryProgress, 'attempt' | 'recorded'>): State {
    return this.inbox.isEmpty
      ? { name: 'ended', outcome }
      : { name: 'sending', progress: { ...next, dueAtMs: 0, resend: false } };
  }
}

const PARKED_WORDS = {
  NO_ENDPOINT: 'the application has no webhook URL',
  ENDPOINT_DISABLED: 'the endpoint is disabled',
  ATTEMPTS_EXHAUSTED: 'every attempt failed',
  UNKNOWN_EVENT: 'the database has no such event',
} as const;

const PUT_OFF_WORDS = {
  CIRCUIT_OPEN: 'Postponed because the endpoint has failed repeatedly',
  BUSY: 'Postponed because the endpoint is busy with earlier events',
} as const;

/** Formats a time such as "14:05 UTC", with the date when it is not today. */
function timeInWords(atMs: number, nowMs: number): string {
  const [day, time = ''] = new Date(atMs).toISOString().split('T');
  const [today] = new Date(nowMs).toISOString().split('T');
  return `${day === today ? '' : `${day} `}${time.slice(0, 5)} UTC`;
}
