import type { Sinks } from '@temporalio/workflow';

/** Header that carries the trace: JSON `{traceparent}`. The name is the one of Temporal's own OpenTelemetry interceptors. */
export const TRACE_HEADER = '_tracer-data';

/** The end of one workflow run, told to the worker's process once, never in a replay. Ids and codes only. */
export interface WorkflowEnd {
  /** W3C `traceparent` of whoever started the run; null when that was not traced. */
  readonly parent: string | null;
  readonly spanId: string;
  readonly endedAtMs: number;
  /** What the workflow returned where that is a word, else `completed`; `continued` or `failed` otherwise. */
  readonly outcome: string;
  readonly input: unknown;
}

export interface TelemetrySinks extends Sinks {
  telemetry: { workflowEnded(end: WorkflowEnd): void };
}
