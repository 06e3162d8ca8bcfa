/**
 * Passes the trace from the caller that started a workflow to its activities, and reports the end of a run to the worker. It adds no command, no
 * random number and no wait, so a history replays the same whether it was recorded with or without telemetry.
 */
import {
  ContinueAsNew,
  defaultPayloadConverter,
  proxySinks,
  workflowInfo,
  type Headers,
  type WorkflowExecuteInput,
  type WorkflowInboundCallsInterceptor,
  type WorkflowInterceptors,
  type WorkflowOutboundCallsInterceptor,
} from '@temporalio/workflow';
import { TRACE_HEADER, type TelemetrySinks } from './messages/telemetry.ts';

const { telemetry } = proxySinks<TelemetrySinks>();
const TRACEPARENT = /^00-([0-9a-f]{32})-[0-9a-f]{16}-([0-9a-f]{2})$/;

export const interceptors = (): WorkflowInterceptors => {
  const trace = new TraceContext();
  return { inbound: [trace], outbound: [trace] };
};

class TraceContext implements WorkflowInboundCallsInterceptor, WorkflowOutboundCallsInterceptor {
  private outgoing: Headers = {};
  private parent: string | null = null;

  async execute(
    input: WorkflowExecuteInput,
    next: (input: WorkflowExecuteInput) => Promise<unknown>,
  ): Promise<unknown> {
    this.take(input.headers);
    try {
      const result = await next(input);
      this.show(input, typeof result === 'string' ? result : 'completed');
      return result;
    } catch (error) {
      this.show(input, error instanceof ContinueAsNew ? 'continued' : 'failed');
      throw error;
    }
  }

  scheduleActivity<Input extends { readonly headers: Headers }, T>(
    input: Input,
    next: (input: Input) => Promise<T>,
  ): Promise<T> {
    return next(this.traced(input));
  }

  scheduleLocalActivity<Input extends { readonly headers: Headers }, T>(
    input: Input,
    next: (input: Input) => Promise<T>,
  ): Promise<T> {
    return next(this.traced(input));
  }

  continueAsNew<Input extends { readonly headers: Headers }>(
    input: Input,
    next: (input: Input) => Promise<never>,
  ): Promise<never> {
    return next(this.traced(input));
  }

  private take(headers: Headers): void {
    const payload = headers[TRACE_HEADER];
    const carrier = payload === undefined ? null : defaultPayloadConverter.fromPayload<unknown>(payload);
    const parent =
      typeof carrier === 'object' && carrier !== null && 'traceparent' in carrier ? carrier.traceparent : '';
    const match = TRACEPARENT.exec(String(parent));
    if (match !== null) {
      const [traceparent, traceId, flags] = match;
      this.parent = traceparent;
      const own = { traceparent: `00-${traceId}-${spanIdOfRun()}-${flags}` };
      this.outgoing = { [TRACE_HEADER]: defaultPayloadConverter.toPayload(own) };
    }
  }

  private traced<Input extends { readonly headers: Headers }>(input: Input): Input {
    return { ...input, headers: { ...input.headers, ...this.outgoing } };
  }

  private show(input: WorkflowExecuteInput, outcome: string): void {
    const { parent } = this;
    telemetry.workflowEnded({ parent, spanId: spanIdOfRun(), endedAtMs: Date.now(), outcome, input: input.args[0] });
  }
}

/** Derives the span's id from the random end of the run's UUID, so that every worker that drives this run uses the same span. */
function spanIdOfRun(): string {
  return workflowInfo().runId.replaceAll('-', '').slice(-16);
}
