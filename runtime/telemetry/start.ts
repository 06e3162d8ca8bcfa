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

/** On by `OTEL_EXPORTER_OTLP_ENDPOINT` alone. While it is off, no module of OpenTelemetry is loaded. */
export async function startTelemetry(options: TelemetryOptionsOfProcess): Promise<Telemetry> {
  const endpoint = options.environment['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? '';
  if (endpoint === '') {
    return OFF;
  }
  const { startOpenTelemetry } = await import('./open-telemetry.ts');
  return startOpenTelemetry({ ...options, endpoint });
}
