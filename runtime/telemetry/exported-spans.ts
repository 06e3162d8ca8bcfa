import type { ReadableSpan, SpanExporter, TimedEvent } from '@opentelemetry/sdk-trace-base';

/** Attributes that leave the process. Others, by libraries or by us, may contain secrets or a payer's data: URLs, texts and errors. */
const EXPORTED: ReadonlySet<string> = new Set([
  'http.request.method',
  'http.route',
  'http.response.status_code',
  'server.address',
  'server.port',
  'error.type',
  'temporalWorkflowId',
  'temporalActivityId',
  'temporalUpdateId',
  'run_id',
  'lenden.request_id',
  'lenden.payment',
  'lenden.event',
  'lenden.app',
  'lenden.mode',
  'lenden.gateway',
  'lenden.operation',
  'lenden.outcome',
]);

/** Returns an exporter that passes on known attributes only, without status texts, and of exceptions only the class. */
export function onlyKnownAttributes(exporter: SpanExporter): SpanExporter {
  return {
    export: (spans, done) => exporter.export(spans.map(withoutTheRest), done),
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
  };
}

function withoutTheRest(span: ReadableSpan): ReadableSpan {
  return {
    name: span.name,
    kind: span.kind,
    spanContext: () => span.spanContext(),
    ...(span.parentSpanId === undefined ? {} : { parentSpanId: span.parentSpanId }),
    startTime: span.startTime,
    endTime: span.endTime,
    duration: span.duration,
    ended: span.ended,
    resource: span.resource,
    instrumentationLibrary: span.instrumentationLibrary,
    links: [],
    status: { code: span.status.code },
    attributes: Object.fromEntries(Object.entries(span.attributes).filter(([name]) => EXPORTED.has(name))),
    events: span.events.filter(({ name }) => name === 'exception').map(classOnly),
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function classOnly({ name, time, attributes }: TimedEvent): TimedEvent {
  return { name, time, attributes: { 'exception.type': attributes?.['exception.type'] ?? 'Error' } };
}
