import type { ClientInterceptors } from '@temporalio/client';
import type { ActivityInterceptorsFactory, TelemetryOptions } from '@temporalio/worker';
import type { Logger } from './logger.ts';

/** Ids, codes and numbers. What is not on the list of `telemetry/exported-spans.ts` never leaves the process. */
export type Attributes = Readonly<Record<string, string | number>>;

export interface SpanRequest {
  readonly name: string;
  readonly kind: 'server' | 'client';
  readonly attributes: Attributes;
}

/** What is learned only at the end of a span. */
export interface SpanEnd {
  readonly attributes: Attributes;
  readonly failed: boolean;
  readonly name?: string;
}

/** One finished run of a workflow; its span's id was handed to its activities long before. */
export interface WorkflowRun {
  readonly name: string;
  /** W3C `traceparent` of whoever started it. */
  readonly parent: string;
  readonly spanId: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly attributes: Attributes;
  readonly failed: boolean;
}

export type Counter = 'lenden.payments.ended' | 'lenden.webhook.attempts' | 'lenden.sweeper.actions';
export type Duration = 'http.server.request.duration' | 'lenden.gateway.call.duration';
export type Gauge =
  | 'lenden.payments.open'
  | 'lenden.payments.review'
  | 'lenden.unapplied_payments.held'
  | 'lenden.unapplied_payments.held_minor'
  | 'lenden.ledger.unsealed_age';

export interface Reading {
  readonly gauge: Gauge;
  readonly value: number;
  readonly attributes?: Attributes;
}

/** Traces and metrics of one process. While it is off, every method does nothing and costs nothing worth measuring. */
export interface Telemetry {
  readonly on: boolean;
  /** Runs `work` in a span below the current one; `describe` is told the result or the error and decides what the span says of it. */
  span<T>(request: SpanRequest, work: () => Promise<T>, describe: (outcome: Outcome<T>) => SpanEnd): Promise<T>;
  /** Adds to the current span, whoever opened it. */
  annotate(attributes: Attributes): void;
  recordRun(run: WorkflowRun): void;
  count(counter: Counter, attributes: Attributes, by?: number): void;
  /** `ms` are milliseconds; seconds are exported, as the semantic conventions have it. */
  time(duration: Duration, ms: number, attributes: Attributes): void;
  /** Read once per export; a failure leaves the gauges out of that export. */
  readGauges(read: () => Promise<readonly Reading[]>): void;
  /** Carries the context to the server in headers, with a span for each call. */
  readonly clientInterceptors: NonNullable<ClientInterceptors['workflow']> & readonly object[];
  /** Continues the trace of the workflow in its activities. */
  readonly activityInterceptors: readonly ActivityInterceptorsFactory[];
  /** For `Runtime.install`: the Temporal SDK's own metrics. */
  readonly temporalMetrics: Pick<TelemetryOptions, 'metrics'>;
  /** Sends what is waiting, within a few seconds. */
  shutdown(): Promise<void>;
}

export type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown };

export interface TelemetryOptionsOfProcess {
  readonly service: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly log: Logger;
}
