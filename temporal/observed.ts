import type { WorkflowClientInterceptor } from '@temporalio/client';
import { z } from 'zod';
import type { Attributes, Telemetry } from '../runtime/telemetry.ts';

const Subject = z.object({
  reference: z.string().optional(),
  eventId: z.string().optional(),
  applicationId: z.string().optional(),
  mode: z.string().optional(),
});

/** Returns the ids in a workflow's or activity's input by which its spans can be found. */
export function subjectOf(input: unknown): Attributes {
  const { reference, eventId, applicationId, mode } = Subject.safeParse(input).data ?? {};
  return {
    ...(reference === undefined ? {} : { 'lenden.payment': reference }),
    ...(eventId === undefined ? {} : { 'lenden.event': eventId }),
    ...(applicationId === undefined ? {} : { 'lenden.app': applicationId }),
    ...(mode === undefined ? {} : { 'lenden.mode': mode }),
  };
}

/** Traces every start, update and signal. Annotates both the span of the call and the span around it with the payment. */
export function observedInterceptors(telemetry: Telemetry): WorkflowClientInterceptor[] {
  if (!telemetry.on) {
    return [];
  }
  const annotate = annotating(telemetry);
  return [annotate, ...telemetry.clientInterceptors, annotate];
}

function annotating(telemetry: Telemetry): WorkflowClientInterceptor {
  const about = (input: unknown): void => telemetry.annotate(subjectOf(input));
  return {
    startWithDetails: (input, next) => {
      about(input.options.args[0]);
      return next(input);
    },
    startUpdateWithStart: (input, next) => {
      about(input.workflowStartOptions.args[0]);
      return next(input);
    },
    signalWithStart: (input, next) => {
      about(input.options.args[0]);
      return next(input);
    },
    signal: (input, next) => {
      const { workflowId } = input.workflowExecution;
      about({ reference: workflowId.slice(workflowId.indexOf(':') + 1) });
      return next(input);
    },
  };
}
