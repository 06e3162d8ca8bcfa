import type { Telemetry, TelemetryOptionsOfProcess } from '../telemetry.ts';

const OFF: Telemetry = {
  on: false,
  span: (_request, work) => work(),
  annotate: () => undefined,
  recordRun: () => undefined,
  count: () => undefined,
  time: () => undefined,
  readGauges: () => undefined,
  clientInterceptors: [],
  activityInterceptors: [],
  temporalMetrics: {},
  shutdown: () => Promise.resolve(),
};

/** Starts telemetry if `OTEL_EXPORTER_OTLP_ENDPOINT` is set. Otherwise no OpenTelemetry module is loaded. */
export async function startTelemetry(options: TelemetryOptionsOfProcess): Promise<Telemetry> {
  const endpoint = options.environment['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? '';
  if (endpoint === '') {
    return OFF;
  }
  const { startOpenTelemetry } = await import('./open-telemetry.ts');
  return startOpenTelemetry({ ...options, endpoint });
}
