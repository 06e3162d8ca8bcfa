import { context, diag, DiagLogLevel, SpanKind, SpanStatusCode, trace, TraceFlags } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResourcesSync, envDetectorSync, Resource } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, BatchSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace-base';
import {
  OpenTelemetryActivityInboundInterceptor,
  OpenTelemetryWorkflowClientInterceptor,
} from '@temporalio/interceptors-opentelemetry';
import type { Logger } from '../logger.ts';
import type { Outcome, SpanEnd, SpanRequest, Telemetry, TelemetryOptionsOfProcess, WorkflowRun } from '../telemetry.ts';
import { onlyKnownAttributes } from './exported-spans.ts';
import { createInstruments } from './instruments.ts';

const EXPORT_TIMEOUT_MS = 5_000;
const METRICS_EVERY_MS = 60_000;
const COMPLAIN_EVERY_MS = 60_000;
const LIBRARY = { name: 'lenden' };

/**
 * Starts the export by OTLP over HTTP with JSON. If the collector is slow or away, spans wait in a bounded queue and are then dropped; nothing else
 * is affected. `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_METRIC_EXPORT_INTERVAL` have OpenTelemetry's meaning.
 */
export function startOpenTelemetry({
  service,
  environment,
  log,
  endpoint,
}: TelemetryOptionsOfProcess & { readonly endpoint: string }): Telemetry {
  const base = endpoint.replace(/\/+$/, '');
  const everyMs = intervalMs(environment['OTEL_METRIC_EXPORT_INTERVAL']);
  diag.setLogger(complainTo(log), DiagLogLevel.ERROR);
  const resource = new Resource({ 'service.name': service }).merge(
    detectResourcesSync({ detectors: [envDetectorSync] }),
  );
  const spans = new BatchSpanProcessor(
    onlyKnownAttributes(new OTLPTraceExporter({ url: `${base}/v1/traces`, timeoutMillis: EXPORT_TIMEOUT_MS })),
    { exportTimeoutMillis: EXPORT_TIMEOUT_MS },
  );
  const traces = new BasicTracerProvider({ resource, spanProcessors: [spans] });
  traces.register({ contextManager: new AsyncLocalStorageContextManager() });
  const meters = new MeterProvider({
    resource,
    readers: [
      new PeriodicExportingMetricReader({
        exporter: new OTLPMetricExporter({ url: `${base}/v1/metrics`, timeoutMillis: EXPORT_TIMEOUT_MS }),
        exportIntervalMillis: everyMs,
        exportTimeoutMillis: Math.min(EXPORT_TIMEOUT_MS, everyMs),
      }),
    ],
  });
  log.info({ every: everyMs }, 'telemetry enabled');
  return {
    on: true,
    ...createInstruments(meters.getMeter(LIBRARY.name)),
    span: runInSpan,
    annotate: (attributes) => trace.getActiveSpan()?.setAttributes(attributes),
    recordRun: (run) => {
      const span = spanOfRun(run, resource);
      if (span !== null) {
        spans.onEnd(span);
      }
    },
    clientInterceptors: [new OpenTelemetryWorkflowClientInterceptor()],
    activityInterceptors: [(activity) => ({ inbound: new OpenTelemetryActivityInboundInterceptor(activity) })],
    temporalMetrics: {
      metrics: {
        otel: { url: `${base}/v1/metrics`, http: true, metricsExportInterval: everyMs, useSecondsForDurations: true },
        globalTags: { service_name: service },
        attachServiceName: false,
      },
    },
    async shutdown() {
      await Promise.allSettled([traces.shutdown(), meters.shutdown()]);
    },
  };
}

async function runInSpan<T>(
  { name, kind, attributes }: SpanRequest,
  work: () => Promise<T>,
  describe: (outcome: Outcome<T>) => SpanEnd,
): Promise<T> {
  const span = trace
    .getTracer(LIBRARY.name)
    .startSpan(name, { kind: kind === 'server' ? SpanKind.SERVER : SpanKind.CLIENT, attributes });
  const end = (outcome: Outcome<T>): void => {
    const said = describe(outcome);
    span.setAttributes(said.attributes).setStatus({ code: said.failed ? SpanStatusCode.ERROR : SpanStatusCode.UNSET });
    if (said.name !== undefined) {
      span.updateName(said.name);
    }
    span.end();
  };
  try {
    const value = await context.with(trace.setSpan(context.active(), span), work);
    end({ ok: true, value });
    return value;
  } catch (error) {
    end({ ok: false, error });
    throw error;
  }
}

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** Returns the span of a run that may have started in another process, days ago. Null if its trace was not sampled. */
function spanOfRun(run: WorkflowRun, resource: Resource): ReadableSpan | null {
  const [, traceId = '', parentSpanId = '', flags = '00'] = TRACEPARENT.exec(run.parent) ?? [];
  const traceFlags = Number.parseInt(flags, 16);
  if (traceId === '' || (traceFlags & TraceFlags.SAMPLED) === 0) {
    return null;
  }
  return {
    name: run.name,
    kind: SpanKind.INTERNAL,
    spanContext: () => ({ traceId, spanId: run.spanId, traceFlags }),
    parentSpanId,
    startTime: timeOf(run.startedAtMs),
    endTime: timeOf(run.endedAtMs),
    duration: timeOf(Math.max(0, run.endedAtMs - run.startedAtMs)),
    ended: true,
    resource,
    instrumentationLibrary: LIBRARY,
    links: [],
    status: { code: run.failed ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
    attributes: { ...run.attributes },
    events: [],
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function timeOf(ms: number): [seconds: number, nanoseconds: number] {
  const seconds = Math.floor(ms / 1_000);
  return [seconds, Math.round((ms - seconds * 1_000) * 1_000_000)];
}

function intervalMs(text: string | undefined): number {
  const given = Number(text);
  return Number.isInteger(given) && given >= 100 && given <= 3_600_000 ? given : METRICS_EVERY_MS;
}

/** Logs only that an export failed, at most once a minute: the library's text may quote a URL with credentials. */
function complainTo(log: Logger) {
  let quietUntilMs = 0;
  const complain = (): void => {
    if (Date.now() >= quietUntilMs) {
      quietUntilMs = Date.now() + COMPLAIN_EVERY_MS;
      log.warn({ source: 'telemetry' }, 'traces or metrics could not be exported; payments do not depend on it');
    }
  };
  const ignore = (): void => undefined;
  return { error: complain, warn: ignore, info: ignore, debug: ignore, verbose: ignore };
}
