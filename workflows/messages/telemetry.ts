import type { Sinks } from '@temporalio/workflow';

/** The header that carries the trace, as JSON `{traceparent}`. Temporal's own OpenTelemetry interceptors use the same name. */
export const TRACE_HEADER = '_tracer-data';

/** The end of one workflow run, reported to the worker's process once and never in a replay. Contains only ids and codes. */
export interface WorkflowEnd {
  /** The W3C `traceparent` of the caller that started the run; null when that call was not traced. */
  readonly parent: string | null;
  readonly spanId: string;
  readonly endedAtMs: number;
  /** The workflow's result if it is a string, otherwise `completed`; `continued` or `failed` when the run ended that way. */
  readonly outcome: string;
  readonly input: unknown;
}

export interface TelemetrySinks extends Sinks {
  telemetry: { workflowEnded(end: WorkflowEnd): void };
}
