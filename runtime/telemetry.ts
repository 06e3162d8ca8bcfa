import type { ClientInterceptors } from '@temporalio/client';
import type { ActivityInterceptorsFactory, TelemetryOptions } from '@temporalio/worker';
import type { Logger } from './logger.ts';

/** Ids, codes and numbers. Only the names listed in `telemetry/exported-spans.ts` leave the process. */
export type Attributes = Readonly<Record<string, string | number>>;

export interface SpanRequest {
  readonly name: string;
  readonly kind: 'server' | 'client';
  readonly attributes: Attributes;
}

/** What is known only at the end of a span. */
export interface SpanEnd {
  readonly attributes: Attributes;
  readonly failed: boolean;
  readonly name?: string;
}

/** A finished run of a workflow. Its span id was passed to its activities long before. */
export interface WorkflowRun {
  readonly name: string;
  /** W3C `traceparent` of the caller that started it. */
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

/** Traces and metrics of one process. When off, every method does nothing, at no measurable cost. */
export interface Telemetry {
  readonly on: boolean;
  /** Runs `work` in a span below the current one. `describe` receives the result or error and returns the span's end. */
  span<T>(request: SpanRequest, work: () => Promise<T>, describe: (outcome: Outcome<T>) => SpanEnd): Promise<T>;
  /** Adds attributes to the current span. */
  annotate(attributes: Attributes): void;
  recordRun(run: WorkflowRun): void;
  count(counter: Counter, attributes: Attributes, by?: number): void;
  /** Takes milliseconds; exports seconds, as the semantic conventions require. */
  time(duration: Duration, ms: number, attributes: Attributes): void;
  /** Reads the gauges once per export. If reading fails, the export has no gauges. */
  readGauges(read: () => Promise<readonly Reading[]>): void;
  /** Passes the context to the server in headers, with a span for each call. */
  readonly clientInterceptors: NonNullable<ClientInterceptors['workflow']> & readonly object[];
  /** Continues the workflow's trace in its activities. */
  readonly activityInterceptors: readonly ActivityInterceptorsFactory[];
  /** For `Runtime.install`: the Temporal SDK's own metrics. */
  readonly temporalMetrics: Pick<TelemetryOptions, 'metrics'>;
  /** Sends what is queued, within a few seconds. */
  shutdown(): Promise<void>;
}

export type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown };

export interface TelemetryOptionsOfProcess {
  readonly service: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly log: Logger;
}
