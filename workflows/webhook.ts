/**
 * The delivery of one event to its application's endpoint.
 *
 * States (the event's row is the authority): attempt → delivered
 *                                            attempt → waiting (published schedule, `Retry-After`) → attempt …
 *                                            attempt → put off (circuit open, endpoint busy) → attempt …
 *                                            attempt → parked: no endpoint, disabled endpoint, or schedule used up
 * Messages: signal `resend`. Starting the workflow of a parked event again gives it a fresh schedule.
 */
import {
  condition,
  continueAsNew,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { ATTEMPT_DELAYS_SECONDS } from '../domain/webhook.ts';
import { resendSignal } from './messages/webhook.ts';
import type {
  DeliverWebhookResult,
  DeliveryProgress,
  WebhookActivities,
  WebhookOutcome,
  WebhookWorkflowInput,
} from './messages/webhook.ts';

/**
 * A failed delivery is a result, not an error, so these retries only concern ourselves: a database that is away, a worker that died.
 * The time-out covers an attempt of up to three requests of 15 s, one for each secret of a rotation, with its reading and recording.
 */
const { deliverWebhook } = proxyActivities<WebhookActivities>({
  startToCloseTimeout: '70s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '60s', maximumAttempts: 10 },
});

/** When those retries are used up, the workflow itself waits; after this many waits it fails, visibly, and the sweeper resumes it. */
const OUTAGE_PAUSE_MS = 300_000;
const OUTAGES_MAX = 1_000;

export async function webhookWorkflow({ progress, ...input }: WebhookWorkflowInput): Promise<WebhookOutcome> {
  const delivery = new Delivery(input, progress);
  setHandler(resendSignal, () => delivery.requestResend());
  return delivery.run();
}

class Delivery {
  private readonly input: Omit<WebhookWorkflowInput, 'progress'>;
  private attempt: number;
  private recorded: number | null;
  private dueAtMs: number;
  private resend: boolean;
  private woken = false;
  private outages = 0;

  constructor(input: Omit<WebhookWorkflowInput, 'progress'>, progress: DeliveryProgress | undefined) {
    this.input = input;
    this.attempt = progress?.attempt ?? 1;
    this.recorded = progress?.recorded ?? null;
    this.dueAtMs = progress?.dueAtMs ?? 0;
    this.resend = progress?.resend ?? false;
  }

  requestResend(): void {
    this.resend = true;
    this.woken = true;
  }

  async run(): Promise<WebhookOutcome> {
    for (;;) {
      await this.waitUntilDue();
      if (workflowInfo().continueAsNewSuggested) {
        await this.continue();
      }
      const outcome = this.take(await this.send());
      // A resend that was asked for while the last attempt was under way is still to be done.
      if (outcome !== null && !this.resend) {
        return outcome;
      }
    }
  }

  /** Until the next attempt is due, or an operator asks for it. */
  private async waitUntilDue(): Promise<void> {
    const waitMs = this.dueAtMs - Date.now();
    if (waitMs > 0) {
      await condition(() => this.woken, waitMs);
    }
    this.woken = false;
    this.dueAtMs = 0;
  }

  private continue(): Promise<never> {
    const { attempt, recorded, dueAtMs, resend } = this;
    return continueAsNew<typeof webhookWorkflow>({
      ...this.input,
      progress: { attempt, recorded, dueAtMs, resend },
    });
  }

  private async send(): Promise<DeliverWebhookResult | null> {
    const { attempt, recorded, resend } = this;
    this.resend = false;
    try {
      const result = await deliverWebhook({ ...this.input, attempt, recorded, resend });
      this.outages = 0;
      // What was put off is still wanted.
      this.resend ||= resend && result.kind === 'put-off';
      return result;
    } catch (error) {
      this.outages += 1;
      if (isCancellation(error) || this.outages >= OUTAGES_MAX) {
        throw error;
      }
      this.resend ||= resend;
      return null;
    }
  }

  /** Notes what an attempt brought; the outcome when it was the last one. */
  private take(result: DeliverWebhookResult | null): WebhookOutcome | null {
    switch (result?.kind) {
      case undefined:
        this.wait(OUTAGE_PAUSE_MS, 'Lenden could not read or record the delivery');
        return null;
      case 'delivered':
        setCurrentDetails('Delivered.');
        return 'delivered';
      case 'parked':
        setCurrentDetails(`Parked: ${PARKED_WORDS[result.reason]}. Start this workflow again to resend the event.`);
        this.startAnew();
        return 'parked';
      case 'put-off':
        this.wait(result.retryInMs, PUT_OFF_WORDS[result.reason]);
        return null;
      case 'retry': {
        const failed = `Attempt ${result.attempt - 1} of ${result.attemptsMax ?? ATTEMPT_DELAYS_SECONDS.length} failed with ${result.status ?? result.error ?? 'an unknown error'}`;
        this.attempt = result.attempt;
        this.recorded = result.recorded;
        this.wait(result.retryInMs, failed);
        return null;
      }
    }
  }

  private startAnew(): void {
    this.attempt = 1;
    this.recorded = null;
    this.dueAtMs = 0;
  }

  private wait(waitMs: number, why: string): void {
    this.dueAtMs = Date.now() + waitMs;
    setCurrentDetails(`${why}; next at ${timeInWords(this.dueAtMs, Date.now())}.`);
  }
}

const PARKED_WORDS = {
  NO_ENDPOINT: 'the application has no webhook URL',
  ENDPOINT_DISABLED: 'the endpoint is disabled',
  ATTEMPTS_EXHAUSTED: 'every attempt failed',
  UNKNOWN_EVENT: 'the database has no such event',
} as const;

const PUT_OFF_WORDS = {
  CIRCUIT_OPEN: 'Put off, since the endpoint has failed repeatedly',
  BUSY: 'Put off, since the endpoint is busy with earlier events',
} as const;

/** "14:05 UTC", with the date when it is another day. */
function timeInWords(atMs: number, nowMs: number): string {
  const [day, time = ''] = new Date(atMs).toISOString().split('T');
  const [today] = new Date(nowMs).toISOString().split('T');
  return `${day === today ? '' : `${day} `}${time.slice(0, 5)} UTC`;
}
